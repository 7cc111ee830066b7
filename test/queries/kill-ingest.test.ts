/** The promise that a kill costs time only, in short; `npm run kill-test` goes on for as long as one likes. */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { debugLogs } from '../../bench/base-logs.ts';
import { makeDebugLog } from '../../bench/make-logs.ts';
import { createRng } from '../../engine/index.ts';
import { Database, ingest } from '../../queries/index.ts';
import { incident } from './fixtures.ts';
import { differences, killUntilDone } from './kill.ts';
import { chooseSeed, files, scratch } from './support.ts';

const KILLS = 3;
const LOG_BYTES = 2_000_000;
const NO_CORPUS = ''; // the same logs on every machine

it('an ingest killed at random moments ends with the database of an undisturbed one', async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`seed ${seed} (BRIDGETRACE_SEED=${seed} runs it again)`);
  const folder = scratch(t);
  const paths = (['nanomq', 'emqx'] as const).map((product) => {
    const log = path.join(folder, `${product}.log`);
    makeDebugLog(log, product, LOG_BYTES, { seed, bases: debugLogs(product, seed, NO_CORPUS) });
    return log;
  });
  const trips = await killUntilDone({ paths, folder, rng: createRng(seed, 'kills'), kills: KILLS });
  for (const { killsMs, differences } of trips) {
    t.diagnostic(`killed after ${killsMs.join(', ')} ms`);
    assert.deepEqual(differences, []);
  }
});

it('the comparison of two databases names a table and a column in which one value differs', async (t) => {
  const [one, other] = ['one', 'other'].map((name) => path.join(scratch(t), `${name}.duckdb`)) as [string, string];
  const made = await Database.open(one, 'write');
  await ingest(made, { paths: files(t, incident()) });
  made.close();
  copyFileSync(one, other);
  assert.deepEqual(await differences(one, other), []);
  const changed = await Database.open(other, 'write');
  await changed.run("UPDATE endpoints SET node = 'elsewhere' WHERE product = 'emqx'");
  changed.close();
  const names = (await differences(one, other)).map((line) => line.split(':')[0]);
  assert.deepEqual(names, ['endpoints', 'endpoints.node']);
});
