import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bridgeProfile } from '../../engine/index.ts';
import { Database } from '../../queries/index.ts';
import {
  BASELINE,
  type Cassette,
  type Incident,
  parseVariant,
  type RunResult,
  runReplay,
  type Setup,
  setUp,
  symptoms,
  type Variant,
  type VariantVerdict,
  verify,
} from '../../replay/index.ts';
import { exampleCassette } from './example.ts';

const cassette = await exampleCassette();
const database = await Database.open(':memory:', 'write');
const fixed: Variant = parseVariant('nanomq=0.23.10');

const verified = (of: Cassette, variants: readonly Variant[], seeds: number) => verify(of, { variants, seeds });

function withIncident(changes: Partial<Incident>): Cassette {
  return { ...cassette, header: { ...cassette.header, incident: { ...cassette.header.incident, ...changes } } };
}

function replayed(
  setup: Setup,
  seed: number,
  changes: { label?: string; forced?: boolean; loops?: number } = {},
): Promise<RunResult> {
  const { label = 'cell', forced = false, loops = 1 } = changes;
  return runReplay(database, { cassette, setup, label, seed, forced, loops, brief: true });
}

const all = await verified(
  cassette,
  ['nanomq=0.23.10', 'keepalive=30s', 'keepalive=3600s', 'keepalive=0'].map(parseVariant),
  2,
);
const verdictOf = (name: string): VariantVerdict =>
  all.variants.find((variant) => variant.name === name) ?? assert.fail(`no verdict for ${name}`);

test('the baseline replay shows the incident of the logs: same cause, count and period in every seed', () => {
  const { baseline } = all;
  assert.equal(baseline.reproduced, true, baseline.reason);
  assert.deepEqual([baseline.k, baseline.n], [2, 2]);
  assert.equal(baseline.cause, cassette.header.incident.cause);
  assert.deepEqual(baseline.observed, cassette.header.incident);
  assert.ok(Math.abs((baseline.cycles ?? 0) - cassette.header.incident.keepalive_disconnects) <= 1);
  assert.ok(baseline.symptoms.includes('cycle'));
  assert.deepEqual(all.seeds, [1, 2]);
});

test('the release that is known to cure it is fixed: the symptom in none of the seeds, messages in both directions', async () => {
  const verdict = verdictOf('nanomq=0.23.10');
  assert.equal(verdict.verdict, 'fixed', verdict.reason);
  assert.deepEqual([verdict.k, verdict.n], [0, 2]);
  assert.equal(verdict.keepalive_disconnects, 0);
  assert.ok((verdict.lost_share ?? 1) < (all.baseline.lost_share ?? 0) / 2);
  const run = await replayed(setUp(cassette.header, fixed), 1);
  for (const direction of ['up', 'down'])
    assert.ok(
      run.flows.some((flow) => flow.direction === direction && flow.delivered > 0),
      direction,
    );
});

test('a longer keepalive is not fixed: the cycle only gets longer', () => {
  const verdict = verdictOf('keepalive=30s');
  assert.equal(verdict.verdict, 'not-fixed', verdict.reason);
  assert.ok((verdict.period_s ?? 0) > 2 * (all.baseline.period_s ?? 0));
});

test('a keepalive so long that nobody disconnects, or none at all, is no fix: the messages are still lost', () => {
  for (const name of ['keepalive=3600s', 'keepalive=0']) {
    const verdict = verdictOf(name);
    assert.equal(verdict.verdict, 'not-fixed', `${name}: ${verdict.reason}`);
    assert.equal(verdict.keepalive_disconnects, 0, name);
    assert.ok((verdict.lost_share ?? 0) > 0.5, name);
  }
});

test('not-fixed stops at the first seed that shows the symptom', () => {
  for (const variant of all.variants)
    if (variant.verdict === 'not-fixed') assert.deepEqual([variant.k, variant.n], [1, 1], variant.name);
});

test('threads change nothing but the time: the same verification, field by field', async () => {
  const variants = [fixed, parseVariant('keepalive=30s')];
  const alone = await verify(cassette, { variants, seeds: 2 });
  assert.deepEqual(await verify(cassette, { variants, seeds: 2, threads: 2 }), alone);
});

async function assertInconclusive(of: Cassette, reason: RegExp): Promise<void> {
  const result = await verified(of, [fixed], 1);
  assert.equal(result.baseline.reproduced, false);
  assert.equal(result.baseline.k, 0);
  assert.match(result.baseline.reason, reason);
  for (const variant of result.variants) {
    assert.equal(variant.verdict, 'inconclusive', variant.name);
    assert.match(variant.reason, /baseline replay does not show what the logs show/);
  }
}

test('without messages there is nothing to fix: inconclusive, whatever the header says', async () => {
  const silent = cassette.entries.filter((entry) => entry.type !== 'publish' && entry.type !== 'downlink');
  await assertInconclusive({ ...cassette, entries: silent }, /cause .* instead of stuck-busy/);
  const nothing = withIncident({
    cause: null,
    keepalive_disconnects: 0,
    period_s: null,
    dwell_s: null,
    disconnects: 0,
  });
  await assertInconclusive({ ...nothing, entries: [] }, /nothing to reproduce/);
});

test('without the outage that started it the incident is not reproduced: inconclusive', async () => {
  const entries = cassette.entries.filter((entry) => entry.type !== 'network');
  await assertInconclusive({ ...cassette, entries }, /the replay shows /);
});

test('logs that showed another cause make every verdict inconclusive', async () => {
  await assertInconclusive(
    withIncident({ cause: 'keepalive-receive-reset' }),
    /stuck-busy instead of keepalive-receive-reset/,
  );
});

test('logs that showed another number of disconnects or another period make every verdict inconclusive', async () => {
  await assertInconclusive(withIncident({ keepalive_disconnects: 50 }), /5 keepalive disconnects instead of 50/);
  await assertInconclusive(withIncident({ period_s: 60 }), /a period of 20\.9 s instead of 60\.0 s/);
});

test('the same seed gives the same trace, another seed another one', async () => {
  const setup = setUp(cassette.header, fixed);
  const first = await replayed(setup, 7);
  const again = await replayed(setup, 7);
  const other = await replayed(setup, 8);
  assert.equal(again.summary.hash, first.summary.hash);
  assert.deepEqual(again, first);
  assert.notEqual(other.summary.hash, first.summary.hash);
});

test('the result does not depend on what a variant is called', async () => {
  const setup = setUp(cassette.header, parseVariant('keepalive=30s'));
  const named = await replayed(setup, 3, { label: 'nanomq=0.23.10' });
  const renamed = await replayed(setup, 3, { label: 'surely fixed' });
  assert.equal(named.summary.hash, renamed.summary.hash);
  assert.deepEqual({ ...named, runId: '' }, { ...renamed, runId: '' });

  const misnamed: Variant = { name: 'nanomq=0.23.10', changes: [['keepalive', '30s']] };
  const honest: Variant = { name: 'keepalive=30s', changes: [['nanomq', '0.23.10']] };
  const { variants } = await verified(cassette, [misnamed, honest], 1);
  assert.deepEqual(
    variants.map(({ name, verdict }) => ({ name, verdict })),
    [
      { name: 'nanomq=0.23.10', verdict: 'not-fixed' },
      { name: 'keepalive=30s', verdict: 'fixed' },
    ],
  );
  // A change that changes nothing is the baseline under another name.
  const same: Variant = { name: 'nothing', changes: [['keepalive', '10s']] };
  assert.equal((await verified(cassette, [same], 1)).variants[0]?.verdict, 'not-fixed');
});

test('the verdict hangs on one cell of the profile: 0.23.6 with the busy mark cleared first shows no symptom', async () => {
  const setup = setUp(cassette.header, BASELINE);
  assert.equal(setup.bridge.profile.clearBusyBeforeParked, false);
  const cured: Setup = {
    ...setup,
    bridge: { ...setup.bridge, profile: { ...setup.bridge.profile, clearBusyBeforeParked: true } },
  };
  for (const seed of [1, 2]) {
    assert.ok(symptoms(await replayed(setup, seed)).includes('cycle'), `seed ${seed}`);
    const run = await replayed(cured, seed);
    assert.deepEqual(symptoms(run), [], `seed ${seed}`);
    assert.equal(run.incident.keepalive_disconnects, 0);
  }
});

test('the other way round: 0.23.10 with parking of everything and the busy mark left set shows the symptom again', async () => {
  const setup = setUp(cassette.header, fixed);
  const { profile } = bridgeProfile('0.23.10', 'quic');
  assert.equal(profile.clearBusyBeforeParked, true);
  const broken: Setup = {
    ...setup,
    bridge: { ...setup.bridge, profile: { ...profile, clearBusyBeforeParked: false, offlineSend: 'park-all' } },
  };
  for (const seed of [1, 2]) assert.ok(symptoms(await replayed(broken, seed)).includes('cycle'), `seed ${seed}`);
  const parking: Setup = { ...setup, bridge: { ...setup.bridge, profile: { ...profile, offlineSend: 'park-all' } } };
  assert.ok(!symptoms(await replayed(parking, 1)).includes('cycle'), 'parking alone does no harm');
});

test('an interrupted verification stops with the reason of the signal', async () => {
  const stop = new AbortController();
  let runs = 0;
  const running = verify(cassette, {
    variants: [fixed],
    seeds: 50,
    signal: stop.signal,
    onProgress: () => {
      runs += 1;
      stop.abort(new Error('enough'));
    },
  });
  await assert.rejects(running, { message: 'enough' });
  assert.equal(runs, 1);
});

test('a release with the same cells under another name gives the same trace and the same verdict', async () => {
  const renamed = (release: string): Cassette => ({
    ...cassette,
    header: { ...cassette.header, bridge: { ...cassette.header.bridge, release } },
  });
  const [older, newer] = ['0.23.5', '0.23.6'].map((release) => setUp(renamed(release).header, BASELINE));
  assert.deepEqual(older?.bridge.profile, newer?.bridge.profile);
  const traces: string[] = [];
  for (const setup of [older!, newer!]) traces.push((await replayed(setup, 4, { label: setup.nanomq })).summary.hash);
  assert.equal(traces[0], traces[1]);
  const { baseline, variants } = await verified(renamed('0.23.5'), [fixed], 2);
  assert.equal(baseline.reproduced, true, baseline.reason);
  assert.deepEqual({ ...variants[0] }, { ...verdictOf('nanomq=0.23.10') });
});

test('a change that only the luck of a race cures is no fix: the unchanged bridge must show the symptom too', async () => {
  const { variants } = await verified(cassette, [{ name: 'nothing at all', changes: [] }], 2);
  assert.equal(variants[0]?.verdict, 'not-fixed');
  // A fix by the network is judged by the network, not by what the unchanged bridge does there.
  const ideal = await verified(cassette, [parseVariant('network=ideal')], 2);
  assert.equal(ideal.variants[0]?.verdict, 'fixed', ideal.variants[0]?.reason);
});

test('k of n comes with its interval, and a fix says what is gone', () => {
  const verdict = verdictOf('nanomq=0.23.10');
  assert.equal(verdict.clean, true);
  assert.deepEqual(verdict.new_symptoms, []);
  assert.ok(verdict.gone.includes('stuck-busy'));
  assert.equal(verdict.interval.low, 0);
  assert.ok(verdict.interval.high > 0.5, 'two seeds say little');
});
