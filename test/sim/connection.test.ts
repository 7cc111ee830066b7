import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MILLISECOND, SECOND, TwoEnds } from './network.ts';

describe('a QUIC connection', () => {
  it('delivers after the delay of that direction', () => {
    const ends = new TwoEnds();
    ends.link.change({ from: 'broker', delayMs: 70 });
    ends.at(0, () => ends.send('bridge', 0, 100));
    ends.at(0, () => ends.send('broker', 0, 100));
    ends.runTo(SECOND);
    assert.deepEqual(
      ends.arrivals.map(({ at, to }) => [at, to]),
      [
        [10 * MILLISECOND, 'broker'],
        [70 * MILLISECOND, 'bridge'],
      ],
    );
  });

  it('keeps order within a stream, and a loss holds back that stream only', () => {
    const ends = new TwoEnds();
    ends.link.change({ from: 'bridge', down: true });
    ends.at(0, () => ends.send('bridge', 3, 100)); // lost
    ends.at(1, () => ends.link.change({ from: 'bridge', down: false }));
    ends.at(2, () => ends.send('bridge', 3, 100));
    ends.at(3, () => ends.send('bridge', 4, 100));
    ends.runTo(SECOND);
    assert.deepEqual(
      ends.arrivals.map(({ stream, index }) => [stream, index]),
      [
        [4, 0],
        [3, 0],
        [3, 1],
      ],
    );
    assert.equal(ends.arrivals[0]!.at, 10 * MILLISECOND + 3);
    // Nine eighths of the round trip of 20 ms after it was sent, 1 ms for reordering, and the way.
    assert.ok(ends.arrivals[1]!.at <= 60 * MILLISECOND, `${ends.arrivals[1]!.at}`);
  });

  it('over TCP a lost segment holds back everything behind it, and the timeout doubles', () => {
    const ends = new TwoEnds({ transport: 'tcp' });
    ends.link.change({ down: true });
    ends.at(0, () => ends.send('bridge', 0, 100));
    ends.at(1, () => ends.send('bridge', 0, 100));
    ends.at(1_300 * MILLISECOND, () => ends.link.change({ down: false }));
    ends.runTo(10 * SECOND);
    // Sent again after 200, 400, 800 ms: at 0.2, 0.6 and 1.4 s.
    assert.deepEqual(
      ends.arrivals.map(({ at, index }) => [at, index]),
      [
        [1_410 * MILLISECOND, 0],
        [1_410 * MILLISECOND, 1],
      ],
    );
  });

  it('completes a send when it is copied, and waits once 128 KiB are unacknowledged on the connection', () => {
    const ends = new TwoEnds({}, { delayMs: 500 });
    for (let index = 0; index < 5; index++)
      ends.at(index, () => ends.send('bridge', 3 + (index % 2), 32_768, `${index}`));
    ends.runTo(400 * MILLISECOND);
    assert.deepEqual(
      ends.completions.map(({ name, result }) => [name, result]),
      [
        ['0', 0],
        ['1', 0],
        ['2', 0],
        ['3', 0],
      ],
    );
    ends.runTo(5 * SECOND);
    assert.equal(ends.completions.length, 5);
    assert.ok(ends.completions[4]!.at >= SECOND, 'after an acknowledgement');
  });

  it('sends no more on a stream than the window of 64 KiB until the peer has read', () => {
    const ends = new TwoEnds({}, { delayMs: 100 });
    for (let index = 0; index < 8; index++) ends.at(index, () => ends.send('bridge', 3, 16_384));
    ends.runTo(150 * MILLISECOND);
    assert.equal(ends.arrivals.length, 4);
    ends.runTo(2 * SECOND);
    assert.equal(ends.arrivals.length, 8);
  });

  it('ends with a timeout at the side whose data was not acknowledged for its disconnect timeout', () => {
    const ends = new TwoEnds({ disconnectTimeoutS: 20 });
    ends.at(SECOND, () => ends.link.change({ down: true }));
    ends.at(2 * SECOND, () => ends.send('bridge', 0, 10));
    ends.at(3 * SECOND, () => ends.send('broker', 0, 10));
    ends.runTo(60 * SECOND);
    assert.deepEqual(ends.closes, [
      { at: 19 * SECOND, end: 'broker', cause: { kind: 'timeout' } },
      { at: 22 * SECOND, end: 'bridge', cause: { kind: 'timeout' } },
    ]);
    assert.deepEqual(new Set(ends.abandoned), new Set(['bridge', 'broker']));
  });

  it('an acknowledgement is kept back for max_ack_delay, unless something is sent or a second packet comes', () => {
    // The broker's data of 1 s is not acknowledged before the link breaks, so its 16 s begin then (incidents 14 and 24).
    const late = new TwoEnds({ maxAckDelayMs: 6_000 });
    late.at(SECOND, () => late.send('broker', 0, 10));
    late.at(1_500 * MILLISECOND, () => late.link.change({ down: true }));
    late.runTo(30 * SECOND);
    assert.deepEqual(late.closes[0], { at: 17 * SECOND, end: 'broker', cause: { kind: 'timeout' } });
    const prompt = new TwoEnds({ maxAckDelayMs: 100 });
    prompt.at(SECOND, () => prompt.send('broker', 0, 10));
    prompt.at(1_500 * MILLISECOND, () => prompt.link.change({ down: true }));
    prompt.runTo(30 * SECOND);
    assert.deepEqual(prompt.closes, []);
    const second = new TwoEnds({ maxAckDelayMs: 6_000 });
    second.at(SECOND, () => second.send('broker', 0, 10));
    second.at(1_100 * MILLISECOND, () => second.send('broker', 0, 10));
    second.at(1_500 * MILLISECOND, () => second.link.change({ down: true }));
    second.runTo(30 * SECOND);
    assert.deepEqual(second.closes, []);
  });

  it('goes idle at both ends, and not while either of them sends PINGs', () => {
    const idle = new TwoEnds({ idleTimeoutS: 15 });
    idle.runTo(60 * SECOND);
    assert.deepEqual(
      idle.closes.map(({ at, end, cause }) => [at, end, cause.kind]),
      [
        [15 * SECOND, 'bridge', 'idle'],
        [15 * SECOND, 'broker', 'idle'],
      ],
    );
    for (const keepaliveS of [
      { bridge: 5, broker: 0 },
      { bridge: 0, broker: 5 },
    ]) {
      const kept = new TwoEnds({ idleTimeoutS: 15, keepaliveS });
      kept.runTo(600 * SECOND);
      assert.deepEqual(kept.closes, []);
    }
  });

  it('tells the peer the application code, if the packet arrives', () => {
    const told = new TwoEnds();
    told.at(SECOND, () => told.connection.close('broker', 7));
    told.runTo(2 * SECOND);
    assert.deepEqual(told.closes, [{ at: SECOND + 10 * MILLISECOND, end: 'bridge', cause: { kind: 'peer', code: 7 } }]);
    const lost = new TwoEnds();
    lost.link.change({ down: true });
    lost.at(SECOND, () => lost.connection.close('broker', 7));
    lost.runTo(60 * SECOND);
    assert.deepEqual(lost.closes, []);
  });

  it('a vanished QUIC process says nothing, a TCP one is ended by its kernel', () => {
    const quic = new TwoEnds();
    quic.at(SECOND, () => quic.connection.vanish('broker'));
    quic.runTo(60 * SECOND);
    assert.deepEqual(quic.closes, []);
    const tcp = new TwoEnds({ transport: 'tcp' });
    tcp.at(SECOND, () => tcp.connection.vanish('broker'));
    tcp.runTo(60 * SECOND);
    assert.deepEqual(
      tcp.closes.map(({ end, cause }) => [end, cause.kind]),
      [['bridge', 'peer-fin']],
    );
  });

  it('a new port is no matter to QUIC; over TCP the next packet is answered with a reset', () => {
    for (const [transport, arrivals, closes] of [
      ['quic', 2, []],
      ['tcp', 1, ['reset']],
    ] as const) {
      const ends = new TwoEnds({ transport });
      ends.at(SECOND, () => ends.send('bridge', 0, 10));
      ends.at(2 * SECOND, () => ends.connection.rebind());
      ends.at(3 * SECOND, () => ends.send('bridge', 0, 10));
      ends.runTo(10 * SECOND);
      assert.equal(ends.arrivals.length, arrivals, transport);
      assert.deepEqual(
        ends.closes.map(({ cause }) => cause.kind),
        closes,
      );
    }
  });

  it('a proxy that holds keeps TCP segments and passes them on in order', () => {
    const ends = new TwoEnds({ transport: 'tcp' });
    ends.link.change({ hold: true });
    ends.at(SECOND, () => ends.send('bridge', 0, 10));
    ends.at(2 * SECOND, () => ends.send('bridge', 0, 10));
    ends.runTo(30 * SECOND);
    assert.deepEqual(ends.arrivals, []);
    ends.link.change({ hold: false });
    ends.release();
    assert.deepEqual(
      ends.arrivals.map(({ at, index }) => [at, index]),
      [
        [30 * SECOND, 0],
        [30 * SECOND, 1],
      ],
    );
  });
});
