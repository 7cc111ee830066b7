/**
 * Lines of a NanoMQ log to records, for the layouts with a header.
 *
 * On the console prefix and message of two threads can mix, because they are written by separate calls without a lock:
 *
 *     PREFIX-A PREFIX-B message of B      PREFIX-A PREFIX-B message of A      PREFIX-A PREFIX-B message of A message of B
 *     message of A                        message of B
 *
 * A line is therefore cut at every prefix in it. A prefix without a message waits for it; the catalogue tells which of the
 * waiting prefixes a text suits, or how a text is two messages in one. Records behind a waiting one are held back, and the
 * records of one line stay together, so that a reader which is interrupted can start again at the first record held and sees
 * what this one saw.
 */
import { positionAfter } from '../input/line-splitter.ts';
import {
  type Envelope,
  type LogRecord,
  MAX_BODY_CHARS,
  type ParserSink,
  type RawLine,
  type RecordFlag,
  type RecordParser,
} from '../record.ts';
import { type CatalogueMatch, searchCatalogue, searchStdout } from './catalogue-search.ts';
import { CONF_FILE, type ConfSection, confSection, isConfItem, readConfLine } from './conf-dump.ts';
import { type NanomqHeader, splitNanomqHeader } from './header.ts';
import { bestOwner, splitMessage } from './interleave.ts';

const NANOMQ_PRECISION_US = 1_000_000;
/** Records held back at most for a message or a section that is not complete. */
const MAX_HELD_RECORDS = 256;
/** A prefix waits this many records for its message; 15 were seen. */
const MAX_WAIT_RECORDS = 32;
/** Prefixes of one line that are looked at together; more than three were never seen. What follows is read as a line of its own. */
const MAX_PREFIXES_PER_LINE = 16;
const INTERLEAVED: readonly RecordFlag[] = ['interleaved'];

interface Draft {
  readonly lineNo: number;
  readonly byteOffset: number;
  /** Null: a line of stdout that has none. */
  readonly header: NanomqHeader | null;
  readonly head: string;
  readonly envelope: Envelope | undefined;
  byteLength: number;
  continuations: number;
  body: string;
  waits: boolean; // its message has not come yet
  flags: readonly RecordFlag[];
}

/** A stretch of a line. */
interface Piece {
  readonly line: RawLine;
  readonly text: string;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export function createNanomqParser(layout: 'nanomq-file' | 'nanomq-console', sink: ParserSink): RecordParser {
  return new NanomqParser(layout === 'nanomq-console', sink);
}

class NanomqParser implements RecordParser {
  private readonly interleaves: boolean;
  private readonly sink: ParserSink;
  private held: Draft[] = [];
  /** How many of the held records wait for their message. */
  private waiting = 0;
  /** Thread that printed the head of a settings section whose items may follow. */
  private sectionThread: string | null = null;
  private next = { byteOffset: 0, lineNo: 1 };

  constructor(interleaves: boolean, sink: ParserSink) {
    this.interleaves = interleaves;
    this.sink = sink;
  }

  line(line: RawLine): void {
    this.next = positionAfter(line);
    this.read({ line, text: line.text, byteOffset: line.byteOffset, byteLength: line.byteLength });
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

  private read(piece: Piece): void {
    const header = splitNanomqHeader(piece.text);
    const cuts = this.interleaves ? findCuts(piece, header === null ? 0 : header.headLength) : NO_CUTS;
    if (cuts.length > 0) this.readInterleaved(piece, header, cuts);
    else if (header === null) this.continue(piece, NO_FLAGS);
    else this.start(piece, header, true, NO_FLAGS);
  }

  private readInterleaved(piece: Piece, header: NanomqHeader | null, cuts: readonly number[]): void {
    const bounds = [0, ...cuts, piece.text.length];
    let offset = piece.byteOffset;
    const lineEnd = piece.byteOffset + piece.byteLength;
    for (let i = 0; i + 1 < bounds.length; i++) {
      if (i === MAX_PREFIXES_PER_LINE) {
        // A reader that resumes in this line must cut it at the same places: it can only do so where nothing is held.
        this.flush();
        this.readRest(piece, bounds[i]!, offset);
        return;
      }
      const text = piece.text.slice(bounds[i]!, bounds[i + 1]!);
      const byteLength = i + 2 === bounds.length ? lineEnd - offset : Buffer.byteLength(text);
      const part: Piece = { line: piece.line, text, byteOffset: offset, byteLength };
      const partHeader = i === 0 ? header : splitNanomqHeader(text);
      offset += byteLength;
      if (partHeader !== null) {
        this.start(part, partHeader, i === 0, INTERLEAVED);
        continue;
      }
      this.continue(part, INTERLEAVED);
      if (this.held.length > 0) continue;
      // Nobody owns this text: a reader that resumes starts behind it, and must see the rest as this one does.
      this.readRest(piece, bounds[1]!, offset);
      return;
    }
  }

  private readRest(piece: Piece, from: number, byteOffset: number): void {
    const byteLength = piece.byteOffset + piece.byteLength - byteOffset;
    this.read({ line: piece.line, text: piece.text.slice(from), byteOffset, byteLength });
  }

  private start(piece: Piece, header: NanomqHeader, isFirst: boolean, flags: readonly RecordFlag[]): void {
    const body = piece.text.slice(header.headLength);
    const isConf = header.file === CONF_FILE;
    // An empty message can be an item that the end of the file cut off: its section must be read again with it.
    const mayBeItem = isConf && (body === '' || isConfItem(body));
    if (this.sectionThread === header.thread && !mayBeItem) this.sectionThread = null;
    if (isFirst && !this.mustHold()) this.flush();
    if (isConf && confSection(body) !== null) this.sectionThread = header.thread;
    const draft = this.push(piece, header, piece.text.slice(0, header.headLength), body, flags);
    if (!this.interleaves) return;
    if (body !== '') {
      if (this.waiting > 0) this.repair(draft, piece);
    } else if (searchCatalogue(header.file, '') === null) {
      draft.waits = true;
      this.waiting += 1;
    }
  }

  private push(
    piece: Piece,
    header: NanomqHeader | null,
    head: string,
    body: string,
    flags: readonly RecordFlag[],
  ): Draft {
    const draft: Draft = {
      lineNo: piece.line.lineNo,
      byteOffset: piece.byteOffset,
      header,
      head,
      envelope: piece.line.envelope,
      byteLength: piece.byteLength,
      continuations: 0,
      body: capped(body),
      waits: false,
      flags: joinFlags(flags, lineFlags(piece.line)),
    };
    this.held.push(draft);
    return draft;
  }

  private mustHold(): boolean {
    if (this.held.length === 0) return false;
    if (this.held.length >= MAX_HELD_RECORDS) return false;
    if (this.sectionThread !== null) return true;
    if (this.waiting === 0) return false;
    for (let i = Math.max(0, this.held.length - MAX_WAIT_RECORDS); i < this.held.length; i++) {
      if (this.held[i]!.waits) return true;
    }
    return false;
  }

  /** Other prefixes wait: is the message behind the newest one theirs, or two in one? */
  private repair(draft: Draft, piece: Piece): void {
    const others = this.held.filter((one) => one.waits);
    const owner = bestOwner([draft, ...others], draft.body);
    if (owner === draft) return;
    const text = draft.body;
    const messageBytes = piece.byteLength - Buffer.byteLength(draft.head);
    if (owner !== null) {
      draft.body = '';
      draft.byteLength -= messageBytes;
      draft.waits = true;
      this.waiting += 1;
      this.give(owner, { ...piece, text, byteLength: messageBytes });
      return;
    }
    const split = splitMessage([draft, ...others], text);
    if (split === null || (split.first !== draft && split.second !== draft)) return;
    const own = split.first === draft ? text.slice(0, split.at) : text.slice(split.at);
    const other = split.first === draft ? text.slice(split.at) : text.slice(0, split.at);
    const otherBytes = split.first === draft ? messageBytes - Buffer.byteLength(own) : Buffer.byteLength(other);
    draft.body = own;
    draft.byteLength -= otherBytes;
    this.give(split.first === draft ? split.second : split.first, { ...piece, text: other, byteLength: otherBytes });
  }

  /** A waiting prefix gets its message. */
  private give(draft: Draft, piece: Piece): void {
    draft.byteLength += piece.byteLength;
    if (piece.line.lineNo !== draft.lineNo) draft.continuations += 1;
    draft.body = capped(piece.text);
    draft.waits = false;
    draft.flags = joinFlags(draft.flags, joinFlags(INTERLEAVED, lineFlags(piece.line)));
    this.waiting -= 1;
  }

  /** Text without a prefix: the message of a prefix that waits, a line of stdout, or more of the last record's message. */
  private continue(piece: Piece, flags: readonly RecordFlag[]): void {
    if (this.interleaves && piece.text.trim() !== '' && this.claim(piece, flags)) return;
    const owner = this.held[this.held.length - 1];
    if (owner === undefined) {
      const { line, byteOffset, byteLength } = piece;
      const text = capped(piece.text);
      this.sink.unparsed({ lineNo: line.lineNo, byteOffset, byteLength, text, reason: 'no-record-start' });
      return;
    }
    owner.byteLength += piece.byteLength;
    owner.continuations += 1;
    owner.flags = joinFlags(owner.flags, joinFlags(flags, lineFlags(piece.line)));
    if (owner.body.length >= MAX_BODY_CHARS) return;
    owner.body = owner.waits ? capped(piece.text) : capped(`${owner.body}\n${piece.text}`);
  }

  /** Whether the text is somebody's message rather than more of the last one. */
  private claim(piece: Piece, flags: readonly RecordFlag[]): boolean {
    const waiting = this.waiting === 0 ? NO_DRAFTS : this.held.filter((draft) => draft.waits);
    const owner = bestOwner(waiting, piece.text);
    if (owner !== null) {
      this.give(owner, piece);
      return true;
    }
    const split = waiting.length < 2 ? null : splitMessage(waiting, piece.text);
    if (split !== null) {
      const text = piece.text.slice(0, split.at);
      const byteLength = Buffer.byteLength(text);
      this.give(split.first, { ...piece, text, byteLength });
      this.give(split.second, {
        ...piece,
        text: piece.text.slice(split.at),
        byteLength: piece.byteLength - byteLength,
      });
      return true;
    }
    const last = this.held[this.held.length - 1];
    if (searchStdout(piece.text) !== null && (last === undefined || isComplete(last))) {
      if (!this.mustHold()) this.flush();
      this.push(piece, null, '', piece.text, flags);
      return true;
    }
    if (waiting.length === 0) return false;
    this.give(waiting[0]!, piece);
    return true;
  }

  private flush(): void {
    const drafts = this.held;
    if (drafts.length === 0) return;
    this.held = [];
    this.waiting = 0;
    this.sectionThread = null;
    let section: ConfSection | null = null;
    let sectionThread = '';
    for (const draft of drafts) {
      if (draft.header?.file === CONF_FILE) {
        const opened = confSection(draft.body);
        if (opened !== null) {
          section = opened;
          sectionThread = draft.header.thread;
        }
      }
      const inSection = section !== null && draft.header?.thread === sectionThread ? section : null;
      this.sink.record(finish(draft, inSection));
    }
  }
}

function finish(draft: Draft, section: ConfSection | null): LogRecord {
  const { header } = draft;
  const conf = header !== null && header.file === CONF_FILE ? readConfLine(draft.body, section) : null;
  const match = conf ?? searchMessage(header, draft.body);
  const attributes = match?.attributes ?? null;
  const address = attributes?.address;
  const record: LogRecord = {
    lineNo: draft.lineNo,
    byteOffset: draft.byteOffset,
    byteLength: draft.byteLength,
    continuations: draft.continuations,
    ts: header === null ? null : header.ts,
    tsPrecisionUs: NANOMQ_PRECISION_US,
    severity: header === null ? 'info' : header.severity,
    thread: header === null ? null : header.thread,
    file: header === null ? null : header.file,
    line: header === null ? null : header.line,
    func: header === null ? null : header.func,
    tag: null,
    clientId: null,
    bridgeId: conf?.bridge ?? (typeof address === 'string' ? address : null),
    peer: null,
    event: match?.event ?? null,
    head: draft.head,
    body: conf?.body ?? draft.body,
    attributes,
  };
  if (draft.flags.length === 0 && draft.envelope === undefined) return record;
  return {
    ...record,
    ...(draft.flags.length === 0 ? {} : { flags: draft.flags }),
    ...(draft.envelope === undefined ? {} : { envelope: draft.envelope }),
  };
}

/** Plain printf output of the process lands behind a record as if it were more of its message: then the first line counts. */
function searchMessage(header: NanomqHeader | null, body: string): CatalogueMatch | null {
  const search = (message: string) => (header === null ? searchStdout(message) : searchCatalogue(header.file, message));
  const whole = search(body);
  if (whole !== null) return whole;
  const lineEnd = body.indexOf('\n');
  return lineEnd === -1 ? null : search(body.slice(0, lineEnd));
}

/** Whether nothing is missing from the record's message, so that text behind it is not more of it. */
function isComplete(draft: Draft): boolean {
  if (draft.waits) return false;
  if (draft.header === null) return true;
  if (draft.header.file === CONF_FILE) return true; // the dump has no statement of two lines
  return searchCatalogue(draft.header.file, draft.body) !== null;
}

const NO_CUTS: readonly number[] = [];
const NO_FLAGS: readonly RecordFlag[] = [];
const NO_DRAFTS: readonly Draft[] = [];
const PREFIX =
  /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\d{1,10}\] (?:\x1b\[[\d;]*m)*(?:FATAL|ERROR|WARN|INFO|DEBUG|TRACE)[ \x1b]/g;

/** Where further prefixes start in the text, from `from` on. */
function findCuts(piece: Piece, from: number): readonly number[] {
  const { text } = piece;
  PREFIX.lastIndex = from;
  let found = PREFIX.exec(text);
  if (found === null || !countsBytes(piece)) return NO_CUTS;
  const cuts: number[] = [];
  while (found !== null && cuts.length < MAX_PREFIXES_PER_LINE) {
    if (found.index > 0 && splitNanomqHeader(text.slice(found.index)) !== null) cuts.push(found.index);
    found = PREFIX.exec(text);
  }
  return cuts;
}

/** A line that is cut short, or held NULs or invalid UTF-8, does not say where in its bytes a character lies: it stays whole. */
function countsBytes(piece: Piece): boolean {
  return piece.line.flags === undefined && !piece.line.text.includes('\ufffd');
}

function lineFlags(line: RawLine): readonly RecordFlag[] {
  return line.flags ?? NO_FLAGS;
}

function joinFlags(a: readonly RecordFlag[], b: readonly RecordFlag[]): readonly RecordFlag[] {
  if (b.length === 0) return a;
  return a.length === 0 ? b : [...new Set([...a, ...b])];
}

function capped(text: string): string {
  return text.length > MAX_BODY_CHARS ? text.slice(0, MAX_BODY_CHARS) : text;
}
