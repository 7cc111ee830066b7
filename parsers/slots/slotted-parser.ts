/**
 * A parser in front of a layout's own: lines of a known shape are taken apart and handed on as slots, everything else goes to the
 * layout's parser. Both give the same records (test/property holds them against each other).
 */
import { positionAfter } from '../input/line-splitter.ts';
import type { LogRecord, ParserSink, RawLine, RecordParser } from '../record.ts';
import { type LineTime, newLineTime, readLineTime } from './line-time.ts';
import { Mask, type MaskStyle, NUMBER, TIME } from './mask.ts';
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

/** Longer lines are rare, and their bodies are cut. */
const MAX_LINE_CHARS = 16_384;

const MAX_THREAD_DIGITS = 10;
const MAX_OFFSET_CHARS = ' +01:00:00'.length;

/** A line of a known shape whose continuation lines might follow. */
interface Pending {
  line: RawLine;
  blank: RawLine | null;
  ts: number;
  shape: Shape;
  mask: Mask;
}

class SlottedParser implements RecordParser {
  private readonly layout: SlottedLayout;
  private readonly sink: SlottedSink;
  private readonly slow: RecordParser;
  private readonly memo: ShapeMemo;
  private readonly time: LineTime = newLineTime();
  private readonly out: SlottedRecord;
  /** One mask is filled from the new line while the other still holds the pending one. */
  private spare = new Mask();
  private pending: Pending | null = null;
  private readonly held: Pending;
  /** The layout's parser holds something. */
  private slowHolds = false;
  private next = { byteOffset: 0, lineNo: 1 };

  constructor(name: string, layout: SlottedLayout, sink: SlottedSink) {
    this.layout = layout;
    this.sink = sink;
    this.slow = layout.create(sink);
    const known = sink.shapes?.get(name);
    this.memo = known ?? new ShapeMemo((text) => parseAlone(layout, text));
    if (known === undefined) sink.shapes?.set(name, this.memo);
    const line = { lineNo: 0, byteOffset: 0, byteLength: 0, text: '' };
    const shape = null as unknown as Shape;
    this.held = { line, blank: null, ts: 0, shape, mask: new Mask() };
    this.out = { line, blank: null, ts: 0, shape, from: this.held.mask.from, to: this.held.mask.to };
  }

  line(line: RawLine): void {
    if (line.text === '' && line.flags === undefined && this.takesBlank()) {
      this.pending!.blank = line;
      return;
    }
    const shape = line.flags === undefined && line.text.length <= MAX_LINE_CHARS ? this.look(line.text) : null;
    if (shape === null && !this.layout.startsRecord(line.text)) {
      this.giveUpPending();
      this.toSlow(line);
      return;
    }
    if (this.pending !== null) this.emitPending();
    else if (this.slowHolds && !this.slow.settle()) {
      this.toSlow(line);
      return;
    }
    this.slowHolds = false;
    if (shape === null) {
      this.toSlow(line);
      return;
    }
    const { held } = this;
    const mask = held.mask;
    held.line = line;
    held.blank = null;
    held.ts = this.time.us + shape.timeShiftUs;
    held.shape = shape;
    held.mask = this.spare;
    this.spare = mask;
    this.pending = held;
  }

  resumePoint(): { byteOffset: number; lineNo: number } {
    if (this.pending !== null) return { byteOffset: this.pending.line.byteOffset, lineNo: this.pending.line.lineNo };
    return this.slowHolds ? this.slow.resumePoint() : this.next;
  }

  settle(): boolean {
    if (this.pending !== null) {
      this.next = positionAfter(this.pending.blank ?? this.pending.line);
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

  /** In JSON logs an empty line adds nothing to the record's text, which shapes cannot tell. */
  private takesBlank(): boolean {
    return this.pending !== null && this.pending.blank === null && this.layout.style !== 'json';
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
    this.toSlow(pending.line);
    if (pending.blank !== null) this.toSlow(pending.blank);
  }

  private emitPending(): void {
    const pending = this.pending!;
    const { out } = this;
    out.line = pending.line;
    out.blank = pending.blank;
    out.ts = pending.ts;
    out.shape = pending.shape;
    out.from = pending.mask.from;
    out.to = pending.mask.to;
    this.pending = null;
    this.sink.slotted(out);
  }

  private look(text: string): Shape | null {
    const { spare: mask, time } = this;
    if (this.layout.style === 'json') return this.lookJson(text);
    if (!readLineTime(text, time)) return null;
    const from = time.length;
    mask.reset();
    if (this.layout.style === 'nanomq') {
      // ` [THREAD] LEVEL file:line: ` stays literal but for the thread.
      const close = text.indexOf(']', from);
      const bodyAt = text.indexOf(': ', close);
      if (bodyAt === -1 || text.charCodeAt(from) !== 0x20 || text.charCodeAt(from + 1) !== 0x5b) return null;
      if (!isThread(text, from + 2, close)) return null;
      mask.addSlot(from + 2, close, NUMBER);
      if (!mask.scan(text, close, bodyAt + 2, 'nanomq', from)) return null;
    } else {
      const bodyAt = text.indexOf('] ', from);
      // A collector's stamp may stand before EMQX's own: then it is not the record's time.
      if (bodyAt === -1 || text.indexOf(' [', from) > from + MAX_OFFSET_CHARS) return null;
      if (!mask.scan(text, from, bodyAt + 2, 'emqx', from)) return null;
    }
    return this.memo.find(mask, text, time);
  }

  /** `{"time":STAMP,…` or `{"time":"STAMP…` */
  private lookJson(text: string): Shape | null {
    const { spare: mask, time } = this;
    if (!text.startsWith('{"time":')) return null;
    const at = text.charCodeAt(8) === 0x22 ? 9 : 8;
    // JSON has no numbers that start with a zero.
    if (at === 8 && text.charCodeAt(at) === 0x30) return null;
    if (!readLineTime(text.slice(at, at + MAX_STAMP_CHARS), time)) return null;
    const end = at + time.length;
    mask.reset();
    mask.addSlot(at, end, TIME);
    return mask.scan(text, end, end, 'json', at) ? this.memo.find(mask, text, time) : null;
  }
}

/** Longer than any stamp. */
const MAX_STAMP_CHARS = 32;

/** The thread as a header can have it: with more digits, or anything else, the line starts no record. */
function isThread(text: string, from: number, to: number): boolean {
  if (to <= from || to - from > MAX_THREAD_DIGITS) return false;
  for (let i = from; i < to; i++) if (text.charCodeAt(i) < 0x30 || text.charCodeAt(i) > 0x39) return false;
  return true;
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
