/**
 * Kills `bridgetrace ingest` at random moments until it has come through, and compares the database with that of an ingest
 * which nobody disturbed. Whatever the schema holds must be the same, packed records as the view shows them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Rng } from '../../bench/line-template.ts';
import { Database } from '../../queries/index.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
/** What says when something was done. */
const BOOKKEEPING_COLUMNS = ['created_at'];
/**
 * How a record is packed may depend on what the process had seen before it: a shape is learned from the lines before. What it says
 * may not, and that is what the view `records` shows.
 */
const PACKED_TABLES: readonly string[] = ['packed_records', 'shapes', 'contexts', 'strings'];
const UNPACKED_VIEW = 'records';
/** Logs of a test are small: with commits this small, kills also hit behind the first one. */
const COMMIT_BYTES = 1_000_000;
/** Some kills come after the end: then the ingest has come through. */
const LATEST_KILL = 1.15;
const MAX_KILLS_A_TRIP = 200;

export interface Trip {
  /** Milliseconds after the start at which it was killed, one a kill. */
  readonly killsMs: readonly number[];
  /** What differs from the undisturbed database, a line each; empty if nothing does. */
  readonly differences: readonly string[];
}

export interface KillOptions {
  readonly paths: readonly string[];
  readonly folder: string; // for the databases
  readonly rng: Rng;
  readonly kills: number; // at least so many in all; the last trip is finished
  readonly onTrip?: (trip: Trip) => void;
}

/** Throws if the ingest fails by itself or if a database cannot be opened after a kill. */
export async function killUntilDone({ paths, folder, rng, kills, onTrip }: KillOptions): Promise<Trip[]> {
  const reference = path.join(folder, 'undisturbed.duckdb');
  const more = commitOption(folder);
  const args = (database: string) => ['ingest', ...paths, '--db', database, ...more];
  const undisturbed = await ingestUntil(args(reference), null);
  const trips: Trip[] = [];
  for (let killed = 0; killed < kills; ) {
    const database = path.join(folder, `killed-${trips.length}.duckdb`);
    const killsMs: number[] = [];
    for (;;) {
      // The last kills of a run are not drawn: an ingest that is killed early for ever never ends.
      const enough = killed >= kills || killsMs.length >= MAX_KILLS_A_TRIP;
      const afterMs = enough ? null : rng.int(1, Math.round(undisturbed.ms * LATEST_KILL));
      const run = await ingestUntil(args(database), afterMs);
      if (!run.killed) break;
      killsMs.push(afterMs!);
      killed += 1;
      await opens(database);
    }
    const trip = { killsMs, differences: await differences(reference, database) };
    trips.push(trip);
    onTrip?.(trip);
  }
  return trips;
}

/** Runs an ingest to its end, or kills it (only this one, by its own handle). */
function ingestUntil(args: readonly string[], afterMs: number | null): Promise<{ killed: boolean; ms: number }> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    const timer = afterMs === null ? null : setTimeout(() => child.kill('SIGKILL'), afterMs);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (timer !== null) clearTimeout(timer);
      if (code === 0 || signal === 'SIGKILL')
        resolve({ killed: signal === 'SIGKILL', ms: performance.now() - started });
      else reject(new Error(`ingest ended with exit code ${code}: ${stderr}`));
    });
  });
}

/** `--commit-bytes` is hidden and for tests only; without it commits are far apart. */
function commitOption(folder: string): string[] {
  const option = ['--commit-bytes', String(COMMIT_BYTES)];
  const nothing = path.join(folder, 'no-such.log');
  const { stderr } = spawnSync(process.execPath, [MAIN, 'ingest', nothing, '--db', `${nothing}.duckdb`, ...option], {
    encoding: 'utf8',
  });
  return stderr.includes('unknown option') ? [] : option;
}

/** A killed ingest may have been before the file; what is there must open, as the next ingest and every reader do. */
async function opens(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const database = await Database.open(file, 'write');
  database.close();
}

type Contents = ReadonlyMap<string, string>;

/** By `table` and `table.column`: rows, and a sum over the hashes of all values, which no order of rows changes. */
async function contents(file: string): Promise<Contents> {
  const database = await Database.open(file, 'read');
  try {
    const columns = await database.all<{ table_name: string; column_name: string }>(
      `SELECT table_name, column_name FROM duckdb_columns()
       WHERE NOT internal AND (table_name = $1 OR table_name IN (SELECT table_name FROM duckdb_tables() WHERE NOT internal))
       ORDER BY table_name, column_index`,
      [UNPACKED_VIEW],
    );
    const found = new Map<string, string>();
    for (const table of new Set(columns.map((column) => column.table_name))) {
      if (PACKED_TABLES.includes(table)) continue;
      const names = columns
        .filter((column) => column.table_name === table && !BOOKKEEPING_COLUMNS.includes(column.column_name))
        .map((column) => `"${column.column_name}"`);
      const sums = ['row', ...names].map((name, index) => {
        const value = name === 'row' ? `row(${names.join(', ')})` : name;
        return `sum(hash(${value}))::VARCHAR || '/' || bit_xor(hash(${value}, 1))::VARCHAR AS sum_${index}`;
      });
      const [row] = await database.all(`SELECT count(*)::VARCHAR AS n, ${sums.join(', ')} FROM "${table}"`);
      found.set(table, `${row!.n} rows, ${row!.sum_0}`);
      for (const [index, name] of names.entries())
        found.set(`${table}.${name.slice(1, -1)}`, String(row![`sum_${index + 1}`]));
    }
    return found;
  } finally {
    database.close();
  }
}

/** What the tables of two databases do not have in common, a line each: tables as a whole, and which of their columns. */
export async function differences(expectedFile: string, gotFile: string): Promise<string[]> {
  const expected = await contents(expectedFile);
  const got = await contents(gotFile);
  const names = new Set([...expected.keys(), ...got.keys()]);
  return [...names]
    .filter((name) => expected.get(name) !== got.get(name))
    .map((name) => `${name}: ${expected.get(name) ?? 'absent'} became ${got.get(name) ?? 'absent'}`);
}
