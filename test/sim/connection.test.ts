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
    const ends = new TwoEnds({ initialWindowPackets: 1_000 }, { delayMs: 100 });
    for (let index = 0; index < 8; index++) ends.at(index, () => ends.send('bridge', 3, 16_384));
    ends.runTo(150 * MILLISECOND);
    assert.equal(ends.arrivals.length, 4);
    ends.runTo(2 * SECOND);
    assert.equal(ends.arrivals.length, 8);
  });

  it('sends no more than the connection window of 16 MiB, whatever the streams would allow', () => {
    const ends = new TwoEnds({ initialWindowPackets: 100_000 }, { delayMs: 100 });
    // A packet starts if the window of its stream has room and goes out whole.
    for (const stream of [1, 2, 3]) ends.at(stream, () => ends.send('bridge', stream, 8_388_608));
    ends.runTo(150 * MILLISECOND);
    assert.deepEqual(
      ends.arrivals.map(({ stream }) => stream),
      [1, 2],
    );
    ends.runTo(2 * SECOND);
    assert.deepEqual(
      ends.arrivals.map(({ stream }) => stream),
      [1, 2, 3],
    );
  });

  it('starts with ten packets of 1200 bytes and doubles what it sends with every round trip', () => {
    const ends = new TwoEnds({}, { delayMs: 100 });
    for (let index = 0; index < 100; index++) ends.at(index, () => ends.send('bridge', index % 5, 1_200));
    const arrivedBy = (ms: number): number => {
      ends.runTo(ms * MILLISECOND);
      return ends.arrivals.length;
    };
    assert.deepEqual([150, 350, 550, 750].map(arrivedBy), [10, 30, 70, 100]);
  });

  it('a loss cuts the window to seven tenths: less is under way afterwards', () => {
    // 1 MB in packets of 1200 bytes over a path whose queue holds 20 of them.
    const underWayMax = (queueBytes: number): { arrived: number; lastAt: number } => {
      const ends = new TwoEnds({}, { delayMs: 50 });
      ends.link.change({ rateBytesPerS: 125_000, queueBytes });
      for (let index = 0; index < 200; index++) ends.at(index, () => ends.send('bridge', index % 5, 1_200));
      ends.runTo(60 * SECOND);
      return { arrived: ends.arrivals.length, lastAt: ends.arrivals.at(-1)!.at };
    };
    const roomy = underWayMax(1_000_000);
    const tight = underWayMax(12_000);
    assert.deepEqual([roomy.arrived, tight.arrived], [200, 200]);
    // 250,000 bytes with their headers at 125,000 bytes a second take 2 s at least.
    assert.ok(roomy.lastAt >= 2 * SECOND && roomy.lastAt < 3 * SECOND, `${roomy.lastAt}`);
    assert.ok(tight.lastAt > roomy.lastAt && tight.lastAt < 6 * SECOND, `${tight.lastAt}`);
  });

  it('probes with two packets however much is outstanding, and sends the rest when one is acknowledged', () => {
    const ends = new TwoEnds();
    ends.at(SECOND, () => ends.link.change({ from: 'bridge', down: true }));
    for (let index = 0; index < 8; index++) ends.at(SECOND + 1 + index, () => ends.send('bridge', index % 5, 100));
    // Long after the first probes: the next of them is at most half a second and the ack delay away.
    ends.at(6 * SECOND, () => ends.link.change({ from: 'bridge', down: false }));
    ends.runTo(8 * SECOND);
    assert.equal(ends.arrivals.length, 8);
    const instants = new Set(ends.arrivals.map(({ at }) => at));
    assert.ok(instants.size > 1, 'not all at once');
    assert.equal(ends.arrivals.filter(({ at }) => at === ends.arrivals[0]!.at).length, 2);
    assert.ok(ends.arrivals.at(-1)!.at < 6_700 * MILLISECOND, `${ends.arrivals.at(-1)!.at}`);
  });

  it("TCP's timeout sends one segment's worth, then twice as much with every acknowledgement", () => {
    const ends = new TwoEnds({ transport: 'tcp' }, { delayMs: 100 });
    ends.link.change({ down: true });
    for (let index = 0; index < 7; index++) ends.at(index, () => ends.send('bridge', 0, 1_200));
    ends.at(100 * MILLISECOND, () => ends.link.change({ down: false }));
    ends.runTo(10 * SECOND);
    const sizes = new Map<number, number>();
    for (const { at } of ends.arrivals) sizes.set(at, (sizes.get(at) ?? 0) + 1);
    assert.deepEqual([...sizes.values()], [1, 2, 4]);
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

  it('stays for a while after a close: until the peer has answered, or three probe timeouts; the peer for two round trips', () => {
    const isGone = (ends: TwoEnds, end: 'bridge' | 'broker', ms: number): boolean => {
      ends.runTo(SECOND + ms * MILLISECOND);
      return !ends.connection.isShuttingDown(end);
    };
    const answered = new TwoEnds();
    answered.at(SECOND, () => answered.connection.close('bridge', 0));
    assert.deepEqual([isGone(answered, 'bridge', 19), isGone(answered, 'bridge', 20)], [false, true]);
    const silent = new TwoEnds();
    silent.link.change({ down: true });
    silent.at(SECOND, () => silent.connection.close('bridge', 0));
    // Three times the round trip of 20 ms, the peer's max_ack_delay of 25 ms and the timer's grain of 1 ms.
    assert.deepEqual([isGone(silent, 'bridge', 137), isGone(silent, 'bridge', 138)], [false, true]);
    const closedByPeer = new TwoEnds();
    closedByPeer.at(SECOND, () => closedByPeer.connection.close('broker', 0));
    assert.deepEqual([isGone(closedByPeer, 'bridge', 49), isGone(closedByPeer, 'bridge', 50)], [false, true]);
    const timedOut = new TwoEnds({ idleTimeoutS: 1 });
    assert.equal(isGone(timedOut, 'bridge', 0), true, 'nobody is told of a timeout');
    const tcp = new TwoEnds({ transport: 'tcp' });
    tcp.at(SECOND, () => tcp.connection.close('bridge', 0));
    assert.equal(isGone(tcp, 'bridge', 0), true);
  });

  it('counts what an end receives besides packets: headers, acknowledgements, PINGs, what comes twice', () => {
    const ends = new TwoEnds({ keepaliveS: { bridge: 5, broker: 0 } });
    const overheadAt = (s: number): number => {
      ends.runTo(s * SECOND);
      return ends.connection.takeOverhead('broker');
    };
    ends.at(SECOND, () => ends.send('bridge', 0, 100));
    assert.equal(overheadAt(2), 22, 'the headers of one packet');
    assert.equal(overheadAt(4), 0);
    assert.equal(overheadAt(8), 23, 'a PING');
    ends.at(9 * SECOND, () => ends.send('broker', 0, 100));
    assert.equal(overheadAt(10), 52, 'an acknowledgement');
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
