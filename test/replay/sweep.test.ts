import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Database, UsageError } from '../../queries/index.ts';
import { countRun } from '../../replay/counted-run.ts';
import { BASELINE, parseAxis, parseVariant, runReplay, setUp, sweep, symptoms } from '../../replay/index.ts';
import { exampleCassette } from './example.ts';

const cassette = await exampleCassette();
const options = { seeds: 1, threads: 0 };

test('a run of which only counters are kept shows the symptoms of the run that is written down, and the same disconnects', async () => {
  const database = await Database.open(':memory:', 'write');
  try {
    for (const change of [
      'keepalive=10s',
      'nanomq=0.23.10',
      'keepalive=30s',
      'transport=tcp',
      'network=kick-every-9s',
    ]) {
      const setup = setUp(cassette.header, parseVariant(change));
      const counted = countRun(cassette, { setup, seed: 1, loops: 1 });
      const written = await runReplay(database, {
        cassette,
        setup,
        label: 'x',
        seed: 1,
        forced: false,
        loops: 1,
        brief: true,
      });
      assert.deepEqual(symptoms(counted), symptoms(written), change);
      assert.deepEqual(counted.flows, written.flows, change);
      assert.equal(counted.unprovoked, written.unprovoked, change);
    }
  } finally {
    database.close();
  }
});

test('the smallest change is the fewest, least and without an upgrade first; each combination is run once', async () => {
  const result = await sweep(cassette, {
    ...options,
    axes: [parseAxis('nanomq=0.23.6,0.23.10'), parseAxis('transport=quic,tcp'), parseAxis('keepalive=10s,12s')],
  });
  assert.equal(result.baseline.reproduced, true, result.baseline.reason);
  assert.equal(result.points.length, 8);
  assert.equal(new Set(result.points.map((point) => point.values.join())).size, 8);
  assert.equal(result.without_upgrade?.name, 'transport=tcp');
  assert.equal(result.smallest?.name, 'transport=tcp');
  assert.equal(result.smallest?.verdict, 'fixed');
  const same = result.points.find((point) => point.changes.length === 0);
  assert.deepEqual(same?.values, ['0.23.6', 'quic', '10s']);
  assert.equal(same?.k, 1);
});

test('where only an upgrade helps it is the smallest, and without one there is none', async () => {
  const result = await sweep(cassette, {
    ...options,
    axes: [parseAxis('nanomq=0.23.6,0.23.7,0.23.10'), parseAxis('keepalive=10s,20s')],
  });
  assert.equal(result.without_upgrade, null);
  assert.equal(result.smallest?.name, 'nanomq=0.23.7');
});

test('nothing helps: no change is proposed; a keepalive of 0 cannot be told', async () => {
  const result = await sweep(cassette, { ...options, axes: [parseAxis('keepalive=10s,20s,0')] });
  assert.equal(result.smallest, null);
  assert.match(result.reason, /no combination removes the symptom/);
  assert.match(result.points[2]?.untold ?? '', /switched off/);
});

test('drawn combinations are different ones, and the same for the same seed', async () => {
  const silent = { ...cassette, entries: cassette.entries.filter((entry) => entry.type !== 'network') };
  const undecided = await sweep(silent, { ...options, axes: [parseAxis('keepalive=10s,20s')] });
  assert.equal(undecided.baseline.reproduced, false);
  assert.deepEqual([undecided.points.length, undecided.smallest], [0, null]);
  const axes = [parseAxis('parallel=2,4,6,8'), parseAxis('keepalive=8s,9s,10s,11s')];
  const draw = async (drawSeed: number) =>
    (await sweep(cassette, { ...options, axes, random: 4, drawSeed })).points.map((point) => point.values.join());
  const first = await draw(1);
  assert.equal(new Set(first).size, 4);
  assert.deepEqual(await draw(1), first);
  assert.notDeepEqual(await draw(2), first);
});

test('axes that make no sense are refused before anything runs', async () => {
  for (const text of ['keepalive', '=10s', 'keepalive=', 'kepalive=10s'])
    assert.throws(() => parseAxis(text), UsageError, text);
  const values = Array.from({ length: 101 }, (_, index) => String(index + 1)).join(',');
  const axes = [parseAxis(`resend_wait=${values}`), parseAxis(`parallel=${values}`)];
  await assert.rejects(sweep(cassette, { ...options, axes }), { code: 'too-many-points' });
  await assert.rejects(sweep(cassette, { ...options, axes: [] }), { code: 'bad-axes' });
  assert.equal(setUp(cassette.header, BASELINE).nanomq, '0.23.6');
});
