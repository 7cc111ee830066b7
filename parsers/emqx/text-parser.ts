/** Lines of EMQX text logs and text trace files to records (spec emqx-logs.md sections 1.1–1.3, 1.5, 1.6). */
import {
  type LogRecord,
  MAX_BODY_CHARS,
  type ParserSink,
  type RawLine,
  type RecordParser,
  type Severity,
} from '../record.ts';
import { splitPairs } from './body-pairs.ts';
import { type EmqxFrame, SEVERITY_OF_LEVEL, splitFrame } from './frame.ts';
import { type Interpretation, interpretPairs, interpretText } from './interpret.ts';
import { hideRawConnect } from './secrets.ts';

interface Draft {
  readonly lineNo: number;
  readonly byteOffset: number;
  readonly frame: EmqxFrame;
  readonly head: string;
  byteLength: number;
  continuations: number;
  body: string;
}

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
    this.next = { byteOffset: line.byteOffset + line.byteLength, lineNo: line.lineNo + 1 };
    const frame = splitFrame(line.text);
    if (frame !== null && frame !== 'bad') this.start(line, frame);
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
      byteLength: line.byteLength,
      continuations: 0,
      body: line.text.slice(frame.bodyAt, frame.bodyAt + MAX_BODY_CHARS),
    };
  }

  private continue(line: RawLine): void {
    const draft = this.pending!;
    draft.byteLength += line.byteLength;
    draft.continuations += 1;
    if (draft.body.length < MAX_BODY_CHARS) draft.body = `${draft.body}\n${line.text}`.slice(0, MAX_BODY_CHARS);
  }

  private refuse(line: RawLine, reason: string): void {
    const { lineNo, byteOffset, byteLength } = line;
    this.sink.unparsed({ lineNo, byteOffset, byteLength, text: line.text.slice(0, MAX_BODY_CHARS), reason });
  }
}

/** `CLIENTID@PEER` or `PEER` before the message; the peer is an address with a port. */
const IDENTITY =
  /^(?:(<<"[^"]*">>|[^\s@][^\n]{0,255}?)@)?((?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\]?):\d{1,5}) (?! *msg: )/;
/** Of a trace line, both parts can be missing: `[PUBLISH] @ msg: publish_to`. */
const TRACE_IDENTITY = /^(|[^\n]{0,512}?)@([^\s@]*)(?: tns: [^\n]{0,128}?)? (?=msg: )/;

interface Identity {
  readonly clientId: string | null;
  readonly peer: string | null;
  readonly length: number;
}

function finish(draft: Draft): LogRecord {
  const { frame } = draft;
  const severity: Severity | undefined = SEVERITY_OF_LEVEL[frame.level];
  const trace = TRACE_IDENTITY.exec(draft.body);
  const identity =
    trace !== null ? identityOf(trace) : identityOf(severity === undefined ? null : IDENTITY.exec(draft.body));
  const body = identity === null ? draft.body : draft.body.slice(identity.length);
  const said = interpretBody(body, trace !== null);
  return {
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
    body: said.event === 'raw_bytes_received' ? hideRawConnect(body) : body,
    attributes: said.attributes,
  };
}

function identityOf(found: RegExpExecArray | null): Identity | null {
  if (found === null) return null;
  const printed = found[1] || null;
  // 4.0–4.2 print the client id as a binary.
  const clientId = printed?.startsWith('<<"') ? printed.slice(3, -3) : printed;
  return { clientId, peer: found[2] || null, length: found[0].length };
}

function interpretBody(body: string, isTrace: boolean): Interpretation {
  const text = body.replace(/[\s,]+$/, '');
  const pairs = splitPairs(text, isTrace);
  if (pairs === null) return interpretText(text, () => undefined);
  const get = (key: string) => pairs.get(key);
  if (pairs.has('msg')) return interpretPairs(get);
  // An OTP report can hold the keys by which a line of the QUIC listener is known.
  const said = interpretText(text, get);
  return said.event === null ? interpretPairs(get) : said;
}
