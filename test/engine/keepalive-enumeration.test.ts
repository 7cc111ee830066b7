import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { armKeepalive, checkKeepalive, type Keepalive, restartByPing } from '../../engine/broker/keepalive.ts';
import { timeToDisconnect } from '../../engine/checks/keepalive-arithmetic.ts';
import { type BrokerProfile, brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/index.ts';

const MS = 1_000;
const K_MAX_S = 120;

/** One release a generation; what differs between A1, A2 and A3 is how the first tick counts. */
const GENERATIONS: readonly (readonly [string, BrokerProfile['generation']])[] = [
  ['4.4.19', 'A1'],
  ['5.0.4', 'A2'],
  ['5.0.14', 'A3'],
  ['5.7.1', 'B'],
  ['5.8.1', 'C'],
  ['5.8.2', 'D'],
];

/** emqx-keepalive-model §1.3, written out again: what the closed forms of the checker must give. */
const TABLE: readonly {
  readonly k: number;
  readonly a13: number;
  readonly a2: number;
  readonly a: readonly [number, number];
  readonly bOnly: number;
  readonly b: readonly [number, number];
  readonly cOnly: number;
  readonly c: readonly [number, number];
}[] = [
  { k: 5, a13: 11.25, a2: 7.5, a: [7.5, 11.25], bOnly: 7.5, b: [7.5, 15], cOnly: 7.5, c: [7.5, 10] },
  { k: 10, a13: 22.5, a2: 15, a: [15, 22.5], bOnly: 15, b: [15, 30], cOnly: 15, c: [15, 20] },
  { k: 30, a13: 67.5, a2: 45, a: [45, 67.5], bOnly: 45, b: [45, 90], cOnly: 45, c: [45, 60] },
  { k: 60, a13: 135, a2: 90, a: [90, 135], bOnly: 90, b: [90, 180], cOnly: 90, c: [90, 120] },
  { k: 120, a13: 270, a2: 180, a: [180, 270], bOnly: 180, b: [180, 360], cOnly: 180, c: [180, 210] },
  { k: 300, a13: 675, a2: 450, a: [450, 675], bOnly: 450, b: [450, 900], cOnly: 450, c: [450, 480] },
  { k: 1, a13: 2.25, a2: 1.5, a: [1.5, 2.25], bOnly: 1.5, b: [1.5, 3], cOnly: 2, c: [2, 3] },
];

function arm(profile: BrokerProfile, keepaliveS: number): Keepalive {
  return armKeepalive(profile, DEFAULT_BROKER_SETTINGS, keepaliveS, 1, 0)!;
}

/** Runs the ticks with the counter at `count` until the check gives up; the time of that tick. */
function runOut(profile: BrokerProfile, keepalive: Keepalive, count: number): number {
  for (;;) {
    const now = keepalive.checkAt;
    if (checkKeepalive(profile, keepalive, count, now)) return now;
  }
}

/** The end if packet number two, and the last, comes at `last`, before the tick of the same instant. */
function endAfterPacketAt(profile: BrokerProfile, keepaliveS: number, last: number): number {
  const keepalive = arm(profile, keepaliveS);
  while (keepalive.checkAt < last) {
    const now = keepalive.checkAt;
    // Packets of earlier periods kept it alive: the counter moved.
    assert.equal(checkKeepalive(profile, keepalive, -now, now), false);
  }
  return runOut(profile, keepalive, 2);
}

describe('keepalive arithmetic, enumerated', () => {
  it('the closed forms are those of the table', () => {
    for (const row of TABLE) {
      const form = (emqx: string, last: 'connect' | 'pingreq' | 'other') => {
        const { profile } = brokerProfile(emqx);
        const { from, to } = timeToDisconnect(profile, DEFAULT_BROKER_SETTINGS, row.k, last)!;
        return last === 'other' ? [from / 1e6, to / 1e6] : from / 1e6;
      };
      assert.equal(form('4.4.19', 'connect'), row.a13);
      assert.equal(form('5.0.4', 'connect'), row.a2);
      assert.equal(form('5.0.14', 'connect'), row.a13);
      assert.deepEqual(form('5.0.14', 'other'), row.a);
      assert.equal(form('5.3.2', 'connect'), row.bOnly);
      assert.deepEqual(form('5.3.2', 'other'), row.b);
      for (const emqx of ['5.8.1', '5.8.2']) {
        assert.equal(form(emqx, 'connect'), row.cOnly);
        assert.equal(form(emqx, 'pingreq'), row.cOnly);
        assert.deepEqual(form(emqx, 'other'), row.c);
      }
    }
  });

  for (const [emqx, generation] of GENERATIONS) {
    const { profile } = brokerProfile(emqx);

    it(`${generation}: a lone CONNECT ends at the exact time for every K from 1 to ${K_MAX_S} s`, () => {
      for (let keepaliveS = 1; keepaliveS <= K_MAX_S; keepaliveS++) {
        const { from } = timeToDisconnect(profile, DEFAULT_BROKER_SETTINGS, keepaliveS, 'connect')!;
        assert.equal(runOut(profile, arm(profile, keepaliveS), 1), from, `K=${keepaliveS}`);
      }
    });

    it(`${generation}: a last packet at every millisecond of a period ends inside the interval, and both ends are reached`, () => {
      for (let keepaliveS = 1; keepaliveS <= K_MAX_S; keepaliveS++) {
        const { from, to } = timeToDisconnect(profile, DEFAULT_BROKER_SETTINGS, keepaliveS, 'other')!;
        const { period } = arm(profile, keepaliveS);
        let shortest = Number.POSITIVE_INFINITY;
        let longest = 0;
        for (let last = MS; last <= period; last += MS) {
          const idle = endAfterPacketAt(profile, keepaliveS, last) - last;
          if (idle < shortest) shortest = idle;
          if (idle > longest) longest = idle;
        }
        assert.equal(shortest, from, `K=${keepaliveS}: shortest`);
        assert.equal(longest, to - MS, `K=${keepaliveS}: longest`);
      }
    });

    it(`${generation}: the interval is the same in later periods`, () => {
      for (let keepaliveS = 1; keepaliveS <= K_MAX_S; keepaliveS++) {
        const { from, to } = timeToDisconnect(profile, DEFAULT_BROKER_SETTINGS, keepaliveS, 'other')!;
        const { period } = arm(profile, keepaliveS);
        for (let last = period + MS; last <= 4 * period; last += 97 * MS) {
          const idle = endAfterPacketAt(profile, keepaliveS, last) - last;
          assert.ok(idle >= from && idle < to, `K=${keepaliveS} last=${last} idle=${idle}`);
        }
      }
    });
  }

  for (const emqx of ['5.7.2', '5.8.2']) {
    it(`${emqx}: a last PINGREQ at every millisecond of a period ends N·I later exactly`, () => {
      const { profile } = brokerProfile(emqx);
      for (let keepaliveS = 1; keepaliveS <= K_MAX_S; keepaliveS++) {
        const { from } = timeToDisconnect(profile, DEFAULT_BROKER_SETTINGS, keepaliveS, 'pingreq')!;
        const { period } = arm(profile, keepaliveS);
        for (let last = MS; last <= period; last += MS) {
          const keepalive = arm(profile, keepaliveS);
          restartByPing(profile, keepalive, 2, last);
          const end = runOut(profile, keepalive, 2);
          if (end - last !== from) assert.fail(`K=${keepaliveS} ping=${last} idle=${end - last}`);
        }
      }
    });
  }

  it('A and B: a PINGREQ does not move the ticks', () => {
    for (const emqx of ['4.4.19', '5.0.14', '5.3.2']) {
      const { profile } = brokerProfile(emqx);
      const keepalive = arm(profile, 10);
      const before = { ...keepalive };
      restartByPing(profile, keepalive, 2, 3_000_000);
      assert.deepEqual(keepalive, before);
    }
  });

  it('keepalive_backoff, keepalive_multiplier and keepalive_check_interval are taken from the settings', () => {
    const end = (emqx: string, settings: Partial<typeof DEFAULT_BROKER_SETTINGS>): number => {
      const { profile } = brokerProfile(emqx);
      const keepalive = armKeepalive(profile, { ...DEFAULT_BROKER_SETTINGS, ...settings }, 60, 1, 0)!;
      return runOut(profile, keepalive, 1) / 1e6;
    };
    assert.equal(end('5.0.14', { keepaliveBackoff: 1 }), 180);
    assert.equal(end('5.3.2', { keepaliveMultiplier: 2 }), 120);
    // M = 150 s in steps of 30 s.
    assert.equal(end('5.8.2', { keepaliveMultiplier: 2.5 }), 150);
    // I = 7 s, M = 90 s: 13 steps.
    assert.equal(end('5.8.2', { keepaliveCheckIntervalMs: 7_000 }), 91);
    // I is at most half of the keepalive.
    assert.equal(end('5.8.2', { keepaliveCheckIntervalMs: 50_000 }), 90);
  });
});
