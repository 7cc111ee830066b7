import {
  createParser,
  type Layout,
  type LinePosition,
  LineSplitter,
  type LogRecord,
  type UnparsedLine,
} from '../../parsers/index.ts';

export interface Parsed {
  readonly records: readonly LogRecord[];
  readonly unparsed: readonly UnparsedLine[];
}

/** Parses bytes, or text as UTF-8, in chunks of `chunkBytes`. */
export function parseAll(
  layout: Layout,
  input: Uint8Array | string,
  start?: LinePosition,
  chunkBytes = 65_536,
): Parsed {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input;
  const records: LogRecord[] = [];
  const unparsed: UnparsedLine[] = [];
  const parser = createParser(layout, { record: (r) => records.push(r), unparsed: (u) => unparsed.push(u) });
  const splitter = new LineSplitter((line) => parser.line(line), start);
  for (let at = 0; at < bytes.length; at += chunkBytes) splitter.push(bytes.subarray(at, at + chunkBytes));
  splitter.end();
  parser.end();
  return { records, unparsed };
}
