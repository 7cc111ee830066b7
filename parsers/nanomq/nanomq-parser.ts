/**
 * Lines of a NanoMQ log to records, for both layouts.
 *
 * On the console prefix and message of two threads can mix, because they are written by separate calls without a lock:
 *
 *     PREFIX-A PREFIX-B message of B
 *     message of A
 *
 * A line is therefore cut at every prefix in it. A prefix that another one follows at once still waits for its message and gets
 * the next text that has no prefix of its own. Records behind a waiting one are held back, so that a reader which is interrupted
 * can start again at the first record held and sees what this one saw.
 */
import { type LogRecord, MAX_BODY_CHARS, type ParserSink, type RawLine, type RecordParser } from '../record.ts';
import { type CatalogueMatch, searchCatalogue } from './catalogue-search.ts';
import { CONF_FILE, type ConfSection, confSection, isConfItem, readConfLine } from './conf-dump.ts';
import { type NanomqHeader, splitNanomqHeader } from './header.ts';

const NANOMQ_PRECISION_US = 1_000_000;
/** Records held back at most for a message or a section that is not complete. */
const MAX_HELD_RECORDS = 256;
/** A prefix waits this many records for its message; other threads write a few lines in between, not hundreds. */
const MAX_WAIT_RECORDS = 8;
/** Prefixes in one line; more than two were never seen. */
const MAX_PREFIXES_PER_LINE = 16;

interface Draft {
  readonly lineNo: number;
  readonly byteOffset: number;
  readonly header: NanomqHeader;
  readonly head: string;
  byteLength: number;
  continuations: number;
  body: string;
  waits: boolean; // its message has not come yet
}

export function createNanomqParser(layout: 'nanomq-file' | 'nanomq-console', sink: ParserSink): RecordParser {
  return new NanomqParser(layout === 'nanomq-console', sink);
}

class NanomqParser implements RecordParser {
  private readonly interleaves: boolean;
  private readonly sink: ParserSink;
  private held: Draft[] = [];
  /** Thread that printed the head of a settings section whose items may follow. */
  private sectionThread: string | null = null;
  private next = { byteOffset: 0, lineNo: 1 };

  constructor(interleaves: boolean, sink: ParserSink) {
    this.interleaves = interleaves;
    this.sink = sink;
  }

  line(line: RawLine): void {
    this.next = { byteOffset: line.byteOffset + line.byteLength, lineNo: line.lineNo + 1 };
    const header = splitNanomqHeader(line.text);
    const cuts = this.interleaves ? findCuts(line, header === null ? 0 : header.headLength) : NO_CUTS;
    if (cuts.length === 0) {
      if (header !== null) this.start(line, header, line.byteOffset, line.byteLength, line.text, false);
      else this.continue(line, line.text, line.byteLength);
      return;
    }
    this.interleaved(line, header, cuts);
  }

  resumePoint(): { byteOffset: number; lineNo: number } {
    const first = this.held[0];
    return first === undefined ? this.next : { byteOffset: first.byteOffset, lineNo: first.lineNo };
  }

  settle(): boolean {
    if (!this.mustHold()) this.flush();
    return this.held.length === 0;
  }

  end(): void {
    this.flush();
  }

  private interleaved(line: RawLine, header: NanomqHeader | null, cuts: readonly number[]): void {
    const bounds = [0, ...cuts, line.text.length];
    let offset = line.byteOffset;
    const lineEnd = line.byteOffset + line.byteLength;
    for (let i = 0; i + 1 < bounds.length; i++) {
      const text = line.text.slice(bounds[i]!, bounds[i + 1]!);
      const last = i + 2 === bounds.length;
      const bytes = last ? lineEnd - offset : Buffer.byteLength(text);
      const partHeader = i === 0 ? header : splitNanomqHeader(text);
      if (partHeader === null) this.continue(line, text, bytes, offset);
      else this.start(line, partHeader, offset, bytes, text, !last && partHeader.headLength === text.length);
      offset += bytes;
    }
  }

  private start(
    line: RawLine,
    header: NanomqHeader,
    byteOffset: number,
    byteLength: number,
    text: string,
    waits: boolean,
  ): void {
    const body = text.slice(header.headLength);
    const isConf = header.file === CONF_FILE;
    if (this.sectionThread === header.thread && !(isConf && isConfItem(body))) this.sectionThread = null;
    if (!this.mustHold()) this.flush();
    if (isConf && confSection(body) !== null) this.sectionThread = header.thread;
    this.held.push({
      lineNo: line.lineNo,
      byteOffset,
      header,
      head: text.slice(0, header.headLength),
      byteLength,
      continuations: 0,
      body: body.length > MAX_BODY_CHARS ? body.slice(0, MAX_BODY_CHARS) : body,
      waits,
    });
  }

  private mustHold(): boolean {
    if (this.held.length === 0) return false;
    if (this.held.length >= MAX_HELD_RECORDS) return false;
    if (this.sectionThread !== null) return true;
    for (let i = Math.max(0, this.held.length - MAX_WAIT_RECORDS); i < this.held.length; i++) {
      if (this.held[i]!.waits) return true;
    }
    return false;
  }

  /** Text without a prefix: the message of a prefix that waits, else more of the last record's message. */
  private continue(line: RawLine, text: string, byteLength: number, byteOffset = line.byteOffset): void {
    if (this.held.length === 0) {
      const capped = text.length > MAX_BODY_CHARS ? text.slice(0, MAX_BODY_CHARS) : text;
      this.sink.unparsed({ lineNo: line.lineNo, byteOffset, byteLength, text: capped, reason: 'no-record-start' });
      return;
    }
    const waiting = text === '' ? undefined : this.held.find((draft) => draft.waits);
    const owner = waiting ?? this.held[this.held.length - 1]!;
    owner.byteLength += byteLength;
    owner.continuations += 1;
    if (owner.body.length < MAX_BODY_CHARS) {
      const joined = owner.waits ? text : `${owner.body}\n${text}`;
      owner.body = joined.length > MAX_BODY_CHARS ? joined.slice(0, MAX_BODY_CHARS) : joined;
    }
    if (text !== '') owner.waits = false;
  }

  private flush(): void {
    const drafts = this.held;
    if (drafts.length === 0) return;
    this.held = [];
    this.sectionThread = null;
    let section: ConfSection | null = null;
    let sectionThread = '';
    for (const draft of drafts) {
      if (draft.header.file === CONF_FILE) {
        const opened = confSection(draft.body);
        if (opened !== null) {
          section = opened;
          sectionThread = draft.header.thread;
        }
      }
      const inSection = section !== null && draft.header.thread === sectionThread ? section : null;
      this.sink.record(finish(draft, inSection));
    }
  }
}

function finish(draft: Draft, section: ConfSection | null): LogRecord {
  const { header } = draft;
  const conf = header.file === CONF_FILE ? readConfLine(draft.body, section) : null;
  const match = conf ?? searchCatalogue(header.file, draft.body) ?? searchFirstLine(header.file, draft.body);
  const attributes = match?.attributes ?? null;
  const address = attributes?.address;
  return {
    lineNo: draft.lineNo,
    byteOffset: draft.byteOffset,
    byteLength: draft.byteLength,
    continuations: draft.continuations,
    ts: header.ts,
    tsPrecisionUs: NANOMQ_PRECISION_US,
    severity: header.severity,
    thread: header.thread,
    file: header.file,
    line: header.line,
    func: header.func,
    tag: null,
    clientId: null,
    bridgeId: conf?.bridge ?? (typeof address === 'string' ? address : null),
    peer: null,
    event: match?.event ?? null,
    head: draft.head,
    body: conf?.body ?? draft.body,
    attributes,
  };
}

/** Plain printf output of the process lands behind a record as if it were more of its message. */
function searchFirstLine(file: string, body: string): CatalogueMatch | null {
  const lineEnd = body.indexOf('\n');
  return lineEnd === -1 ? null : searchCatalogue(file, body.slice(0, lineEnd));
}

const NO_CUTS: readonly number[] = [];
const PREFIX =
  /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\d{1,10}\] (?:\x1b\[[\d;]*m)*(?:FATAL|ERROR|WARN|INFO|DEBUG|TRACE)[ \x1b]/g;

/** Where further prefixes start in the line, from `from` on. */
function findCuts(line: RawLine, from: number): readonly number[] {
  PREFIX.lastIndex = from;
  let found = PREFIX.exec(line.text);
  if (found === null || !countsBytes(line)) return NO_CUTS;
  const cuts: number[] = [];
  while (found !== null && cuts.length < MAX_PREFIXES_PER_LINE) {
    if (found.index > 0 && splitNanomqHeader(line.text.slice(found.index)) !== null) cuts.push(found.index);
    found = PREFIX.exec(line.text);
  }
  return cuts;
}

/** A line that is cut short, or held NULs or invalid UTF-8, does not say where in its bytes a character lies: it stays whole. */
function countsBytes(line: RawLine): boolean {
  return line.flags === undefined && !line.text.includes('\ufffd');
}
