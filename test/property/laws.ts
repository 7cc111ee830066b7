/**
 * What holds for any bytes whatever (docs/ARCHITECTURE.md, data model): nothing throws, every byte and line is accounted for
 * once, records come in the order of their first bytes, and neither chunks nor an interruption nor the fast way through slots
 * changes what is read.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  createParser,
  detectLayout,
  type Layout,
  type LinePosition,
  LineSplitter,
  type LineTaker,
  type LogRecord,
  MAX_BODY_CHARS,
  type ParserSink,
  type RawLine,
  type RecordParser,
  type ShapeStore,
  type SlottedSink,
  toLogRecord,
  type UnparsedLine,
} from '../../parsers/index.ts';
import type { Rng } from './mutate.ts';

export const LAYOUTS: readonly Layout[] = [
  'nanomq-file',
  'nanomq-console',
  'emqx-text',
  'emqx-trace',
  'emqx-json',
  'emqx-trace-json',
];
const LF = 0x0a;
const INT32_MAX = 2_147_483_647;
const MAX_LINES_FED = 2000;

export const NO_THROW_LAW = 'nothing throws';
const SLOTS_LAW = 'slots change nothing';
/** The values of a record do not fit the types that the docs promise. */
export const VALUE_LAW = 'values can be stored';

export interface Violation {
  readonly law: string;
  readonly expected: string;
  readonly got: string;
}

type Item =
  | { readonly kind: 'record'; readonly value: LogRecord }
  | { readonly kind: 'unparsed'; readonly value: UnparsedLine };

interface Reading {
  readonly items: readonly Item[]; // in the order in which the sink got them
  readonly lines: number;
}

/** Makes the sink that a parser writes its items to. */
type ToSink = (items: Item[]) => ParserSink | SlottedSink;

function read(
  layout: Layout,
  bytes: Buffer,
  chunkBytes: number,
  start?: LinePosition,
  toSink: ToSink = plain,
): Reading {
  const items: Item[] = [];
  let lines = 0;
  const parser = createParser(layout, toSink(items));
  const onLine = (line: RawLine) => {
    lines += 1;
    parser.line(line);
  };
  const splitter = new LineSplitter(onLine, start, takerOf(parser));
  // One buffer for all chunks, as a reader has it: what of a chunk is still needed must have been copied.
  const chunk = Buffer.alloc(Math.min(chunkBytes, bytes.length));
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    splitter.push(chunk.subarray(0, bytes.copy(chunk, 0, at, at + chunkBytes)));
    chunk.fill('x');
  }
  splitter.end();
  parser.end();
  return { items, lines };
}

/** The parser's way of taking lines as bytes, if it has one. */
function takerOf(parser: RecordParser, isWanted = () => true): LineTaker | null {
  if (parser.take === undefined) return null;
  return {
    take: (...line) => (isWanted() ? parser.take!(...line) : 0),
    keep: () => parser.keep?.(),
  };
}

const plain = (items: Item[]) => ({
  record: (value: LogRecord) => void items.push({ kind: 'record', value }),
  unparsed: (value: UnparsedLine) => void items.push({ kind: 'unparsed', value }),
});

/** Takes slotted records, and makes of each the record that it stands for. */
const slotted =
  (shapes: ShapeStore): ToSink =>
  (items) => ({
    ...plain(items),
    shapes,
    slotted: (value) => void items.push({ kind: 'record', value: toLogRecord(value) }),
  });

/** Feeds `lines` lines, then goes on with a fresh parser where the first one says. */
function readInterrupted(layout: Layout, bytes: Buffer, lines: number, toSink: ToSink): Item[] {
  const items: Item[] = [];
  const parser = createParser(layout, toSink(items));
  let left = lines;
  const onLine = (line: RawLine) => {
    if (left > 0) parser.line(line);
    left -= 1;
  };
  const taker = takerOf(parser, () => left > 0);
  const counted: LineTaker | null = taker && {
    ...taker,
    take(...line) {
      const length = taker.take(...line);
      if (length > 0) left -= 1;
      return length;
    },
  };
  const splitter = new LineSplitter(onLine, undefined, counted);
  splitter.push(bytes);
  splitter.end();
  const resume = parser.resumePoint();
  return [...items, ...read(layout, bytes.subarray(resume.byteOffset), bytes.length + 1, resume, toSink).items];
}

/** The first law that does not hold for these bytes read as this layout; null if all hold. Draws chunk sizes and interruptions from `rng`. */
export function violation(layout: Layout, bytes: Buffer, rng: Rng): Violation | null {
  try {
    const whole = read(layout, bytes, bytes.length + 1);
    return (
      accountViolation(layout, bytes, whole) ??
      sameItems('chunks change nothing', read(layout, bytes, rng.int(1, 300)).items, whole.items) ??
      interruptionViolation(layout, bytes, whole, rng) ??
      slotsViolation(layout, bytes, whole, rng) ??
      detectionViolation(bytes) ??
      valueViolation(whole)
    );
  } catch (error) {
    return {
      law: NO_THROW_LAW,
      expected: 'no exception',
      got: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

function interruptionViolation(layout: Layout, bytes: Buffer, whole: Reading, rng: Rng): Violation | null {
  for (let time = 0; time < 2; time += 1) {
    const lines = rng.int(0, Math.min(MAX_LINES_FED, whole.lines));
    const found = sameItems(
      `an interruption after ${lines} lines changes nothing`,
      readInterrupted(layout, bytes, lines, plain),
      whole.items,
    );
    if (found !== null) return { ...found, law: 'an interruption changes nothing' };
  }
  return null;
}

/** The first reading learns shapes, the second one knows them from its first line on, the third one is interrupted. */
function slotsViolation(layout: Layout, bytes: Buffer, whole: Reading, rng: Rng): Violation | null {
  const toSink = slotted(new Map());
  const lines = rng.int(0, whole.lines);
  return (
    sameItems(SLOTS_LAW, read(layout, bytes, bytes.length + 1, undefined, toSink).items, whole.items) ??
    sameItems(SLOTS_LAW, read(layout, bytes, bytes.length + 1, undefined, toSink).items, whole.items) ??
    sameItems('slots change nothing after an interruption', readInterrupted(layout, bytes, lines, toSink), whole.items)
  );
}

function accountViolation(layout: Layout, bytes: Buffer, { items, lines }: Reading): Violation | null {
  const sum = items.reduce((total, { value }) => total + value.byteLength, 0);
  if (sum !== bytes.length) return unequal('every byte belongs to one item', bytes.length, sum);
  let counted = 0;
  let last = -1;
  let end = 0;
  const lineStarts = lineStartsOf(bytes);
  for (const { kind, value } of items) {
    if (value.byteLength <= 0) return unequal('no item is empty', '> 0 bytes', JSON.stringify(value));
    if (value.byteOffset <= last)
      return unequal('items come in the order of their first bytes', `> ${last}`, value.byteOffset);
    // A console line that two threads wrote into gives each its part, and the parts lie in each other.
    if (layout !== 'nanomq-console' && value.byteOffset !== end)
      return unequal('items lie end to end', end, value.byteOffset);
    const lineNo = lineNoAt(lineStarts, value.byteOffset);
    if (value.lineNo !== lineNo)
      return unequal(
        'the line number is that of the first byte',
        lineNo,
        `${value.lineNo} at byte ${value.byteOffset}`,
      );
    last = value.byteOffset;
    end = value.byteOffset + value.byteLength;
    counted += 1 + (kind === 'record' ? value.continuations : 0);
  }
  if (layout === 'nanomq-console' ? counted < lines : counted !== lines)
    return unequal('every line is a record, a continuation or unparsed', lines, counted);
  return null;
}

/** What a table of the database cannot hold, or a reader could not show. */
function valueViolation({ items }: Reading): Violation | null {
  for (const { kind, value } of items) {
    const wrong = (what: string) => unequal(VALUE_LAW, what, JSON.stringify(value).slice(0, 1000));
    if (kind === 'unparsed') {
      if (value.text.length > MAX_BODY_CHARS) return wrong('text within MAX_BODY_CHARS');
      if (!/^[a-z-]+$/.test(value.reason)) return wrong('a word as reason');
      continue;
    }
    if (value.head.length + value.body.length === 0) return wrong('some text');
    if (value.body.length > MAX_BODY_CHARS) return wrong('body within MAX_BODY_CHARS');
    if (value.ts !== null && !Number.isSafeInteger(value.ts)) return wrong('a time in whole µs, exact in a double');
    if (value.line !== null && !(Number.isInteger(value.line) && value.line >= 0 && value.line <= INT32_MAX))
      return wrong('a source line of 32 bits');
    const attribute = notJson(value.attributes);
    if (attribute !== null) return wrong(`attributes that JSON can hold, not ${attribute}`);
  }
  return null;
}

function notJson(value: unknown): string | null {
  if (value === undefined) return 'undefined';
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'number') return Number.isFinite(value) ? null : String(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? `${value}n` : null;
  for (const member of Object.values(value)) {
    const found = notJson(member);
    if (found !== null) return found;
  }
  return null;
}

function detectionViolation(bytes: Buffer): Violation | null {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line.text));
  splitter.push(bytes);
  splitter.end();
  const found = detectLayout(lines);
  return found === null || found.layout === 'nanomq-syslog' || LAYOUTS.includes(found.layout)
    ? null
    : unequal('a known layout is detected', LAYOUTS.join(), found.layout);
}

function sameItems(law: string, got: readonly Item[], expected: readonly Item[]): Violation | null {
  if (isDeepStrictEqual(got, expected)) return null;
  const index = expected.findIndex((item, at) => !isDeepStrictEqual(item, got[at]));
  const show = (items: readonly Item[]) =>
    JSON.stringify(items[index === -1 ? expected.length : index])?.slice(0, 1500) ?? 'nothing';
  return { law, expected: show(expected), got: show(got) };
}

const unequal = (law: string, expected: unknown, got: unknown): Violation => ({
  law,
  expected: String(expected),
  got: String(got),
});

function lineStartsOf(bytes: Buffer): number[] {
  const starts = [0];
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) starts.push(at + 1);
  return starts;
}

/** 1-based number of the line in which the byte lies. */
function lineNoAt(starts: readonly number[], byte: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= byte) low = middle;
    else high = middle;
  }
  return low + 1;
}

/** A shorter input that breaks the same law: lines first, then bytes. Stops after `tries` readings. */
export function minimised(bytes: Buffer, fails: (candidate: Buffer) => boolean, tries = 4000): Buffer {
  let best = bytes;
  let left = tries;
  const cutBy = (size: number, unitsOf: (whole: Buffer) => Buffer[]) => {
    let units = unitsOf(best);
    for (let from = 0; from < units.length && left > 0; left -= 1) {
      const shorter = [...units.slice(0, from), ...units.slice(from + size)];
      const candidate = Buffer.concat(shorter);
      if (candidate.length < best.length && fails(candidate)) {
        best = candidate;
        units = shorter;
      } else from += size;
    }
  };
  for (let size = Math.max(1, linesOf(best).length >> 1); size >= 1; size >>= 1) cutBy(size, linesOf);
  for (let size = Math.max(1, best.length >> 1); size >= 1; size >>= 1) cutBy(size, bytesOf);
  return best;
}

function linesOf(bytes: Buffer): Buffer[] {
  const starts = lineStartsOf(bytes);
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1])).filter((line) => line.length > 0);
}

const bytesOf = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));
