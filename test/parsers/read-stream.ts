import assert from 'node:assert/strict';
import {
  createStreamParser,
  detectStream,
  type LinePosition,
  LineSplitter,
  type LineTaker,
  type LogRecord,
  MAX_WRAPPED_DETECT_LINES,
  type Product,
  type ShapeStore,
  type StreamParser,
  type StreamPart,
  toLogRecord,
  type UnparsedLine,
} from '../../parsers/index.ts';

export interface ReadPart extends StreamPart {
  readonly records: LogRecord[];
  readonly unparsed: UnparsedLine[];
}

export interface ReadStream {
  readonly parser: StreamParser;
  readonly parts: ReadPart[];
}

export function headLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => {
    if (lines.length < MAX_WRAPPED_DETECT_LINES) lines.push(line.text);
  });
  splitter.push(bytes.subarray(0, 262_144));
  splitter.end();
  return lines;
}

export interface ReadOptions {
  readonly product?: Product;
  readonly start?: LinePosition;
  readonly chunkBytes?: number;
  /** Lines after which the read is broken off, without `end()`. */
  readonly lines?: number;
  /** Give back the read that took lines as bytes. */
  readonly fast?: boolean;
}

/** Learned from all that the tests of this process read. */
const shapes: ShapeStore = new Map();

/**
 * Reads the bytes, or text as UTF-8; null if they are no log. Reads them a second time as ingest does, lines of known shapes as bytes,
 * and throws if that gives anything else.
 */
export function readStream(input: Buffer | string, options: ReadOptions = {}): ReadStream | null {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  const plain = readOnce(bytes, options, false);
  const fast = readOnce(bytes, options, true);
  // One of the two may have finished a record that the other still holds when a read is broken off.
  if (options.lines === undefined) assert.deepEqual(fast?.parts, plain?.parts);
  return options.fast === true ? fast : plain;
}

function readOnce(bytes: Buffer, options: ReadOptions, isFast: boolean): ReadStream | null {
  const { start, chunkBytes = 65_536, product, lines = Number.POSITIVE_INFINITY } = options;
  const parts: ReadPart[] = [];
  const found = detectStream(headLines(bytes), product);
  if (found === null) return null;
  const parser = createStreamParser(
    found,
    {
      part(index, part) {
        if (index !== parts.length) throw new Error(`part ${index} opened as number ${parts.length}`);
        parts.push({ ...part, records: [], unparsed: [] });
      },
      record: (index, record) => parts[index]!.records.push(record),
      unparsed: (index, line) => parts[index]!.unparsed.push(line),
      ...(isFast ? { slotted: (index, record) => void parts[index]!.records.push(toLogRecord(record)), shapes } : {}),
    },
    { product },
  );
  let left = lines;
  const taker: LineTaker = {
    take(...line) {
      const length = left > 0 ? parser.take(...line) : 0;
      if (length > 0) left -= 1;
      return length;
    },
    keep: () => parser.keep(),
  };
  const splitter = new LineSplitter(
    (line) => {
      if (left > 0) parser.line(line);
      left -= 1;
    },
    start,
    isFast ? taker : null,
  );
  for (let at = start?.byteOffset ?? 0; at < bytes.length; at += chunkBytes) {
    splitter.push(bytes.subarray(at, at + chunkBytes));
  }
  splitter.end();
  if (lines === Number.POSITIVE_INFINITY) parser.end();
  return { parser, parts };
}

export function byteSum(parts: readonly ReadPart[]): number {
  return parts.flatMap((part) => [...part.records, ...part.unparsed]).reduce((sum, one) => sum + one.byteLength, 0);
}
