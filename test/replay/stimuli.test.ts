import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LINK_AT_START } from '../../engine/index.ts';
import { type Cassette, type Entry, linkSettings, stimuli } from '../../replay/index.ts';

const DURATION_US = 1_000;

function cassette(entries: readonly Entry[], link?: Cassette['header']['link']): Cassette {
  return {
    header: {
      type: 'header',
      schema: 1,
      start: '2026-11-22T04:53:18Z',
      duration_us: DURATION_US,
      bridge: { id: 'b', release: '0.23.6', release_known_by: 'assumed', settings: {}, origins: {} },
      broker: { release: '5.8.2', release_known_by: 'assumed', settings: {}, origins: {} },
      ...(link === undefined ? {} : { link }),
      incident: { cause: null, keepalive_disconnects: 0, period_s: null, dwell_s: null, disconnects: 0 },
    },
    entries,
  };
}

const all = (entries: readonly Entry[], loops: number, link?: Cassette['header']['link']) => [
  ...stimuli(cassette(entries, link), loops),
];
const origin = 'assumed';

describe('entries as stimuli', () => {
  it('a network entry has the names and units of the engine, and only what it says', () => {
    const entry: Entry = {
      at: 5,
      type: 'network',
      from: 'broker',
      down: false,
      delay_ms: 1.5,
      jitter_ms: 0.5,
      loss: 0.25,
      rate_bytes_per_s: 4_000,
      queue_bytes: 16_000,
      hold: true,
      origin,
    };
    assert.deepEqual(all([entry], 1), [
      {
        at: 5,
        kind: 'network',
        from: 'broker',
        down: false,
        delayMs: 1.5,
        jitterMs: 0.5,
        loss: 0.25,
        rateBytesPerS: 4_000,
        queueBytes: 16_000,
        hold: true,
      },
    ]);
    assert.deepEqual(all([{ at: 5, type: 'network', loss: 0, origin }], 1), [{ at: 5, kind: 'network', loss: 0 }]);
  });

  it('a refusal keeps its code, and ends with null', () => {
    const entries: Entry[] = [
      { at: 1, type: 'refuse', reason_code: 138, origin },
      { at: 2, type: 'refuse', reason_code: null, origin },
    ];
    assert.deepEqual(all(entries, 1), [
      { at: 1, kind: 'refuse', reasonCode: 138 },
      { at: 2, kind: 'refuse', reasonCode: null },
    ]);
  });

  it('each round starts with the network and the broker that the first one started with', () => {
    const kindsAtSecondRound = (...entries: Entry[]) =>
      all(entries, 2)
        .slice(entries.length)
        .filter(({ at }) => at === DURATION_US)
        .map(({ at: _, ...change }) => change);
    const event = (type: 'broker-stop' | 'broker-kill' | 'broker-start' | 'broker-pause' | 'broker-resume'): Entry => ({
      at: 1,
      type,
      origin,
    });
    assert.deepEqual(kindsAtSecondRound(event('broker-stop')), [{ kind: 'broker-start' }]);
    assert.deepEqual(kindsAtSecondRound(event('broker-kill'), event('broker-start')), []);
    assert.deepEqual(kindsAtSecondRound(event('broker-pause')), [{ kind: 'broker-resume' }]);
    assert.deepEqual(kindsAtSecondRound(event('broker-pause'), event('broker-resume')), []);
    assert.deepEqual(kindsAtSecondRound(event('broker-pause'), event('broker-kill')), [{ kind: 'broker-start' }]);
    assert.deepEqual(kindsAtSecondRound({ at: 1, type: 'refuse', reason_code: 135, origin }), [
      { kind: 'refuse', reasonCode: null },
    ]);
    assert.deepEqual(kindsAtSecondRound({ at: 1, type: 'network', rate_bytes_per_s: 10, hold: true, origin }), [
      { kind: 'network', ...LINK_AT_START },
    ]);
  });

  it("a header's link is the network at the start of every round", () => {
    const link = { delay_ms: 30, loss: 0.01, broker_down: 'refused' } as const;
    assert.deepEqual(linkSettings(link), { ...LINK_AT_START, delayMs: 30, loss: 0.01, brokerDown: 'refused' });
    const second = all([{ at: 1, type: 'network', delay_ms: 500, origin }], 2, link)[1];
    assert.deepEqual(second, { at: DURATION_US, kind: 'network', ...LINK_AT_START, delayMs: 30, loss: 0.01 });
  });

  it('messages are numbered through all rounds', () => {
    const entries: Entry[] = [
      { at: 0, type: 'publish', topic: 'a', qos: 0, size: 1, origin },
      { at: 0, type: 'downlink', topic: 'a', qos: 0, size: 1, origin },
    ];
    const seqs = all(entries, 3).map((stimulus) => ('message' in stimulus ? stimulus.message.seq : null));
    assert.deepEqual(seqs, [1, 2, 3, 4, 5, 6]);
  });
});
