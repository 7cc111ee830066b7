/**
 * Real incidents of real brokers, where they are at hand: what is true about each is known from hooks in the brokers and from the
 * forwarder between them, not from the logs.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  type Analysis,
  analyze,
  type Database,
  ingest,
  OBSERVED,
  packageRoot,
  refreshDerived,
} from '../../queries/index.ts';
import { memory } from './support.ts';

const INCIDENTS = path.resolve(packageRoot(), '..', 'shared', 'corpus', 'incidents');
const skip = existsSync(INCIDENTS) ? false : `no corpus at ${INCIDENTS}`;

/** Too large for a test that runs with every change: 25b has 1.3 GB of log, 17 has 50 MB. */
const TOO_LARGE = ['17-', '25b-'];
/** Causes that have a rule; the others of the corpus wait for theirs. */
const WITH_RULE = [
  'keepalive-receive-reset',
  'keepalive-control-stream',
  'stuck-busy',
  'aio-load',
  'client-id-clash',
  'broker-restart',
];
/** Incidents where the bridge's log alone misses the count by more than 1 or the period by more than 5 %, and why. */
const CLIENT_ALONE_GAPS: { readonly [incident: string]: string } = {};
/** Incidents whose text and JSON log are at info level: connects are in the trace only, so a subset without it shows no session. */
const SESSIONS_IN_TRACE_ONLY = ['05-slow-acks-load'];
/** Times of the same event in text, JSON and trace log may differ by this much: each handler stamps for itself. */
const HANDLER_APART_US = 50_000;

interface Truth {
  readonly clientid: string;
  readonly end: string;
  readonly cycles: { readonly keepalive_count: number; readonly keepalive_period_s_mean: number | null };
  readonly expected_findings: readonly string[];
  readonly also_true: readonly string[];
}

interface BrokerSession {
  readonly reason: string | null;
  readonly connected: number | null;
  readonly disconnected: number | null;
}

function incidents(): { id: string; truth: Truth; logs: string[] }[] {
  if (skip) return [];
  return readdirSync(INCIDENTS)
    .filter((id) => !TOO_LARGE.some((prefix) => id.startsWith(prefix)))
    .map((id) => {
      const folder = path.join(INCIDENTS, id);
      const truth = JSON.parse(readFileSync(path.join(folder, 'truth.json'), 'utf8')) as Truth;
      const logs = readdirSync(folder).filter((name) => /\.log(\.\d+)?\.gz$/.test(name));
      return { id, truth, logs: logs.map((name) => path.join(folder, name)) };
    })
    .filter(({ truth }) => {
      const [first] = truth.expected_findings;
      return first === undefined || WITH_RULE.includes(first);
    });
}

async function read(t: TestContext, logs: readonly string[]): Promise<{ database: Database; analysis: Analysis }> {
  const database = await memory(t);
  const result = await ingest(database, { paths: logs });
  assert.deepEqual(result.damaged, []);
  for (const source of result.sources) assert.equal(source.unparsed, 0, source.path);
  return { database, analysis: await analyze(database, { runId: OBSERVED }) };
}

function assertEvidence(analysis: Analysis): void {
  const files = new Map<string, string[]>();
  for (const { id, evidence } of analysis.findings) {
    assert.ok(evidence.length > 0, `${id} has no evidence`);
    for (const { source, line, text } of evidence) {
      if (!files.has(source)) files.set(source, gunzipSync(readFileSync(source)).toString().split('\n'));
      assert.equal(text, files.get(source)![line - 1], `${id}, ${source}:${line}`);
    }
  }
}

/** The keepalive cycle up to the end of the incident: 01a's log goes on for a sixth timeout 2 ms after it. */
async function keepaliveCycle(database: Database, end: string): Promise<{ count: number; periodS: number | null }> {
  const times = await database.all<{ at: number }>(
    "SELECT epoch_us(disconnected) AS at FROM sessions WHERE reason = 'keepalive_timeout' AND disconnected <= $1::TIMESTAMPTZ::TIMESTAMP ORDER BY 1",
    [end],
  );
  const [first, last] = [times[0], times.at(-1)];
  const periodS = times.length < 2 ? null : (last!.at - first!.at) / 1e6 / (times.length - 1);
  return { count: times.length, periodS };
}

function assertPeriod(actual: number | null | undefined, expected: number | null, tolerance: number): void {
  if (expected === null) return;
  assert.ok(actual !== null && actual !== undefined, 'there is no period');
  const off = Math.abs(actual / expected - 1);
  assert.ok(off <= tolerance, `period ${actual} s, not ${expected} s: ${(100 * off).toFixed(1)} % off`);
}

/** The bridge's sessions at the broker by the logs that are left when all but `keep` are taken away. */
async function sessionsBy(database: Database, keep: readonly string[], client: string): Promise<BrokerSession[]> {
  await database.run('BEGIN');
  try {
    await database.run(
      `DELETE FROM packed_records WHERE source_id IN (SELECT source_id FROM sources JOIN endpoints USING (endpoint_id)
         WHERE product = 'emqx' AND NOT list_contains(string_split($1, '|'), layout))`,
      [keep.join('|')],
    );
    return await database.all<BrokerSession>(
      'SELECT reason, connected, disconnected FROM broker_sessions WHERE client_id = $1 ORDER BY coalesce(connected, disconnected)',
      [client],
    );
  } finally {
    await database.run('ROLLBACK');
  }
}

function assertSameSessions(actual: readonly BrokerSession[], expected: readonly BrokerSession[], what: string): void {
  assert.deepEqual(
    actual.map((session) => session.reason),
    expected.map((session) => session.reason),
    what,
  );
  actual.forEach((session, index) => {
    for (const column of ['connected', 'disconnected'] as const) {
      const [at, wanted] = [session[column], expected[index]![column]];
      if (at === null || wanted === null) assert.equal(at, wanted, `${what}: ${column}`);
      else assert.ok(Math.abs(at - wanted) <= HANDLER_APART_US, `${what}: ${column}`);
    }
  });
}

const TRACE = 'emqx-trace';
const BROKER_LAYOUTS = ['emqx-text', 'emqx-json', TRACE];
const SUBSETS = Array.from({ length: 7 }, (_, mask) =>
  BROKER_LAYOUTS.filter((_layout, index) => (mask + 1) & (1 << index)),
);

describe('real incidents', { skip }, () => {
  it('are there', () => assert.ok(incidents().length >= 35));

  for (const { id, truth, logs } of incidents()) {
    const [expected] = truth.expected_findings;
    it(`${id}: ${expected ?? 'healthy'}`, async (t) => {
      const { database, analysis } = await read(t, logs);
      const found = analysis.findings.map((finding) => finding.id);
      if (expected === undefined) {
        assert.deepEqual(
          found.filter((one) => !truth.also_true.includes(one)),
          [],
        );
      } else assert.equal(found[0], expected, `found ${found}`);
      assertEvidence(analysis);

      const { keepalive_count: count, keepalive_period_s_mean: periodS } = truth.cycles;
      const cycle = await keepaliveCycle(database, truth.end);
      assert.equal(cycle.count, count);
      assertPeriod(cycle.periodS, periodS, 0.01);

      const all = await sessionsBy(database, BROKER_LAYOUTS, truth.clientid);
      for (const subset of SUBSETS) {
        const hidden = SESSIONS_IN_TRACE_ONLY.includes(id) && !subset.includes(TRACE);
        // A trace by client id shows no boot of the node, so by itself it cannot tell that the broker went away.
        const bootless = subset.length === 1 && subset[0] === TRACE;
        const expectedSessions = (hidden ? [] : all).map((session) =>
          bootless && session.reason === 'broker_restart' ? { ...session, reason: null, disconnected: null } : session,
        );
        assertSameSessions(await sessionsBy(database, subset, truth.clientid), expectedSessions, subset.join(' + '));
      }

      if (count < 2 || id in CLIENT_ALONE_GAPS) return;
      for (const table of ['packed_records', 'sources', 'clocks', 'endpoints']) {
        const owner = table === 'packed_records' ? 'source_id' : 'endpoint_id';
        const from = table === 'packed_records' ? 'sources JOIN endpoints USING (endpoint_id)' : 'endpoints';
        await database.run(
          `DELETE FROM ${table} WHERE ${owner} IN (SELECT ${owner} FROM ${from} WHERE product = 'emqx')`,
        );
      }
      await refreshDerived(database, OBSERVED);
      const alone = (await analyze(database, { runId: OBSERVED })).cycles.find(
        (one) => one.reason === 'keepalive_timeout',
      );
      assert.ok(
        Math.abs((alone?.count ?? 0) - count) <= 1,
        `${alone?.count} disconnects by the bridge's log, not ${count}`,
      );
      assertPeriod(alone?.period_s, periodS, 0.05);
    });
  }
});
