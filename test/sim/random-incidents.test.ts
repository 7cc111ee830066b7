import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NETWORK_SCRIPTS, networkScript, networkStimuli } from '../../engine/index.ts';
import { checkCase } from '../../scripts/sim-fuzz/check-case.ts';
import { randomCase } from '../../scripts/sim-fuzz/random-case.ts';

const SEEDS = 60;

describe('random incidents', () => {
  it(`keep every rule in ${SEEDS} seeds, and give the same trace again`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const one = randomCase(seed);
      const reproduce = `${one.title}: node dist/scripts/sim-fuzz.js --seed ${seed} --count 1`;
      try {
        const { hash } = checkCase(one);
        if (seed % 10 === 0) assert.equal(checkCase(randomCase(seed)).hash, hash, reproduce);
      } catch (error) {
        throw new Error(reproduce, { cause: error });
      }
    }
  });

  it('a broken rule fails, with the rule in the message', () => {
    const one = randomCase(2);
    assert.throws(() => checkCase({ ...one, options: { ...one.options, maxEvents: 10 } }), /max-events/);
  });
});

describe('named network scripts', () => {
  it('are unique, in order, and stand where they are told to', () => {
    assert.equal(new Set(NETWORK_SCRIPTS.map(({ name }) => name)).size, NETWORK_SCRIPTS.length);
    for (const { name } of NETWORK_SCRIPTS) {
      const times = networkStimuli(name, 7_000_000).map(({ at }) => at);
      assert.deepEqual(
        times,
        times.toSorted((left, right) => left - right),
        name,
      );
    }
    assert.deepEqual(networkStimuli('blackhole-35s', 7_000_000), [
      { at: 7_000_000, kind: 'network', down: true, from: undefined },
      { at: 42_000_000, kind: 'network', down: false },
    ]);
  });

  it('an unknown name names those there are', () => {
    assert.throws(() => networkScript('blackhole'), /blackhole-35s/);
  });
});
