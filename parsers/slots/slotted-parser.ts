/**
 * A parser in front of a layout's own: lines of a known shape are taken apart and handed on as slots, everything else goes to the
 * layout's parser. Both give the same records (test/property holds them against each other).
 *
 * Lines come as bytes where they lie (`take`) or as text (`line`). A taken line costs no string; it stays in the reader's bytes
 * until the next line shows that it was a record of its own.
 */
import { positionAfter } from '../input/line-splitter.ts';
import type { LogRecord, ParserSink, RawLine, RecordParser } from '../record.ts';
import { isDigit, LF, startsWith, textOf } from './ascii.ts';
import { LineTime } from './line-time.ts';
import { MAX_LINE_BYTES, Mask, type MaskStyle, NUMBER, TIME } from './mask.ts';
import type { Shape, SlottedRecord } from './shape.ts';
import { ShapeMemo, type ShapeStore } from './shape-memo.ts';

export interface SlottedLayout {
  readonly style: MaskStyle;
  /** A parser of the layout that knows nothing of shapes. */
  readonly create: (sink: ParserSink) => RecordParser;
  /** Whether the layout's parser starts a record at the line. */
  readonly startsRecord: (text: string) => boolean;
  /** Source files whose lines mean something else in the company of others. */
  readonly contextual: readonly string[];
}

export interface SlottedSink extends ParserSink {
  /** The object is valid only until the call returns. */
  slotted(record: SlottedRecord): void;
  /** Shapes learned so far; without it the parser starts knowing none. */
  readonly shapes?: ShapeStore | undefined;
}

export function createSlottedParser(name: string, layout: SlottedLayout, sink: SlottedSink): RecordParser {
  return new SlottedParser(name, layout, sink);
}

const MAX_THREAD_DIGITS = 10;
const MAX_OFFSET_CHARS = ' +01:00:00'.length;
const SPACE = 0x20;
const QUOTE = 0x22;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_SQUARE = 0x5b;
const CLOSE_SQUARE = 0x5d;
const JSON_START = Buffer.from('{"time":');

/** A line of a known shape whose continuation lines might follow. */
interface Pending extends SlottedRecord {
  mask: Mask;
  /** The line, if it came as text. */
  line: RawLine | null;
}

class SlottedParser implements RecordParser {
  private readonly layout: SlottedLayout;
  private readonly sink: SlottedSink;
  private readonly slow: RecordParser;
  private readonly memo: ShapeMemo;
  private readonly time = new LineTime();
  /** One mask is filled from the new line while the other still holds the pending one. */
  private spare = new Mask();
  private pending: Pending | null = null;
  private readonly held: Pending;
  /** The layout's parser holds something. */
  private slowHolds = false;
  private next = { byteOffset: 0, lineNo: 1 };
  /** Offset of the last line that was no known shape as it stood in the file. */
  private missedOffset = -1;

  constructor(name: string, layout: SlottedLayout, sink: SlottedSink) {
    this.layout = layout;
    this.sink = sink;
    this.slow = layout.create(sink);
    const known = sink.shapes?.get(name);
    this.memo = known ?? new ShapeMemo((text) => parseAlone(layout, text));
    if (known === undefined) sink.shapes?.set(name, this.memo);
    const mask = new Mask();
    const { own: bytes, from, to, lengths } = mask;
    const place = { lineNo: 0, byteOffset: 0, byteLength: 0, lineFrom: 0, lineTo: 0, ts: 0 };
    const shape = null as unknown as Shape;
    this.held = { ...place, shape, bytes, from, to, lengths, mask, hasBlank: false, envelope: undefined, line: null };
  }

  take(bytes: Buffer, from: number, byteOffset: number, lineNo: number): number {
    if (bytes[from] === LF) return this.takesBlank() ? this.addBlank(1) : 0;
    const shape = this.look(bytes, from);
    if (shape === null) {
      this.missedOffset = byteOffset;
      return 0;
    }
    if (!this.makeWay()) return 0;
    const byteLength = this.spare.end + 1 - from;
    this.hold(shape, bytes, from, byteOffset, lineNo, byteLength);
    this.held.envelope = undefined;
    this.held.line = null;
    return byteLength;
  }

  keep(): void {
    const { pending } = this;
    if (pending === null || pending.bytes === pending.mask.own) return;
    const { mask, lineFrom } = pending;
    pending.bytes.copy(mask.own, 0, lineFrom, pending.lineTo);
    for (let i = 0; i < mask.count; i++) {
      mask.from[i]! -= lineFrom;
      mask.to[i]! -= lineFrom;
    }
    pending.bytes = mask.own;
    pending.lineTo -= lineFrom;
    pending.lineFrom = 0;
  }

  line(line: RawLine): void {
    if (line.text === '' && line.flags === undefined && this.takesBlank()) {
      this.addBlank(line.byteLength);
      return;
    }
    const shape = this.isMissed(line) ? null : this.lookAtText(line);
    if (shape === null && !this.layout.startsRecord(line.text)) {
      this.giveUpPending();
      this.toSlow(line);
      return;
    }
    if (!this.makeWay() || shape === null) {
      this.toSlow(line);
      return;
    }
    this.hold(shape, this.spare.own, 0, line.byteOffset, line.lineNo, line.byteLength);
    this.held.envelope = line.envelope;
    this.held.line = line;
  }

  resumePoint(): { byteOffset: number; lineNo: number } {
    if (this.pending !== null) return { byteOffset: this.pending.byteOffset, lineNo: this.pending.lineNo };
    return this.slowHolds ? this.slow.resumePoint() : this.next;
  }

  settle(): boolean {
    if (this.pending !== null) {
      this.next = behind(this.pending);
      this.emitPending();
    }
    if (this.slowHolds && this.slow.settle()) this.slowHolds = false;
    return !this.slowHolds;
  }

  end(): void {
    this.settle();
    this.slow.end();
    this.slowHolds = false;
  }

  /** Hands on what is complete now that a record starts. False if the layout's parser must see that record. */
  private makeWay(): boolean {
    if (this.pending !== null) this.emitPending();
    else if (this.slowHolds && !this.slow.settle()) return false;
    this.slowHolds = false;
    return true;
  }

  private hold(
    shape: Shape,
    bytes: Buffer,
    lineFrom: number,
    byteOffset: number,
    lineNo: number,
    byteLength: number,
  ): void {
    const { held, spare } = this;
    held.bytes = bytes;
    held.lineFrom = lineFrom;
    held.lineTo = spare.end;
    held.byteOffset = byteOffset;
    held.lineNo = lineNo;
    held.byteLength = byteLength;
    held.hasBlank = false;
    held.ts = this.time.us + shape.timeShiftUs;
    held.shape = shape;
    held.from = spare.from;
    held.to = spare.to;
    held.lengths = spare.lengths;
    this.spare = held.mask;
    held.mask = spare;
    this.pending = held;
  }

  /** In JSON logs an empty line adds nothing to the record's text, which shapes cannot tell. */
  private takesBlank(): boolean {
    return this.pending !== null && !this.pending.hasBlank && this.layout.style !== 'json';
  }

  private addBlank(byteLength: number): number {
    this.held.hasBlank = true;
    this.held.byteLength += byteLength;
    return byteLength;
  }

  private toSlow(line: RawLine): void {
    this.next = positionAfter(line);
    this.slow.line(line);
    this.slowHolds = true;
  }

  /** The pending line turned out to be the first of several. */
  private giveUpPending(): void {
    const { pending } = this;
    this.pending = null;
    if (pending === null) return;
    const line = pending.line ?? asText(pending);
    this.toSlow(line);
    if (!pending.hasBlank) return;
    const byteOffset = line.byteOffset + line.byteLength;
    const byteLength = pending.byteLength - line.byteLength;
    this.toSlow({ lineNo: line.lineNo + 1, byteOffset, byteLength, text: '' });
  }

  private emitPending(): void {
    this.pending = null;
    this.sink.slotted(this.held);
  }

  /** `take` saw the very same text. */
  private isMissed({ byteOffset, byteLength, text }: RawLine): boolean {
    return byteOffset === this.missedOffset && text.length === byteLength - 1;
  }

  private lookAtText({ text, flags }: RawLine): Shape | null {
    if (flags !== undefined || text.length >= MAX_LINE_BYTES) return null;
    const { own } = this.spare;
    // Text that is longer in UTF-8 is not ASCII. A line feed can be inside of what a collector kept whole.
    if (own.write(text) !== text.length || text.includes('\n')) return null;
    own[text.length] = LF;
    return this.look(own, 0);
  }

  private look(bytes: Buffer, from: number): Shape | null {
    const { spare: mask, time, layout } = this;
    let masked: boolean;
    if (layout.style === 'json') masked = this.maskJson(bytes, from);
    else if (!time.read(bytes, from)) return null;
    else if (layout.style === 'nanomq') masked = this.maskNanomq(bytes, from + time.length);
    else masked = this.maskEmqx(bytes, from + time.length);
    if (!masked || mask.end - from >= MAX_LINE_BYTES) return null;
    return this.memo.find(mask, bytes, from, time);
  }

  /** ` [THREAD] LEVEL file:line: ` stays literal but for the thread. */
  private maskNanomq(bytes: Buffer, from: number): boolean {
    const { spare: mask } = this;
    if (bytes[from] !== SPACE || bytes[from + 1] !== OPEN_SQUARE) return false;
    let close = from + 2;
    while (isDigit(bytes[close]!)) close += 1;
    // With more digits, or anything else, the line starts no record.
    if (close === from + 2 || close - from - 2 > MAX_THREAD_DIGITS || bytes[close] !== CLOSE_SQUARE) return false;
    mask.begin(this.time.length);
    mask.addSlot(bytes, from + 2, close, NUMBER);
    const bodyAt = mask.header(bytes, close, COLON);
    return bodyAt !== -1 && mask.message(bytes, bodyAt, 'nanomq');
  }

  /** ` [LEVEL] ` or ` [TAG] `, behind an offset */
  private maskEmqx(bytes: Buffer, from: number): boolean {
    const { spare: mask } = this;
    // A collector's stamp may stand before EMQX's own: then it is not the record's time.
    let open = from;
    while (bytes[open] !== LF && (bytes[open] !== SPACE || bytes[open + 1] !== OPEN_SQUARE)) open += 1;
    if (open > from + MAX_OFFSET_CHARS) return false;
    mask.begin(this.time.length);
    const bodyAt = mask.header(bytes, from, CLOSE_SQUARE);
    return bodyAt !== -1 && mask.message(bytes, bodyAt, 'emqx');
  }

  /** `{"time":STAMP,…` or `{"time":"STAMP…` */
  private maskJson(bytes: Buffer, from: number): boolean {
    const { spare: mask, time } = this;
    if (!startsWith(bytes, from, JSON_START)) return false;
    const first = from + JSON_START.length;
    const at = bytes[first] === QUOTE ? first + 1 : first;
    // JSON has no numbers that start with a zero.
    if ((at === first && bytes[at] === ZERO) || !time.read(bytes, at)) return false;
    mask.begin(at - from);
    mask.addSlot(bytes, at, at + time.length, TIME);
    return mask.message(bytes, at + time.length, 'json');
  }
}

function behind({ byteOffset, byteLength, lineNo, hasBlank }: Pending): { byteOffset: number; lineNo: number } {
  return { byteOffset: byteOffset + byteLength, lineNo: lineNo + (hasBlank ? 2 : 1) };
}

/** The line of the record, without the empty one behind it. */
function asText({ bytes, lineFrom, lineTo, lineNo, byteOffset }: Pending): RawLine {
  return { lineNo, byteOffset, byteLength: lineTo + 1 - lineFrom, text: textOf(bytes, lineFrom, lineTo) };
}

/** The record that the layout's parser makes of the line alone, null if it makes anything but one record. */
function parseAlone(layout: SlottedLayout, text: string): LogRecord | null {
  let only: LogRecord | null = null;
  let parts = 0;
  const parser = layout.create({
    record(record) {
      only = record;
      parts += 1;
    },
    unparsed() {
      parts += 1;
    },
  });
  parser.line({ lineNo: 1, byteOffset: 0, byteLength: text.length + 1, text });
  const settled = parser.settle();
  parser.end();
  const record = only as LogRecord | null;
  const alone = settled && parts === 1 && record !== null;
  return alone && !layout.contextual.includes(record.file ?? '') ? record : null;
}
