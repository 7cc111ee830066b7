import assert from 'node:assert/strict';
import { test } from 'node:test';
import { analyze, type Database, ingest, OBSERVED } from '../../queries/index.ts';
import { BASELINE, parseVariant, rebuild, runReplay, setUp } from '../../replay/index.ts';
import { EXAMPLE, incident } from './example.ts';

const BASELINE_RUN = 'replay-baseline-seed1';

const database = await incident();
const cassette = await rebuild(database, { runId: OBSERVED });

async function replay(seed: number, change?: string) {
  const variant = change === undefined ? BASELINE : parseVariant(change);
  return runReplay(database, {
    cassette,
    setup: setUp(cassette.header, variant),
    label: variant.name,
    seed,
    forced: variant === BASELINE,
    loops: 1,
  });
}

/** Everything a run has in the views that a user asks, and in the tables below. */
async function rowsOf(database: Database, runId: string) {
  const rows: Record<string, unknown[]> = {};
  for (const view of ['sessions', 'cycles', 'aio_bursts', 'client_sessions', 'broker_sessions', 'endpoints', 'bridges'])
    rows[view] = await database.all(`SELECT * FROM ${view} WHERE run_id = $1 ORDER BY ALL`, [runId]);
  rows.sources = await database.all(
    'SELECT s.* FROM sources s JOIN endpoints USING (endpoint_id) WHERE run_id = $1 ORDER BY ALL',
    [runId],
  );
  rows.clocks = await database.all(
    'SELECT c.* FROM clocks c JOIN endpoints USING (endpoint_id) WHERE run_id = $1 ORDER BY ALL',
    [runId],
  );
  rows.records = await database.all(
    `SELECT count(*) AS n, count(DISTINCT (source_id, line_no)) AS lines, bit_xor(hash(r)) AS content
     FROM records r WHERE source_id IN (SELECT source_id FROM sources JOIN endpoints USING (endpoint_id) WHERE run_id = $1)`,
    [runId],
  );
  return rows;
}

test('a replay written beside the incident shows in the same views under its own run, and the incident stays as it was', async () => {
  const observed = await rowsOf(database, OBSERVED);
  const result = await replay(1);
  assert.equal(result.runId, BASELINE_RUN);
  const replayed = await rowsOf(database, BASELINE_RUN);
  for (const [view, rows] of Object.entries(replayed)) assert.ok(rows.length > 0, view);
  assert.deepEqual(await rowsOf(database, OBSERVED), observed);
});

test('the same SQL over both runs shows the same incident: as many keepalive disconnects, bursts while connected', async () => {
  const counts = await database.all<{ run_id: string; n: number }>(
    "SELECT run_id, sum(count)::INTEGER AS n FROM cycles WHERE reason = 'keepalive_timeout' GROUP BY run_id ORDER BY run_id",
  );
  const observed = counts.find((row) => row.run_id === OBSERVED)?.n ?? 0;
  const replayed = counts.find((row) => row.run_id === BASELINE_RUN)?.n ?? 0;
  assert.ok(observed >= 5);
  assert.ok(Math.abs(observed - replayed) <= 1, JSON.stringify(counts));
  const bursts = await database.all<{ run_id: string; n: number }>(
    "SELECT run_id, count(*)::INTEGER AS n FROM aio_bursts WHERE state IN ('connected', 'subscribed') GROUP BY run_id ORDER BY run_id",
  );
  assert.deepEqual(
    bursts.map((row) => row.run_id),
    [OBSERVED, BASELINE_RUN],
  );
});

test('the rules of analyze name the same cause for the replay as for the logs', async () => {
  const observed = await analyze(database, { runId: OBSERVED });
  const replayed = await analyze(database, { runId: BASELINE_RUN });
  assert.equal(observed.findings[0]?.id, 'stuck-busy');
  assert.equal(replayed.findings[0]?.id, 'stuck-busy');
  assert.equal(replayed.clients[0]?.client_id, observed.clients[0]?.client_id);
});

test('the same replay again leaves the same rows: none twice, none lost', async () => {
  const before = await rowsOf(database, BASELINE_RUN);
  const total = await database.all('SELECT count(*) AS n FROM records');
  await replay(1);
  assert.deepEqual(await rowsOf(database, BASELINE_RUN), before);
  assert.deepEqual(await database.all('SELECT count(*) AS n FROM records'), total);
  const { n, lines } = before.records![0] as { n: number; lines: number };
  assert.equal(n, lines);
  const runs = await database.all('SELECT run_id FROM runs WHERE run_id = $1', [BASELINE_RUN]);
  assert.equal(runs.length, 1);
});

test('another seed and another variant are runs of their own, and ingesting the logs again touches none', async () => {
  const other = await replay(2);
  const fixed = await replay(1, 'nanomq=0.23.10');
  const runs = await database.all<{ run_id: string; kind: string; seed: number | null }>(
    'SELECT run_id, kind, seed FROM runs ORDER BY run_id',
  );
  assert.deepEqual(
    runs.map((row) => row.run_id),
    [OBSERVED, BASELINE_RUN, other.runId, fixed.runId].toSorted(),
  );
  assert.deepEqual(
    runs.filter((row) => row.kind === 'replay').map((row) => row.seed),
    [1, 2, 1],
  );
  const rows = await rowsOf(database, fixed.runId);
  const again = await ingest(database, { paths: [EXAMPLE] });
  assert.ok(again.sources.every((source) => source.state === 'unchanged'));
  assert.deepEqual(await rowsOf(database, fixed.runId), rows);
  const cycles = await database.all("SELECT * FROM cycles WHERE run_id = $1 AND reason = 'keepalive_timeout'", [
    fixed.runId,
  ]);
  assert.deepEqual(cycles, [], 'the fixed release has no keepalive disconnect in the same view');
});
