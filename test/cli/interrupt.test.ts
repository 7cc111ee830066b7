import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Database } from '../../queries/index.ts';
import { EXAMPLE } from '../replay/example.ts';
import { assertNoStackTrace, bridgetraceIn, interrupted, type Outcome, scratch } from './bridgetrace.ts';

const folder = scratch();

/** Enough that ingest has committed a part of it (every 64 MiB) before its end. */
const COPIES = 80;
const COMMITTED_MB = 68;

function bigLog(): void {
  const bytes = gunzipSync(readFileSync(path.join(EXAMPLE, 'nanomq.log.gz')));
  const target = openSync(path.join(folder, 'big.log'), 'w');
  for (let copy = 0; copy < COPIES; copy += 1) writeSync(target, bytes);
  closeSync(target);
}

/** What a database says about the log: every record, and the account of its lines. */
async function content(name: string) {
  const database = await Database.open(path.join(folder, name), 'read');
  try {
    return {
      records: await database.all(
        'SELECT count(*) AS n, count(DISTINCT line_no) AS lines, bit_xor(hash(r)) AS content FROM records r',
      ),
      sources: await database.all(
        'SELECT source_id, bytes_done, lines, records, continuations, unparsed, complete FROM sources',
      ),
      runs: await database.all('SELECT run_id, kind FROM runs'),
      clocks: await database.all('SELECT * FROM clocks'),
      bridges: await database.all('SELECT * FROM bridges'),
    };
  } finally {
    database.close();
  }
}

function assertInterrupted(outcome: Outcome): void {
  assert.equal(outcome.code, 130, outcome.err);
  assertNoStackTrace(outcome);
  assert.doesNotMatch(outcome.err, /defect/);
}

const megabytes = (progress: string) => Number(/([\d.]+) MB/.exec(progress)?.[1] ?? 0);

test('Ctrl-C during ingest exits 130 without a stack trace; ingesting again completes the same database', {
  skip: process.platform === 'win32' && 'Windows has no SIGINT between processes',
}, async () => {
  bigLog();
  const argv = ['ingest', 'big.log', '--db', 'interrupted.duckdb'];
  const stopped = await interrupted(folder, (progress) => megabytes(progress) >= COMMITTED_MB, ...argv);
  assertInterrupted(stopped);
  assert.equal(stopped.out, '');
  const part = await content('interrupted.duckdb');
  const { bytes_done, complete } = part.sources[0] as { bytes_done: number; complete: boolean };
  assert.ok(bytes_done > 0 && !complete, 'a part is in the database, and marked as a part');

  const again = bridgetraceIn(folder, ...argv, '--json');
  assert.equal(again.code, 0, again.err);
  assert.equal(JSON.parse(again.out).sources[0].state, 'continued');
  const whole = bridgetraceIn(folder, 'ingest', 'big.log', '--db', 'whole.duckdb', '--json');
  assert.equal(whole.code, 0, whole.err);
  const expected = await content('whole.duckdb');
  assert.deepEqual(await content('interrupted.duckdb'), expected);
  const { n, lines } = expected.records[0] as { n: number; lines: number };
  assert.equal(n, lines);
});

test('Ctrl-C during verify exits 130 without a stack trace, as JSON if that was asked for', {
  skip: process.platform === 'win32' && 'Windows has no SIGINT between processes',
}, async () => {
  const made = [
    bridgetraceIn(folder, 'ingest', EXAMPLE, '--db', 'example.duckdb'),
    bridgetraceIn(folder, 'rebuild', '-o', 'incident.cassette', '--db', 'example.duckdb'),
  ];
  assert.deepEqual(
    made.map(({ code }) => code),
    [0, 0],
  );
  const argv = ['verify', 'incident.cassette', '--fix', 'nanomq=0.23.10', '--seeds', '1000'];
  const begun = (progress: string) => progress.includes('replaying');
  const json = await interrupted(folder, begun, ...argv, '--json');
  assertInterrupted(json);
  assert.equal(JSON.parse(json.out).error.code, 'interrupted');
});
