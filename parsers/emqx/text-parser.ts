/** Lines of EMQX text logs and text trace files to records (spec emqx-logs.md sections 1.1–1.3, 1.5, 1.6). */
import { positionAfter } from '../input/line-splitter.ts';
import {
  type Envelope,
  type LogRecord,
  MAX_BODY_CHARS,
  type ParserSink,
  type RawLine,
  type RecordFlag,
  type RecordParser,
  type Severity,
} from '../record.ts';
import { splitPairs } from './body-pairs.ts';
import { consoleRecord } from './console-record.ts';
import { type EmqxFrame, SEVERITY_OF_LEVEL, splitFrame } from './frame.ts';
import { identityOfLog, identityOfTrace } from './identity.ts';
import { type Interpretation, interpretConsole, interpretReport } from './interpret.ts';
import { addFlags, NO_FLAGS, withFlags } from './record-flags.ts';
import { hideSecrets } from './secrets.ts';

interface Draft {
  readonly lineNo: number;
  readonly byteOffset: number;
  readonly frame: EmqxFrame;
  readonly head: string;
  readonly envelope: Envelope | undefined;
  flags: readonly RecordFlag[];
  byteLength: number;
  continuations: number;
  body: string;
}

/** Of a line that a node prints to its terminal without time and level. */
const CONSOLE_FRAME: EmqxFrame = { ts: null, tsPrecisionUs: 1, level: 'console', bodyAt: 0 };

export function createEmqxTextParser(sink: ParserSink): RecordParser {
  return new EmqxTextParser(sink);
}

class EmqxTextParser implements RecordParser {
  private readonly sink: ParserSink;
  private pending: Draft | null = null;
  private next = { byteOffset: 0, lineNo: 1 };

  constructor(sink: ParserSink) {
    this.sink = sink;
  }

  line(line: RawLine): void {
    this.next = positionAfter(line);
    const frame = splitFrame(line.text);
    if (frame !== null && frame !== 'bad') this.start(line, frame);
    else if (frame === null && this.isConsoleLine(line.text)) this.start(line, CONSOLE_FRAME);
    else if (this.pending !== null) this.continue(line);
    else this.refuse(line, frame === 'bad' ? 'bad-timestamp' : 'no-record-start');
  }

  resumePoint(): { byteOffset: number; lineNo: number } {
    return this.pending === null ? this.next : { byteOffset: this.pending.byteOffset, lineNo: this.pending.lineNo };
  }

  settle(): boolean {
    this.end();
    return true;
  }

  end(): void {
    const draft = this.pending;
    this.pending = null;
    if (draft !== null) this.sink.record(finish(draft));
  }

  private start(line: RawLine, frame: EmqxFrame): void {
    this.end();
    this.pending = {
      lineNo: line.lineNo,
      byteOffset: line.byteOffset,
      frame,
      head: line.text.slice(0, frame.bodyAt),
      envelope: line.envelope,
      flags: addFlags(NO_FLAGS, line),
      byteLength: line.byteLength,
      continuations: 0,
      body: line.text.slice(frame.bodyAt, frame.bodyAt + MAX_BODY_CHARS),
    };
  }

  private isConsoleLine(text: string): boolean {
    const isBeforeLog = this.pending === null || this.pending.frame === CONSOLE_FRAME;
    return interpretConsole(text, isBeforeLog) !== null;
  }

  private continue(line: RawLine): void {
    const draft = this.pending!;
    draft.byteLength += line.byteLength;
    draft.continuations += 1;
    draft.flags = addFlags(draft.flags, line);
    if (draft.body.length < MAX_BODY_CHARS) draft.body = `${draft.body}\n${line.text}`.slice(0, MAX_BODY_CHARS);
  }

  private refuse(line: RawLine, reason: string): void {
    const { lineNo, byteOffset, byteLength } = line;
    this.sink.unparsed({ lineNo, byteOffset, byteLength, text: line.text.slice(0, MAX_BODY_CHARS), reason });
  }
}

function finish(draft: Draft): LogRecord {
  const { frame } = draft;
  if (frame === CONSOLE_FRAME) return withFlags(consoleRecord(draft, draft.body)!, draft.flags, false, draft.envelope);
  const severity: Severity | undefined = SEVERITY_OF_LEVEL[frame.level];
  const identity = severity === undefined ? identityOfTrace(draft.body) : identityOfLog(draft.body);
  const body = identity === null ? draft.body : draft.body.slice(identity.length);
  const isTrace = severity === undefined || (identity !== null && body.startsWith('msg: '));
  const said = interpretBody(body, isTrace, frame.tsPrecisionUs === WHOLE_SECONDS_US);
  const record: LogRecord = {
    lineNo: draft.lineNo,
    byteOffset: draft.byteOffset,
    byteLength: draft.byteLength,
    continuations: draft.continuations,
    ts: frame.ts,
    tsPrecisionUs: frame.tsPrecisionUs,
    // A trace line has its tag where others have the level; all trace events are of level debug.
    severity: severity ?? 'debug',
    thread: said.thread,
    file: null,
    line: said.line,
    func: said.func,
    tag: said.tag ?? (severity === undefined ? frame.level : null),
    clientId: identity?.clientId ?? said.clientId,
    bridgeId: null,
    peer: identity?.peer ?? said.peer,
    event: said.event,
    head: identity === null ? draft.head : draft.head + draft.body.slice(0, identity.length),
    body: hideSecrets(body, said.event),
    attributes: said.attributes,
  };
  return withFlags(record, draft.flags, said.isCut, draft.envelope);
}

/** Only trace files of 5.0.0–5.0.24 print whole seconds. */
const WHOLE_SECONDS_US = 1_000_000;

function interpretBody(body: string, isTrace: boolean, isWholeSecond: boolean): Interpretation {
  const text = trimEnd(body);
  return interpretReport(text, splitPairs(text, { isTrace, keysMayTouch: isTrace && isWholeSecond }));
}

/** Without the blank lines of a text that ended in a line end, and the `, ` of a trace line without further keys. */
function trimEnd(body: string): string {
  let end = body.length;
  while (end > 0 && (body.charCodeAt(end - 1) === 0x0a || body.charCodeAt(end - 1) === 0x0d)) end -= 1;
  if (body.startsWith(', ', end - 2)) end -= 2;
  return end === body.length ? body : body.slice(0, end);
}
