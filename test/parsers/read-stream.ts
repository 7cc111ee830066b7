import {
  createStreamParser,
  detectStream,
  type LinePosition,
  LineSplitter,
  type LogRecord,
  MAX_WRAPPED_DETECT_LINES,
  type Product,
  type StreamParser,
  type StreamPart,
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
}

/** Reads the bytes, or text as UTF-8, as ingest does; null if they are no log. */
export function readStream(input: Buffer | string, options: ReadOptions = {}): ReadStream | null {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
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
    },
    { product },
  );
  let left = lines;
  const splitter = new LineSplitter((line) => {
    if (left > 0) parser.line(line);
    left -= 1;
  }, start);
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
