/**
 * A record taken apart into what all lines of its kind share (the shape) and what differs from line to line (the slots).
 *
 * Logs of millions of lines have a few hundred shapes. A shape is parsed once, by the grammars; its other lines only fill slots.
 */
import type { Envelope, LogRecord, RecordFlag, Severity } from '../record.ts';
import { textOf } from './ascii.ts';

/** `parts[0] + value(slots[0]) + parts[1] + …`; one part more than slots. A slot is named by its index, `~index` is its length. */
export interface Template {
  readonly parts: readonly string[];
  readonly slots: readonly number[];
}

/** Where a field comes from: always the same text, the slot of that index, or nowhere. */
export type Source = string | number | null;

/** Stamps that a shape can start with; the rest goes the slow way. */
export interface TimeFormat {
  readonly kind: 'calendar' | 'epoch';
  readonly separator: string; // between date and time
  readonly fractionDigits: number; // of a calendar stamp, 0 to 6
}

export interface Shape {
  readonly severity: Severity;
  readonly file: string | null;
  readonly line: number | null;
  readonly func: string | null;
  readonly tag: string | null;
  readonly event: string | null;
  readonly tsPrecisionUs: number;
  /** What to add to the stamp read as UTC: the offset printed behind it. */
  readonly timeShiftUs: number;
  readonly time: TimeFormat | null; // null: the stamp is part of the body
  /** Text before the body behind the stamp, with `{thread}`, `{client}` and `{peer}` where those are printed. */
  readonly head: string;
  readonly body: Template;
  /** Attributes as JSON text. */
  readonly attributes: Template | null;
  readonly thread: Source;
  readonly clientId: Source;
  readonly bridgeId: Source;
  readonly peer: Source;
  /** What is unusual about all its lines; undefined if nothing is. */
  readonly flags: readonly RecordFlag[] | undefined;
  readonly slotCount: number;
  /** Slots whose text becomes a JSON number: only plain decimal numbers will do. */
  readonly decimals: readonly number[];
  /** Slots whose text becomes part of a JSON string: nothing to escape may be in them. */
  readonly quoted: readonly number[];
  /** Slots whose length is used: escapes count as one character. */
  readonly measured: readonly number[];
}

/** One line of a shape. The object is used again for the next record: take from it what is needed at once. */
export interface SlottedRecord {
  lineNo: number;
  byteOffset: number;
  byteLength: number; // with the empty line behind it
  /** An empty line belongs to the record: some messages end in a line end of their own. */
  hasBlank: boolean;
  envelope: Envelope | undefined;
  ts: number;
  shape: Shape;
  /** The line's text lies in `bytes` from `lineFrom` to `lineTo`, that of slot i from `from[i]` to `to[i]`. */
  bytes: Buffer;
  lineFrom: number;
  lineTo: number;
  from: Int32Array;
  to: Int32Array;
  /** Characters that slot i stands for: its own, but for escapes and what was cut off. */
  lengths: Int32Array;
}

export function slotText(record: SlottedRecord, slot: number): string {
  return textOf(record.bytes, record.from[slot]!, record.to[slot]!);
}

export function sourceText(record: SlottedRecord, source: Source): string | null {
  return typeof source === 'number' ? slotText(record, source) : source;
}

export function fill(template: Template, value: (slot: number) => string): string {
  let text = template.parts[0]!;
  for (let i = 0; i < template.slots.length; i++) text += value(template.slots[i]!) + template.parts[i + 1]!;
  return text;
}

/** The record that the grammars would have made of the line. */
export function toLogRecord(slotted: SlottedRecord): LogRecord {
  const { bytes, shape, hasBlank } = slotted;
  const value = (slot: number): string => (slot >= 0 ? slotText(slotted, slot) : String(slotted.lengths[~slot]!));
  const body = fill(shape.body, value);
  return {
    lineNo: slotted.lineNo,
    byteOffset: slotted.byteOffset,
    byteLength: slotted.byteLength,
    continuations: hasBlank ? 1 : 0,
    ts: slotted.ts,
    tsPrecisionUs: shape.tsPrecisionUs,
    severity: shape.severity,
    thread: sourceText(slotted, shape.thread),
    file: shape.file,
    line: shape.line,
    func: shape.func,
    tag: shape.tag,
    clientId: sourceText(slotted, shape.clientId),
    bridgeId: sourceText(slotted, shape.bridgeId),
    peer: sourceText(slotted, shape.peer),
    event: shape.event,
    head: textOf(bytes, slotted.lineFrom, slotted.lineTo - body.length),
    body: hasBlank ? `${body}\n` : body,
    attributes: shape.attributes === null ? null : JSON.parse(fill(shape.attributes, value)),
    ...(shape.flags === undefined ? {} : { flags: shape.flags }),
  };
}
