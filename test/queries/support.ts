/** A scratch folder a test, and short ways to ingest texts and read tables back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Database, type IngestOptions, type IngestResult, ingest, type Row } from '../../queries/index.ts';

/** A folder that is gone when the test is over. */
export function scratch(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-queries-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Files by name and content, written to a scratch folder; gives their paths in the same order. */
export function files(t: TestContext, contents: { readonly [name: string]: string | Uint8Array }): string[] {
  const folder = scratch(t);
  return Object.entries(contents).map(([name, content]) => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    return file;
  });
}

/** A private database, closed when the test is over. */
export async function memory(t: TestContext): Promise<Database> {
  const database = await Database.open(':memory:', 'write');
  t.after(() => database.close());
  return database;
}

/** A private database with these logs in it. */
export async function ingested(
  t: TestContext,
  contents: { readonly [name: string]: string | Uint8Array },
  options: Omit<IngestOptions, 'paths'> = {},
): Promise<{ database: Database; result: IngestResult; paths: string[] }> {
  const database = await memory(t);
  const paths = files(t, contents);
  const result = await ingest(database, { paths, ...options });
  return { database, result, paths };
}

export interface Tables {
  readonly sources: Row[];
  readonly records: Row[];
  readonly unparsed: Row[];
  readonly derived: Row[];
}

/**
 * All that an ingest wrote, without what names the file: paths, and the ids made from how much of it was there at first.
 * Rows are in the order of the file.
 */
export async function tables(database: Database): Promise<Tables> {
  const order = 's.layout, s.first_ts, s.bytes_done';
  return {
    sources: await database.all(
      `SELECT layout, bytes_done, lines, records, continuations, unparsed, complete, first_ts, last_ts FROM sources s ORDER BY ${order}`,
    ),
    records: await database.all(
      `SELECT r.* EXCLUDE (source_id) FROM records r JOIN sources s USING (source_id) ORDER BY ${order}, r.byte_offset`,
    ),
    unparsed: await database.all(
      `SELECT u.* EXCLUDE (source_id) FROM unparsed u JOIN sources s USING (source_id) ORDER BY ${order}, u.byte_offset`,
    ),
    derived: [
      ...(await database.all('SELECT * EXCLUDE (version_known_by) FROM endpoints ORDER BY endpoint_id')),
      ...(await database.all('SELECT * FROM clocks ORDER BY endpoint_id')),
      ...(await database.all('SELECT * FROM bridges ORDER BY endpoint_id, bridge_id')),
    ],
  };
}

/** A seeded generator of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seed of a random test: BRIDGETRACE_SEED, or a new one. Print it, so that a failure can be run again. */
export function chooseSeed(): number {
  const wanted = process.env.BRIDGETRACE_SEED;
  return wanted === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(wanted);
}
