import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Stimulus } from '../../engine/index.ts';
import { Surroundings } from '../../replay/surroundings.ts';

function after(...stimuli: Stimulus[]): Surroundings {
  const surroundings = new Surroundings();
  for (const stimulus of stimuli) surroundings.apply(stimulus);
  return surroundings;
}

/** What keeps the two apart, and what ends that. */
const PAIRS: readonly (readonly [string, Stimulus, Stimulus])[] = [
  ['link', { at: 1, kind: 'network', down: true }, { at: 2, kind: 'network', down: false }],
  ['link', { at: 1, kind: 'network', from: 'broker', down: true }, { at: 2, kind: 'network', down: false }],
  ['link', { at: 1, kind: 'network', loss: 1 }, { at: 2, kind: 'network', loss: 0.5 }],
  ['link', { at: 1, kind: 'network', hold: true }, { at: 2, kind: 'network', hold: false }],
  ['broker', { at: 1, kind: 'broker-stop' }, { at: 2, kind: 'broker-start' }],
  ['broker', { at: 1, kind: 'broker-kill' }, { at: 2, kind: 'broker-start' }],
  ['broker', { at: 1, kind: 'broker-pause' }, { at: 2, kind: 'broker-resume' }],
  ['broker', { at: 1, kind: 'broker-pause' }, { at: 2, kind: 'broker-kill' }],
  ['broker', { at: 1, kind: 'refuse', reasonCode: 135 }, { at: 2, kind: 'refuse', reasonCode: null }],
];

describe('what the cassette itself does to the connection', () => {
  it('an outage lasts from what makes it to what ends it', () => {
    for (const [what, begin, end] of PAIRS) {
      assert.equal(after(begin).reachable, false, JSON.stringify(begin));
      const outages = after(begin, end).outages.filter((outage) => outage.to <= 2);
      assert.ok(
        outages.length > 0 && outages.every((outage) => outage.what === what && outage.from === 1 && outage.to === 2),
        JSON.stringify([begin, outages]),
      );
    }
  });

  it('is over only when everything is: a stopped broker behind a cut link', () => {
    const both = after({ at: 1, kind: 'network', down: true }, { at: 2, kind: 'broker-stop' });
    both.apply({ at: 3, kind: 'network', down: false });
    assert.equal(both.reachable, false);
    both.apply({ at: 4, kind: 'broker-start' });
    assert.equal(both.reachable, true);
  });

  it('one direction that works again leaves the other as it was', () => {
    const half = after({ at: 1, kind: 'network', down: true }, { at: 2, kind: 'network', from: 'bridge', down: false });
    assert.equal(half.reachable, false);
  });

  it('a slow or lossy link is no outage', () => {
    const slow = after({ at: 1, kind: 'network', loss: 0.5, delayMs: 400, rateBytesPerS: 100, queueBytes: 10 });
    assert.equal(slow.reachable, true);
    assert.deepEqual(slow.outages, []);
  });

  it('kicks, rivals and a new port are moments', () => {
    const moments = after({ at: 1, kind: 'kick' }, { at: 2, kind: 'rival-connect' }, { at: 3, kind: 'nat-rebind' });
    assert.equal(moments.reachable, true);
    assert.deepEqual(moments.outages, [
      { what: 'person', from: 1, to: 1 },
      { what: 'person', from: 2, to: 2 },
      { what: 'link', from: 3, to: 3 },
    ]);
  });
});
