import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Alignment, align, explainOffset, LATENCY_US } from '../../queries/derive/align.ts';
import { zoneName, zoneOffsetUs } from '../../queries/derive/zone.ts';
import { UsageError } from '../../queries/index.ts';
import { chooseSeed, seeded } from './support.ts';

const S = 1_000_000;
const HOUR = 3600 * S;
/** 2026-03-01 08:00 UTC. */
const T0 = Date.UTC(2026, 2, 1, 8) * 1000;

/** One kind of event with whole-second stamps. */
const connects = (client: readonly number[], broker: readonly number[]) => ({
  kind: 'connect',
  client,
  clientPrecisionUs: S,
  broker,
});

/** Stamps of a client's clock that is `aheadUs` of UTC, cut to whole seconds. */
const stamps = (times: readonly number[], aheadUs: number) => times.map((time) => Math.floor((time + aheadUs) / S) * S);

function holds({ offsetUs, errorUs }: Alignment, trueOffsetUs: number): boolean {
  return Math.abs(trueOffsetUs - offsetUs) <= errorUs + 1; // both are rounded to whole µs
}

describe('align', () => {
  it('takes from one pair the interval its precision and the latency leave', () => {
    // Written 08:00:10, happened at the broker at 08:00:10.400: true − written lies in (−0.6 s, 0.4 s + latency].
    const alignment = align([connects([T0 + 10 * S], [T0 + 10.4 * S])]);
    const from = -0.6 * S;
    const to = 0.4 * S + LATENCY_US;
    assert.deepEqual(alignment, {
      offsetUs: (from + to) / 2,
      errorUs: (to - from) / 2,
      pairs: 1,
      ambiguous: false,
      alternatives: [],
    });
  });

  it('intersects the intervals of several pairs', () => {
    // 0.9 s into its second, and 0.1 s into its second: together (−0.1 s, 0.1 s + latency].
    const alignment = align([connects([T0, T0 + 25 * S], [T0 + 0.9 * S, T0 + 25.1 * S])]);
    assert.equal(alignment?.pairs, 2);
    assert.equal(alignment.offsetUs - alignment.errorUs, -0.1 * S);
    assert.equal(alignment.offsetUs + alignment.errorUs, 0.1 * S + LATENCY_US);
  });

  it('lets events of another kind decide between shifts that fit one kind', () => {
    const broker = [0, 20, 40, 60].map((at) => T0 + at * S);
    const periodic = connects(broker.slice(0, 3), broker); // fits unshifted and shifted by one cycle
    const subscribe = { ...connects([T0 + 47 * S], [T0 + 47.2 * S]), kind: 'subscribe' };
    assert.equal(align([periodic])?.ambiguous, true);
    const both = align([periodic, subscribe]);
    assert.ok(both !== null && holds(both, 0));
    assert.equal(both.pairs, 4);
  });

  it('has no answer without a pair', () => {
    assert.equal(align([]), null);
    assert.equal(align([connects([], [T0])]), null);
    assert.equal(align([connects([T0], [])]), null);
  });

  it('calls a strictly periodic cycle ambiguous and lists the other shifts', () => {
    const cycle = Array.from({ length: 10 }, (_, number) => T0 + number * 22 * S);
    // The client's log starts one cycle later than the broker's: ten connects of one fit nine of the other twice.
    const alignment = align([connects(cycle.slice(1), cycle)]);
    assert.equal(alignment?.ambiguous, true);
    const shifts = [alignment.offsetUs, ...alignment.alternatives.map((one) => one.offsetUs)];
    for (const shift of [0, -22 * S]) assert.ok(shifts.some((one) => Math.abs(one - shift) < S));
  });

  it('is not ambiguous where the cycles differ in length', () => {
    const cycle = [0, 21.3, 44.9, 65.2, 88.8, 110.1].map((at) => T0 + at * S);
    const alignment = align([connects(stamps(cycle, 0), cycle)]);
    assert.equal(alignment?.ambiguous, false);
    assert.equal(alignment.pairs, cycle.length);
  });

  it('looks only near a given offset, so a zone settles what a cycle leaves open', () => {
    const cycle = Array.from({ length: 10 }, (_, number) => T0 + number * 1800 * S);
    const client = stamps(cycle.slice(1), 8 * HOUR);
    assert.equal(align([connects(client, cycle)])?.ambiguous, true);
    const near = align([connects(client, cycle)], { offsetUs: -8 * HOUR, withinUs: 450 * S });
    assert.ok(near !== null && holds(near, -8 * HOUR));
    assert.equal(near.ambiguous, false);
    assert.equal(align([connects(client, cycle)], { offsetUs: 3 * HOUR + 900 * S, withinUs: 450 * S }), null);
  });

  it('holds the true offset of events that come in pairs across a second', () => {
    // Two events 2 ms apart whose stamps differ by a second: crosswise they fit as well, and must not squeeze the answer.
    const broker = [T0 + 0.999 * S, T0 + 1.001 * S, T0 + 40.999 * S, T0 + 41.001 * S];
    const alignment = align([connects(stamps(broker, 0), broker)]);
    assert.ok(alignment !== null && holds(alignment, 0), JSON.stringify(alignment));
  });

  it('holds the true offset, whatever zone, skew and latency (random)', (t) => {
    const seed = chooseSeed();
    t.diagnostic(`seed ${seed} (BRIDGETRACE_SEED=${seed} runs it again)`);
    const random = seeded(seed);
    const between = (from: number, to: number) => Math.floor(from + random() * (to - from));
    for (let round = 0; round < 500; round += 1) {
      const zone = between(-48, 57) * 900 * S; // −12:00 to +14:00 in quarter hours
      const skew = between(-400 * S, 400 * S);
      const broker: { connect: number[]; subscribe: number[] } = { connect: [], subscribe: [] };
      const client: { connect: number[]; subscribe: number[] } = { connect: [], subscribe: [] };
      let now = T0 + between(0, 86_400 * S);
      for (let connection = between(1, 12); connection >= 0; connection -= 1) {
        now += between(3 * S, 90 * S);
        let at = now;
        for (const kind of ['connect', ...Array(between(0, 4)).fill('subscribe')] as ('connect' | 'subscribe')[]) {
          at += between(100, 30_000);
          broker[kind].push(at);
          client[kind].push(at + between(0, LATENCY_US));
        }
      }
      const alignment = align(
        (['connect', 'subscribe'] as const).map((kind) => ({
          kind,
          client: stamps(client[kind], zone + skew),
          clientPrecisionUs: S,
          broker: broker[kind],
        })),
      );
      assert.ok(alignment !== null);
      const trueOffset = -zone - skew;
      const fits = holds(alignment, trueOffset);
      const listed =
        alignment.ambiguous && alignment.alternatives.some((one) => Math.abs(one.offsetUs - trueOffset) <= 1.3 * S);
      assert.ok(fits || listed, `round ${round}: true ${trueOffset}, got ${JSON.stringify(alignment)}`);
    }
  });

  it('does not depend on the order of the events', () => {
    const cycle = [0, 21.3, 44.9, 65.2, 88.8, 110.1].map((at) => T0 + at * S);
    const client = stamps(cycle, 5.5 * HOUR + 37 * S);
    const straight = align([connects(client, cycle)]);
    assert.deepEqual(align([connects(client.toReversed(), cycle)]), straight);
    assert.deepEqual(align([connects(client, cycle.toReversed())]), straight);
  });
});

describe('explainOffset', () => {
  for (const [what, zoneHours, skewS] of [
    ['UTC', 0, 0],
    ['UTC and a slow clock', 0, -12],
    ['Shanghai and a fast clock', 8, 37],
    ['India, a half-hour zone', 5.5, -3],
    ['Nepal, a quarter-hour zone', 5.75, 1],
    ['New York in winter', -5, 200],
  ] as const) {
    it(`splits ${what} into zone and skew`, () => {
      assert.deepEqual(explainOffset(0 - zoneHours * HOUR - skewS * S), {
        zoneUs: zoneHours * HOUR,
        skewUs: 0 - skewS * S,
      });
    });
  }

  it('calls an offset beyond all zones a wrong clock', () => {
    assert.deepEqual(explainOffset(-20 * HOUR), { zoneUs: 0, skewUs: -20 * HOUR });
  });
});

describe('zones as the user writes them', () => {
  it('takes names and offsets, and knows summer time', () => {
    const summer = Date.UTC(2026, 6, 1) * 1000;
    for (const [zone, at, hours] of [
      ['Asia/Shanghai', T0, 8],
      ['Europe/Berlin', T0, 1],
      ['Europe/Berlin', summer, 2],
      ['America/St_Johns', T0, -3.5],
      ['+05:30', T0, 5.5],
      ['-0330', T0, -3.5],
      ['+8', T0, 8],
      ['Z', T0, 0],
      ['UTC', T0, 0],
    ] as const)
      assert.equal(zoneOffsetUs(zone, at), hours * HOUR, zone);
  });

  it('refuses what is no zone', () => {
    for (const zone of ['Atlantis', '', '08:00', '+8h'])
      assert.throws(
        () => zoneOffsetUs(zone, T0),
        (error) => error instanceof UsageError && error.code === 'unknown-zone',
        zone,
      );
  });

  it('prints an offset in a form that reads back', () => {
    for (const text of ['+00:00', '+08:00', '+05:45', '-03:30', '+14:00', '-12:00'])
      assert.equal(zoneName(zoneOffsetUs(text, T0)), text);
  });
});

it('ends of connections, which the client may see seconds before the broker logs them, still hold the true offset', () => {
  const offset = -8 * 3_600_000_000 - 36_880_000;
  const lags = [0.002, 2.9, 0.1, 0.004, 3.0, 0.3];
  const broker = lags.map((lag, index) => 1_000_000_000 + index * 21_700_000 + lag * 1e6);
  const client = lags.map((_, index) => {
    const seen = 1_000_000_000 + index * 21_700_000 + 1_000;
    return Math.floor((seen - offset) / 1e6) * 1e6;
  });
  const found = align([{ kind: 'end', client, clientPrecisionUs: 1_000_000, broker, clientEarlyUs: 3_300_000 }]);
  assert.ok(found !== null);
  assert.equal(found.pairs, lags.length);
  assert.ok(Math.abs(found.offsetUs - offset) <= found.errorUs, `${found.offsetUs} ± ${found.errorUs}`);
});
