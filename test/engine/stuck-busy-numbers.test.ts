/** D3 in numbers (measured §1): N contexts, R publishes a second, T seconds connected, two contexts freed a cycle. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SimRecord } from '../../engine/index.ts';
import { restart, run, SECOND } from './scenario.ts';

interface Row {
  readonly incident: string;
  readonly emqx: string;
  readonly keepaliveS: number;
  readonly n: number;
  readonly r: number;
  readonly t: number;
}

const ROWS: readonly Row[] = [
  { incident: '03a, 03f, 13b', emqx: '5.8.2', keepaliveS: 10, n: 4, r: 10, t: 20 },
  { incident: '03e', emqx: '5.8.2', keepaliveS: 10, n: 4, r: 35, t: 20 },
  { incident: '03n', emqx: '5.8.2', keepaliveS: 10, n: 8, r: 35, t: 20 },
  { incident: 'N = 5', emqx: '5.8.2', keepaliveS: 10, n: 5, r: 20, t: 20 },
  { incident: 'K = 8', emqx: '5.8.2', keepaliveS: 8, n: 8, r: 30, t: 16 },
  { incident: '23', emqx: '5.8.2', keepaliveS: 10, n: 16, r: 35, t: 20 },
  { incident: '22', emqx: '5.3.2', keepaliveS: 10, n: 4, r: 15, t: 30 },
  { incident: '03g', emqx: '5.8.2', keepaliveS: 30, n: 4, r: 10, t: 60 },
];

/** A phase of publishes against the connect, and the two that go another way: what the measured counts scatter by. */
const TOLERANCE = 3;

interface Stay {
  readonly connectedAt: number;
  readonly endedAt: number;
  /** Publishes that parked in the outage before. */
  readonly parkedBefore: number;
  readonly records: readonly SimRecord[];
}

/** Whole connections after the outage, with the records of the bridge while it was connected. */
function stays(records: readonly SimRecord[]): readonly Stay[] {
  const list: Stay[] = [];
  let start: number | null = null;
  let endedAt = 0;
  records.forEach((record, index) => {
    if (record.event === 'bridge_connected') start = index;
    if (record.event !== 'bridge_disconnected' || start === null) return;
    const connectedAt = records[start]!.at;
    const parkedBefore = records.filter(
      ({ event, at }) => event === 'msg_cached_disconnected' && at >= endedAt && at < connectedAt,
    ).length;
    list.push({ connectedAt, endedAt: record.at, parkedBefore, records: records.slice(start, index) });
    endedAt = record.at;
    start = null;
  });
  return list.slice(1);
}

const countOf = (stay: Stay, event: string): number => stay.records.filter((record) => record.event === event).length;

function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= TOLERANCE, `${what}: ${actual}, by the formula ${expected.toFixed(1)}`);
}

describe('stuck-busy in numbers', () => {
  for (const { incident, emqx, keepaliveS, n, r, t } of ROWS) {
    it(`${incident}: N = ${n}, R = ${r}/s, T = ${t} s`, () => {
      const delivered: number[] = [];
      const { records } = run({
        nanomq: '0.23.6',
        emqx,
        bridge: { keepaliveS, parallel: n, quicInitialRttMs: 100 },
        up: { hz: r, fromS: 2, toS: 23 + 6 * (t + 6) },
        faults: restart(15, 23),
        durationS: 23 + 6 * (t + 6),
        onDelivery: (_direction, _message, at) => delivered.push(at),
      });
      // Of a quick redial not all freed contexts have parked again (03n, 15).
      const cycles = stays(records).filter((stay, index) => index === 0 || stay.parkedBefore === 2);
      assert.ok(cycles.length >= 3, `${cycles.length} cycles`);
      for (const stay of cycles) {
        const connected = (stay.endedAt - stay.connectedAt) / SECOND;
        assert.ok(Math.abs(connected - t) < 0.05, `connected for ${connected} s`);
        const arrived = delivered.filter((at) => at >= stay.connectedAt && at < stay.endedAt).length;
        assert.equal(arrived, 1, 'messages delivered');
        near(countOf(stay, 'aio_busy'), ((n - 2) / n) * r * t, 'busy lines');
        near(countOf(stay, 'cached_msg_lost'), ((2 * r) / n) * t - 64, 'overflow lines');
        const first = stay.records.find(({ event }) => event === 'cached_msg_lost')!;
        const after = (first.at - stay.connectedAt) / SECOND;
        assert.ok(Math.abs(after - 64 / ((2 * r) / n)) < (TOLERANCE * n) / (2 * r), `first overflow after ${after} s`);
        assert.equal(countOf(stay, 'ping_sent'), 0);
      }
    });
  }

  it('after the first outage N contexts are parked, after each later one two', () => {
    const { records } = run({
      nanomq: '0.23.5',
      emqx: '5.8.2',
      bridge: { quicInitialRttMs: 100 },
      up: { hz: 35, fromS: 2, toS: 170 },
      faults: restart(15, 23),
      durationS: 170,
    });
    const parked = stays(records).map(({ parkedBefore }) => parkedBefore);
    assert.deepEqual(parked.slice(0, 4), [4, 2, 2, 2]);
  });

  it('with nothing parked again it heals after N/2 cycles (03m)', () => {
    // Publishes come only during the outage: six contexts park, none again.
    const { records, summary } = run({
      nanomq: '0.23.6',
      emqx: '5.8.2',
      bridge: { parallel: 6, quicQosPriority: false, quicInitialRttMs: 100 },
      up: { hz: 5, fromS: 15.2, toS: 18 },
      faults: restart(15, 23),
      durationS: 200,
    });
    const cycles = stays(records);
    assert.equal(records.filter(({ event }) => event === 'msg_cached_disconnected').length, 6);
    assert.equal(cycles.length, 3, 'three connections end, the fourth stays');
    assert.ok(records.some(({ event, at }) => event === 'ping_sent' && at > 150 * SECOND));
    assert.equal(summary.up.delivered[0], 3);
  });
});
