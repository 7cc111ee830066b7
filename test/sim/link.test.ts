import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRng } from '../../engine/index.ts';
import { Link } from '../../engine/sim/link.ts';

const link = (settings = {}) => new Link({ delayMs: 10, jitterMs: 0, loss: 0, ...settings }, createRng(5, 'link'));

describe('the link', () => {
  it('can be down in one direction', () => {
    const one = link();
    one.change({ from: 'bridge', down: true });
    assert.equal(one.travelTime('bridge'), null);
    assert.equal(one.travelTime('broker'), 10_000);
    assert.equal(one.isDown, false);
    one.change({ down: true });
    assert.equal(one.isDown, true);
  });

  it('takes its initial state from the settings', () => {
    assert.equal(link({ initially: { down: true } }).isDown, true);
  });

  it('puts one packet after the other at a limited rate, and drops what the queue does not hold', () => {
    const one = link();
    one.change({ from: 'bridge', rateBytesPerS: 1_000, queueBytes: 250 });
    assert.equal(one.travelTime('bridge', 100, 0), 110_000);
    assert.equal(one.travelTime('bridge', 100, 0), 210_000);
    assert.equal(one.travelTime('bridge', 100, 0), null, '200 of 250 bytes wait');
    assert.equal(one.travelTime('bridge', 50, 0), 260_000);
    assert.equal(one.travelTime('bridge', 100, 250_000), 110_000, 'the queue is empty again');
    assert.equal(one.travelTime('broker', 100, 0), 10_000);
  });

  it('loses the share it was told to, within four standard deviations', () => {
    const one = link({ loss: 0.2 });
    let lost = 0;
    for (let index = 0; index < 10_000; index++) if (one.travelTime() === null) lost++;
    assert.ok(Math.abs(lost - 2_000) < 160, `${lost}`);
  });
});
