import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BrokerProcess } from '../../engine/sim/broker-process.ts';
import { count, delivered, run, SECOND } from '../engine/scenario.ts';

describe('the process of the broker', () => {
  it('does what waited, in order, when it goes on', () => {
    const process = new BrokerProcess();
    const done: number[] = [];
    process.run(0, () => done.push(1));
    process.pause();
    process.run(0, () => done.push(2));
    process.run(0, () => done.push(3));
    assert.deepEqual(done, [1]);
    process.resume();
    assert.deepEqual(done, [1, 2, 3]);
  });

  it('drops what the socket buffer does not hold, and everything when it is killed', () => {
    const process = new BrokerProcess();
    let done = 0;
    process.pause();
    for (let index = 0; index < 10; index++) process.run(50_000, () => done++);
    process.resume();
    assert.equal(done, 4);
    process.pause();
    process.run(0, () => done++);
    process.kill();
    process.run(0, () => done++);
    assert.equal(done, 5);
  });

  const frozen = (lengthS: number) =>
    run({
      nanomq: '0.23.10',
      emqx: '5.8.2',
      up: { hz: 5, fromS: 2, toS: 120 },
      durationS: 125,
      faults: [
        { at: 20 * SECOND, kind: 'broker-pause' },
        { at: (20 + lengthS) * SECOND, kind: 'broker-resume' },
      ],
    });

  it('frozen for 12 s leaves no trace, and nothing is lost (20)', () => {
    const { records, summary } = frozen(12);
    assert.equal(count(records, 'bridge_disconnected'), 0);
    assert.equal(delivered(summary, 'up'), 590);
  });

  it('frozen for 25 s: the client times out, its new session discards the old one (20)', () => {
    const { records } = frozen(25);
    assert.equal(count(records, 'quic_connection_timeout'), 1);
    const discarded = records.find((record) => record.fields?.reason_code === 142);
    // The CONNECT waits in the socket buffer until the process goes on.
    assert.ok(discarded && discarded.at >= 45 * SECOND && discarded.at < 45.2 * SECOND);
  });

  it('killed: the client learns of it by its disconnect timeout of 20 s (07)', () => {
    const { records } = run({
      nanomq: '0.23.10',
      emqx: '5.8.9',
      up: { hz: 10, fromS: 2, toS: 80 },
      durationS: 80,
      faults: [
        { at: 20 * SECOND, kind: 'broker-kill' },
        { at: 30 * SECOND, kind: 'broker-start' },
      ],
    });
    assert.equal(count(records, 'quic_shutdown_by_peer'), 0);
    const timeout = records.find((record) => record.event === 'quic_connection_timeout')!;
    assert.ok(timeout.at > 39.8 * SECOND && timeout.at < 40.2 * SECOND, `${timeout.at}`);
    assert.equal(count(records, 'bridge_connected'), 2);
  });
});
