/** The laws of the parsers over some thousand damaged lines; `npm run fuzz` goes on for as long as one likes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../engine/index.ts';
import { LAYOUTS, violation } from './laws.ts';
import { bundledLines } from './line-pool.ts';
import { damagedLog, repeatedLog } from './mutate.ts';

const SEEDS = [1, 20_250_102, 987_654_321];
const ROUNDS = 24;
const LINES = 30;

for (const layout of LAYOUTS) {
  test(`the laws of reading hold for damaged ${layout} lines`, () => {
    const pool = bundledLines();
    const all = [...pool.values()].flat();
    for (const seed of SEEDS) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const rng = createRng(seed, `${layout} ${round}`);
        const log =
          round % 4 === 2
            ? repeatedLog(pool.get(layout)!, rng)
            : damagedLog(round % 4 === 3 ? all : pool.get(layout)!, LINES, rng);
        const found = violation(layout, log.bytes, rng);
        assert.equal(
          found,
          null,
          `seed ${seed}, round ${round}: ${JSON.stringify(found)} after ${log.mutations.join(', ')}`,
        );
      }
    }
  });
}
