/** Options and small steps that several commands share. */
import { existsSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Database, INTERRUPTED_LABEL, InputError, UsageError } from '../../queries/index.ts';
import type { CliContext } from '../context.ts';
import { jsonText } from '../output/json.ts';

/**
 * Opens a database for the time of some work; Ctrl-C interrupts a running statement. A file that was not there before and into
 * which nothing came is taken away again: an empty database would hide that there is none.
 */
export async function withDatabase<T>(
  context: CliContext,
  file: string,
  mode: 'read' | 'write',
  work: (database: Database) => Promise<T>,
  options: { readonly viewsLater?: boolean } = {},
): Promise<T> {
  const isNew = mode === 'write' && !existsSync(file);
  const database = await Database.open(file, mode, options);
  const interrupt = () => database.interrupt();
  context.signal.addEventListener('abort', interrupt);
  try {
    return await work(database);
  } finally {
    context.signal.removeEventListener('abort', interrupt);
    const isEmpty = isNew && (await holdsNothing(database));
    await database.viewsReady().catch(() => {}); // they were asked for where they were needed
    database.close();
    if (isEmpty) for (const part of [file, `${file}.wal`]) rmSync(part, { force: true });
  }
}

async function holdsNothing(database: Database): Promise<boolean> {
  const rows = await database.all('SELECT 1 FROM sources LIMIT 1').catch(() => null);
  return rows?.length === 0;
}

/** Throws InputError `no-records` if nothing was ingested. */
export async function requireRun(database: Database, runId: string): Promise<void> {
  const rows = await database.all<{ n: number }>(
    'SELECT count(*)::INTEGER AS n FROM sources JOIN endpoints USING (endpoint_id) WHERE run_id = $1',
    [runId],
  );
  const unfinished = await database.all('SELECT 1 FROM runs WHERE run_id = $1 AND label = $2', [
    runId,
    INTERRUPTED_LABEL,
  ]);
  if (unfinished.length > 0) {
    throw new InputError('ingest-unfinished', `The last ingest into ${database.path} did not finish.`, {
      hint: 'Run the same bridgetrace ingest again: it goes on where it stopped.',
    });
  }
  if ((rows[0]?.n ?? 0) > 0) return;
  throw new InputError('no-records', `${database.path} holds no logs.`, {
    hint: 'Read some first: bridgetrace ingest LOGS...',
  });
}

export function printJson(context: CliContext, value: unknown): void {
  context.stdout.write(`${jsonText(value, 2)}\n`);
}

export function print(context: CliContext, lines: readonly string[]): void {
  context.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** µs since the epoch of an ISO time given as an option. */
export function parseTime(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  if (Number.isNaN(ms))
    throw new UsageError('bad-time', `${option} ${text} is not a time.`, {
      hint: 'Write ISO 8601, for example 2026-11-22T04:53:00Z (without a zone UTC is meant).',
    });
  return ms * 1000;
}

/** Whole number in a range. */
export function parseCount(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new UsageError('bad-number', `${option} ${text} is not a whole number from ${least} to ${most}.`);
  return value;
}

/** Refuses to write a result over the database it comes from. Throws UsageError `output-is-database`. */
export function guardOutput(output: string, database: string): void {
  const place = (file: string) => (existsSync(file) ? realpathSync(file) : path.resolve(file));
  if (![database, `${database}.wal`].map(place).includes(place(output))) return;
  throw new UsageError('output-is-database', `${output} is the database itself.`, {
    hint: 'Name another file with -o.',
  });
}
