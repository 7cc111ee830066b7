/**
 * Logs as a stricter level would have left them: the records of some severities are cut out of the files byte for byte, and what is
 * left reads as the product would have written it.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Database } from '../queries/index.ts';

interface Range {
  readonly from: number;
  readonly to: number;
}

export type CutLevel = 'info' | 'warn';

const KEPT: Readonly<Record<CutLevel, readonly string[]>> = {
  info: ['info', 'warn', 'error', 'fatal'],
  warn: ['warn', 'error', 'fatal'],
};

/**
 * Writes what a level leaves of every ingested log to `folder` and gives the new paths. A trace by client id knows no level above
 * debug, so traces are left out; a log of which nothing is left is left out too.
 */
export async function cutTo(level: CutLevel, database: Database, folder: string): Promise<string[]> {
  const sources = await database.all<{ source_id: bigint | number; path: string }>(
    "SELECT source_id, path FROM sources WHERE layout NOT LIKE 'emqx-trace%' ORDER BY path",
  );
  const written: string[] = [];
  for (const source of sources) {
    const ranges = await database.all<Range>(
      `SELECT r.byte_offset AS "from", r.byte_offset + r.byte_length AS "to" FROM packed_records r JOIN shapes h USING (shape_id)
       WHERE r.source_id = $1 AND list_contains(string_split($2, ' '), h.severity) ORDER BY 1`,
      [BigInt(source.source_id), KEPT[level].join(' ')],
    );
    if (ranges.length === 0) continue;
    const file = path.join(folder, path.basename(source.path).replace(/\.gz$/, ''));
    await pipeline(
      Readable.from(
        cut(
          source.path,
          ranges.map(({ from, to }) => ({ from: Number(from), to: Number(to) })),
        ),
      ),
      createWriteStream(file),
    );
    written.push(file);
  }
  return written;
}

async function* cut(file: string, ranges: readonly Range[]): AsyncGenerator<Buffer> {
  const bytes = file.endsWith('.gz') ? createReadStream(file).pipe(createGunzip()) : createReadStream(file);
  let at = 0;
  let next = 0;
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const end = at + chunk.length;
    while (next < ranges.length && ranges[next]!.from < end) {
      const { from, to } = ranges[next]!;
      yield chunk.subarray(Math.max(0, from - at), Math.min(chunk.length, to - at));
      if (to > end) break;
      next += 1;
    }
    at = end;
  }
}
