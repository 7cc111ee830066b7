/**
 * Rotated logs in the order they were written.
 *
 * The suffix says nothing about age: NanoMQ counts 1…n around and around, EMQX's wrap log does too, logrotate counts backwards.
 * So the files of one log are ordered by their first stamps.
 */
import path from 'node:path';
import {
  createStreamParser,
  detectStream,
  LineSplitter,
  type Product,
  type StreamSink,
} from '../../../parsers/index.ts';

const PACKED = /\.(?:gz|zst|zstd)$/i;
/** `.1`, `.old`, `-20250101`, `-20250101-1735689600`, `.2025-01-01` */
const SUFFIX =
  /(?:\.\d{1,4}|\.(?:old|bak)|[-.]\d{8}(?:-\d{1,10})?|[-.]\d{4}-\d\d-\d\d(?:[-T]\d\d(?:[-:]?\d\d){0,2})?)$/;
/** logrotate with `dateext` and `extension .log`: `emqx-20250101.log` */
const DATE_BEFORE_EXTENSION = /[-.]\d{8}(?:-\d{1,10})?(?=\.log$)/;
const INDEX = /(?:^|[/\\])(?:\.idx|[^/\\]*\.log\.(?:idx|siz))$/;

/** Whether the file only says where a rotated log goes on: `.idx` of NanoMQ, `emqx.log.idx` and `emqx.log.siz` of EMQX. */
export function isRotationIndex(file: string): boolean {
  return INDEX.test(file);
}

/** The path that a rotated file had while it was written. */
export function rotationBase(file: string): string {
  const unpacked = file.replace(PACKED, '');
  const base = unpacked.replace(SUFFIX, '').replace(DATE_BEFORE_EXTENSION, '');
  return path.basename(base) === '' ? unpacked : base;
}

export interface StampedFile {
  readonly path: string;
  /** First stamp in the file, µs; null if it has none. */
  readonly firstTs: number | null;
}

export type OrderedFile<T> = T & {
  /** Name of the set that the file belongs to, null if it is the only one of its log. */
  readonly rotationSet: string | null;
};

/** Files of one set stand together, oldest first, where the set's first file stood. Files without a stamp come last in it. */
export function orderRotated<T extends StampedFile>(files: readonly T[]): OrderedFile<T>[] {
  const sets = new Map<string, T[]>();
  for (const file of files) {
    const base = rotationBase(file.path);
    const set = sets.get(base);
    if (set === undefined) sets.set(base, [file]);
    else set.push(file);
  }
  return [...sets].flatMap(([base, set]) => {
    const rotationSet = set.length > 1 ? base : null;
    return set.sort(byAge).map((file) => ({ ...file, rotationSet }));
  });
}

function byAge(one: StampedFile, other: StampedFile): number {
  const first = one.firstTs ?? Number.POSITIVE_INFINITY;
  const second = other.firstTs ?? Number.POSITIVE_INFINITY;
  if (first !== second) return first < second ? -1 : 1;
  return one.path < other.path ? -1 : one.path > other.path ? 1 : 0;
}

const MAX_LINES = 2_000;

/** First stamp in the first bytes of a log, µs: of a record, or else of its collector; null if there is none. */
export function firstStamp(head: Buffer, product?: Product): number | null {
  const lines: Parameters<ConstructorParameters<typeof LineSplitter>[0]>[0][] = [];
  const splitter = new LineSplitter((line) => {
    if (lines.length < MAX_LINES) lines.push(line);
  });
  splitter.push(head);
  splitter.end();
  let found: number | null = null;
  const ignore = (): void => {};
  const detected = detectStream(
    lines.map((line) => line.text),
    product,
  );
  if (detected === null) return null;
  const sink: StreamSink = {
    part: ignore,
    unparsed: ignore,
    record: (_, { ts, envelope }) => {
      found ??= ts ?? envelope?.ts ?? null;
    },
  };
  const parser = createStreamParser(detected, sink, product === undefined ? {} : { product });
  for (const line of lines) {
    parser.line(line);
    if (found !== null) return found;
  }
  parser.end();
  return found;
}
