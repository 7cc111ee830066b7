/** The bundled incident as lines, as a database and as a cassette; copies of it with some lines changed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Database, ingest, OBSERVED, packageRoot } from '../../queries/index.ts';
import { type Cassette, rebuild } from '../../replay/index.ts';

export const EXAMPLE = path.join(packageRoot(), 'examples', 'stuck-busy');

export interface Logs {
  readonly 'nanomq.log': readonly string[];
  readonly 'emqx.log': readonly string[];
  readonly 'trace.log'?: readonly string[];
}

/** The lines of the incident; line n of a file is at index n - 1. */
export function exampleLogs(): Required<Logs> {
  const lines = (text: string) => text.replace(/\n$/, '').split('\n');
  return {
    'nanomq.log': lines(gunzipSync(readFileSync(path.join(EXAMPLE, 'nanomq.log.gz'))).toString('utf8')),
    'emqx.log': lines(readFileSync(path.join(EXAMPLE, 'emqx.log'), 'utf8')),
    'trace.log': lines(readFileSync(path.join(EXAMPLE, 'trace.log'), 'utf8')),
  };
}

const STAMP = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)/;

/** The records that `keep` wants; the lines that continue a record go with it. */
export function keepRecords(lines: readonly string[], keep: (line: string, time: string) => boolean): string[] {
  let kept = true;
  return lines.filter((line) => {
    const stamp = STAMP.exec(line);
    if (stamp !== null) kept = keep(line, stamp[2] ?? '');
    return kept;
  });
}

/** What the incident leaves at level info: no debug lines on either side and no trace. */
export function infoLevel(logs: Logs): Logs {
  return {
    'nanomq.log': keepRecords(logs['nanomq.log'], (line) => !/^\S+ \S+ \[\d+\] DEBUG /.test(line)),
    'emqx.log': keepRecords(logs['emqx.log'], (line) => !line.includes(' [debug] ')),
  };
}

export function temporaryFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'bridgetrace-test-'));
}

export function writeLogs(folder: string, logs: Logs): void {
  for (const [name, lines] of Object.entries(logs))
    writeFileSync(path.join(folder, name), `${(lines as readonly string[]).join('\n')}\n`);
}

/** A private database with the incident, or with changed logs of it. */
export async function incident(logs?: Logs): Promise<Database> {
  const database = await Database.open(':memory:', 'write');
  if (logs === undefined) {
    await ingest(database, { paths: [EXAMPLE] });
    return database;
  }
  const folder = temporaryFolder();
  try {
    writeLogs(folder, logs);
    await ingest(database, { paths: [folder] });
  } finally {
    rmSync(folder, { recursive: true });
  }
  return database;
}

export async function exampleCassette(): Promise<Cassette> {
  const database = await incident();
  try {
    return await rebuild(database, { runId: OBSERVED });
  } finally {
    database.close();
  }
}

/** µs since the epoch of a cassette's start; a Date has milliseconds only. */
export function startOf(cassette: Cassette): number {
  const micros = /\.\d{3}(\d{3})/.exec(cassette.header.start)?.[1] ?? '0';
  return Date.parse(cassette.header.start) * 1000 + Number(micros);
}
