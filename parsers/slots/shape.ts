/**
 * A record taken apart into what all lines of its kind share (the shape) and what differs from line to line (the slots).
 *
 * Logs of millions of lines have a few hundred shapes. A shape is parsed once, by the grammars; its other lines only fill slots.
 */
import type { LogRecord, RawLine, Severity } from '../record.ts';

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
  line: RawLine;
  /** An empty line that belongs to the record: some messages end in a line end of their own. */
  blank: RawLine | null;
  ts: number;
  shape: Shape;
  /** Bounds of slot i in the line's text: `from[i]` to `to[i]`. */
  from: Int32Array;
  to: Int32Array;
}

export function slotText(record: SlottedRecord, slot: number): string {
  return record.line.text.slice(record.from[slot], record.to[slot]);
}

export function sourceText(record: SlottedRecord, source: Source): string | null {
  return typeof source === 'number' ? slotText(record, source) : source;
}

/** Characters that a slot stands for: an escaped quote or backslash is one. */
export function slotLength(text: string, from: number, to: number): number {
  let length = 0;
  for (let i = from; i < to; i++) {
    if (text.charCodeAt(i) === 0x5c) i += 1;
    length += 1;
  }
  return length;
}

export function fill(template: Template, value: (slot: number) => string): string {
  let text = template.parts[0]!;
  for (let i = 0; i < template.slots.length; i++) text += value(template.slots[i]!) + template.parts[i + 1]!;
  return text;
}

/** The record that the grammars would have made of the line. */
export function toLogRecord(slotted: SlottedRecord): LogRecord {
  const { line, blank, shape } = slotted;
  const value = (slot: number): string =>
    slot >= 0 ? slotText(slotted, slot) : String(slotLength(line.text, slotted.from[~slot]!, slotted.to[~slot]!));
  const body = fill(shape.body, value);
  return {
    lineNo: line.lineNo,
    byteOffset: line.byteOffset,
    byteLength: line.byteLength + (blank?.byteLength ?? 0),
    continuations: blank === null ? 0 : 1,
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
    head: line.text.slice(0, line.text.length - body.length),
    body: blank === null ? body : `${body}\n`,
    attributes: shape.attributes === null ? null : JSON.parse(fill(shape.attributes, value)),
  };
}
