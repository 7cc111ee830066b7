/**
 * How long a question about one client takes in a database with very many records:
 * `node dist/bench/query.js [--records 50000000] [--clients 2000] [--hours 48] [--rounds 5] [--db FILE] [--keep]`.
 *
 * Makes the log of a broker with many clients, ingests it through the program, and asks for all events of one client in one
 * hour: in a process that is open already, and with the start of the program. Every round asks for another client and hour, so
 * that none finds its rows in the cache. 50 million records are 12 GB of log; `--db` takes a database of an earlier run instead.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createRng } from '../engine/index.ts';
import { Database, resolveQuery } from '../queries/index.ts';
import { FLEET_START_US, fleetClientId, makeFleetLog } from './make-logs.ts';
import { markdownTable, median, runChild } from './measure.ts';

/** What a user asks: all events of a client from one time to another, on the common clock. */
const NAMED = 'client-events';
/** The same by stamps as written. */
const BY_STAMPS = `SELECT ts, event, peer, body FROM records
  WHERE client_id = $client AND ts >= $from::TIMESTAMP AND ts < $to::TIMESTAMP ORDER BY ts`;
const HOUR_US = 3_600_000_000;
const MEGABYTE = 1e6;
const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

interface Question {
  readonly client: string;
  readonly from: string;
  readonly to: string;
}

function questions(count: number, clients: number, hours: number, stream: string): Question[] {
  const rng = createRng(1, stream);
  const stamp = (us: number) => new Date(us / 1000).toISOString().slice(0, 19).replace('T', ' ');
  return Array.from({ length: count }, () => {
    const from = FLEET_START_US + rng.int(0, hours - 1) * HOUR_US;
    return { client: fleetClientId(rng.int(0, clients - 1)), from: stamp(from), to: stamp(from + HOUR_US) };
  });
}

interface Timing {
  readonly name: string;
  readonly ms: readonly number[];
  readonly rows: readonly number[];
}

async function timeOpen(name: string, file: string, sql: string, asked: readonly Question[]): Promise<Timing> {
  const database = await Database.open(file, 'read');
  const ms: number[] = [];
  const rows: number[] = [];
  try {
    for (const question of asked) {
      const started = performance.now();
      rows.push((await database.all(sql, { ...question })).length);
      ms.push(performance.now() - started);
    }
  } finally {
    database.close();
  }
  return { name, ms, rows };
}

async function timeProgram(file: string, asked: readonly Question[]): Promise<Timing> {
  const ms: number[] = [];
  const rows: number[] = [];
  for (const question of asked) {
    const values = Object.entries(question).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
    const run = await runChild(process.execPath, [MAIN, 'query', NAMED, ...values, '--db', file, '--format', 'ndjson']);
    ms.push(run.seconds * 1000);
    rows.push(run.stdout.split('\n').filter((line) => line !== '').length);
  }
  return { name: 'start of the program, opening and query', ms, rows };
}

async function makeDatabase(folder: string, records: number, clients: number, hours: number): Promise<string> {
  const log = path.join(folder, 'fleet.log');
  const file = path.join(folder, 'fleet.duckdb');
  const made = makeFleetLog(log, records, { clients, hours });
  const run = await runChild(process.execPath, [MAIN, 'ingest', log, '--db', file]);
  rmSync(log); // as large as all the rest
  const bytes = statSync(file).size;
  process.stdout.write(
    `${made.lines} records of ${clients} clients over ${hours} h: ${(made.bytes / MEGABYTE).toFixed(0)} MB of log, ingested in ${run.seconds.toFixed(0)} s (max RSS ${((run.maxRssBytes ?? 0) / MEGABYTE).toFixed(0)} MB), database ${(bytes / MEGABYTE).toFixed(0)} MB\n\n`,
  );
  return file;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '50000000' },
      clients: { type: 'string', default: '2000' },
      hours: { type: 'string', default: '48' },
      rounds: { type: 'string', default: '5' },
      db: { type: 'string' },
      keep: { type: 'boolean', default: false },
    },
  });
  const [records, clients, hours, rounds] = [values.records, values.clients, values.hours, values.rounds].map(
    Number,
  ) as [number, number, number, number];
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-bench-'));
  try {
    const file = values.db ?? (await makeDatabase(folder, records, clients, hours));
    const named = resolveQuery(NAMED);
    await timeOpen('', file, named, questions(1, clients, hours, 'warm-up'));
    const timings = [
      await timeOpen(`query ${NAMED}`, file, named, questions(rounds, clients, hours, 'query')),
      await timeOpen('by stamps, from records', file, BY_STAMPS, questions(rounds, clients, hours, 'stamps')),
      await timeProgram(file, questions(rounds, clients, hours, 'program')),
    ];
    const rows = timings.map(({ name, ms, rows }) => [
      name,
      median(ms).toFixed(1),
      `${Math.min(...ms).toFixed(1)}–${Math.max(...ms).toFixed(1)}`,
      String(median(rows)),
    ]);
    process.stdout.write(
      `${markdownTable([`events of one client in one hour`, `median of ${rounds}, ms`, 'min–max', 'rows'], rows)}\n`,
    );
    if (values.keep && values.db === undefined) process.stdout.write(`The database is kept: ${file}\n`);
  } finally {
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
  }
}

await main();
