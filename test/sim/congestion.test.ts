import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Congestion, cubeRoot, DATAGRAM_BYTES } from '../../engine/sim/congestion.ts';
import { MILLISECOND, SECOND } from './network.ts';

const ROUND_TRIP = 100 * MILLISECOND;

/** A window that is always used: one round trip after another is acknowledged whole. */
function roundTrips(congestion: Congestion, from: number, count: number): number {
  let now = from;
  for (let trip = 0; trip < count; trip++) {
    const packets = Math.floor(congestion.windowBytes / DATAGRAM_BYTES);
    for (let packet = 0; packet < packets; packet++) congestion.sent(DATAGRAM_BYTES);
    now += ROUND_TRIP;
    for (let packet = 0; packet < packets; packet++) {
      congestion.sent(DATAGRAM_BYTES);
      congestion.acked(DATAGRAM_BYTES, now - ROUND_TRIP + 1, now, ROUND_TRIP);
    }
    for (let packet = 0; packet < packets; packet++) congestion.forgotten(DATAGRAM_BYTES);
  }
  return now;
}

describe('congestion control', () => {
  it('begins with ten packets and doubles with every round trip (RFC 9002 §7.3.1)', () => {
    const congestion = new Congestion();
    assert.equal(congestion.windowBytes, 12_000);
    roundTrips(congestion, 0, 3);
    assert.equal(congestion.windowBytes, 96_000);
  });

  it('a packet more goes out as long as less than the window is under way', () => {
    const congestion = new Congestion(2);
    congestion.sent(2_399);
    assert.equal(congestion.allows, true);
    congestion.sent(1);
    assert.equal(congestion.allows, false);
    congestion.forgotten(1);
    assert.equal(congestion.allows, true);
  });

  it('does not grow while less than half of it is used (RFC 9002 §7.8)', () => {
    const congestion = new Congestion();
    for (let packet = 1; packet <= 100; packet++) {
      congestion.sent(1_200);
      congestion.acked(1_200, packet, packet + 1, ROUND_TRIP);
    }
    assert.equal(congestion.windowBytes, 12_000);
  });

  it('falls to seven tenths at a loss, once for all that was sent before it was noticed (RFC 9438 §4.6)', () => {
    const congestion = new Congestion(100);
    for (let packet = 0; packet < 50; packet++) congestion.sent(DATAGRAM_BYTES);
    congestion.lost(DATAGRAM_BYTES, 10, SECOND);
    assert.equal(congestion.windowBytes, 84_000);
    congestion.lost(DATAGRAM_BYTES, 20, SECOND + 1);
    congestion.lost(DATAGRAM_BYTES, SECOND, SECOND + 2);
    assert.equal(congestion.windowBytes, 84_000);
    congestion.lost(DATAGRAM_BYTES, SECOND + 1, SECOND + 3);
    assert.equal(congestion.windowBytes, 58_800);
  });

  it('never falls below two packets by losses', () => {
    const congestion = new Congestion(3);
    for (let event = 1; event <= 10; event++) {
      congestion.sent(DATAGRAM_BYTES);
      congestion.lost(DATAGRAM_BYTES, event * SECOND, event * SECOND + 1);
    }
    assert.equal(congestion.windowBytes, 2 * DATAGRAM_BYTES);
  });

  it('comes back to the old window after K and then probes beyond it (RFC 9438 §4.2)', () => {
    const congestion = new Congestion(1_000);
    congestion.sent(DATAGRAM_BYTES);
    congestion.lost(DATAGRAM_BYTES, 0, 1);
    assert.equal(congestion.windowBytes, 840_000);
    // K = cube root of (1000 packets × 0.3 / 0.4) = 9.08 s.
    const atPlateau = roundTrips(congestion, 1, 90);
    assert.ok(Math.abs(congestion.windowBytes - 1_200_000) < 12_000, `${congestion.windowBytes}`);
    roundTrips(congestion, atPlateau, 30);
    // 3 s later 0.4 × 3³ = 10.8 packets more; Reno would have gained about 16 a second at 9/17 a round trip… of a smaller window.
    assert.ok(congestion.windowBytes > 1_205_000 && congestion.windowBytes < 1_240_000, `${congestion.windowBytes}`);
  });

  it('on a path with a small window it is at least as fast as Reno (RFC 9438 §4.3)', () => {
    const congestion = new Congestion(10);
    congestion.sent(DATAGRAM_BYTES);
    congestion.lost(DATAGRAM_BYTES, 0, 1);
    roundTrips(congestion, 1, 20);
    // 7 packets and 9/17 of one each round trip.
    const packets = congestion.windowBytes / DATAGRAM_BYTES;
    assert.ok(packets > 7 + 20 * 0.45 && packets < 7 + 20 * 0.6, `${packets}`);
  });

  it('starts anew after a time without any answer: QUIC with two packets, TCP with one', () => {
    for (const [transport, packets] of [
      ['quic', 2],
      ['tcp', 1],
    ] as const) {
      const congestion = new Congestion(100);
      congestion.collapse(transport, SECOND);
      assert.equal(congestion.windowBytes, packets * DATAGRAM_BYTES);
      roundTrips(congestion, SECOND, 3);
      assert.equal(congestion.windowBytes, 8 * packets * DATAGRAM_BYTES, 'slow start again');
    }
  });

  it('the cube root is the largest whole number whose cube is not above', () => {
    for (const [value, root] of [
      [0, 0],
      [1, 1],
      [7, 1],
      [8, 2],
      [26, 2],
      [27, 3],
      [999_999_999, 999],
      [1_000_000_000, 1_000],
      [8e15, 200_000],
    ] as const)
      assert.equal(cubeRoot(value), root, `${value}`);
  });
});
