import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quicAvailable } from '../../engine/live/quic-library.ts';
import { SECOND } from '../../engine/time.ts';
import type { Qos } from '../../engine/types.ts';
import { count, downlinks, inOrder, kinds, live, packets, publishes, type Setup, simulated } from './run-setup.ts';
import { skipReason } from './support.ts';

const skip = skipReason(await quicAvailable());

describe('live run', { skip, concurrency: true }, () => {
  it('carries CONNECT, SUBSCRIBE, PUBLISH both ways and PINGREQ over real sockets', async () => {
    const setup: Setup = {
      nanomq: '0.23.10',
      emqx: '5.8.2',
      // Below the protocol timer's 5 s no PINGREQ could come in time.
      bridge: { keepaliveS: 5, parallel: 8 },
      stimuli: inOrder(
        publishes(20, 1 * SECOND, SECOND / 20, (index) => (index % 2) as Qos),
        downlinks(5, 1 * SECOND, SECOND / 5, 1),
      ),
      seconds: 12,
      live: { speed: 2 },
    };
    const outcome = await live(setup);
    const { up, down } = outcome.summary;
    assert.deepEqual(up.delivered, { 0: 10, 1: 10, 2: 0 });
    assert.deepEqual(down.delivered, { 0: 0, 1: 5, 2: 0 });
    assert.equal(outcome.summary.stoppedBy, 'duration');
    assert.equal(packets(outcome, 'mqtt_packet_received', 'CONNECT').length >= 1, true);
    assert.equal(packets(outcome, 'mqtt_packet_sent', 'CONNACK').length >= 1, true);
    assert.ok(count(outcome, 'bridge_suback_code') >= 1);
    assert.ok(count(outcome, 'ping_sent') >= 1);
    assert.ok(packets(outcome, 'mqtt_packet_received', 'PINGREQ').length >= 1);
    assert.ok(packets(outcome, 'mqtt_packet_sent', 'PINGRESP').length >= 1);
    const routed = outcome.records.filter((record) => record.event === 'publish_routed' && record.clientId === null);
    assert.ok(routed.some((record) => record.fields?.payload_bytes === 19 * 40));
    assert.deepEqual(
      [...kinds(simulated(setup))].filter((kind) => !kinds(outcome).has(kind)),
      [],
    );
  });

  it('is disconnected with 141 by downlink-only traffic and reconnects, as the simulator is; 0.23.10 is not', async () => {
    const defect: Setup = {
      nanomq: '0.23.1',
      emqx: '5.8.2',
      bridge: { keepaliveS: 8, backoffMaxS: 1 },
      // QoS 0: a PUBACK would count as a sign of life.
      stimuli: downlinks(150, SECOND / 2, SECOND / 5, 0),
      seconds: 31,
      live: { speed: 4 },
    };
    const [outcome, fixed] = await Promise.all([live(defect), live({ ...defect, nanomq: '0.23.10' })]);
    const expected = simulated(defect);
    for (const run of [outcome, expected]) {
      const disconnects = packets(run, 'mqtt_packet_sent', 'DISCONNECT');
      assert.ok(disconnects.length >= 1);
      assert.equal(disconnects[0]!.fields?.reason_code, 141);
      assert.ok(count(run, 'socket_force_closed') >= 1);
      assert.ok(count(run, 'bridge_connected') >= 2, 'it reconnects');
      assert.equal(count(run, 'ping_sent'), 0);
    }
    assert.deepEqual(kinds(outcome), kinds(expected));
    const lossAt = outcome.records.find((record) => record.event === 'bridge_disconnected')!.at;
    const back = outcome.records.find((record) => record.event === 'bridge_connected' && record.at > lossAt);
    assert.ok(back && back.at - lossAt < 10 * SECOND);
    assert.equal(packets(fixed, 'mqtt_packet_sent', 'DISCONNECT').length, 0);
    assert.ok(count(fixed, 'ping_sent') >= 1);
  });

  for (const brokerDown of ['silent', 'refused'] as const) {
    it(`survives a broker restart on the same port; the stopped broker's port is ${brokerDown}`, async () => {
      const outcome = await live({
        nanomq: '0.23.10',
        emqx: '5.8.2',
        bridge: { keepaliveS: 10, quicHandshakeTimeoutS: 2, backoffMaxS: 1 },
        stimuli: inOrder(
          [
            { at: 2 * SECOND, kind: 'broker-stop' },
            { at: 7 * SECOND, kind: 'broker-start' },
          ],
          publishes(40, 0, SECOND / 4, () => 1),
        ),
        seconds: 15,
        live: { speed: 3, link: { delayMs: 0, jitterMs: 0, loss: 0, brokerDown } },
      });
      assert.equal(count(outcome, 'node_boot'), 2);
      const closes = outcome.records.filter((record) => record.event === 'quic_shutdown_by_peer');
      assert.equal(closes[0]?.fields?.error_code, 0);
      const failure = brokerDown === 'refused' ? 'quic_host_unreachable' : 'quic_connection_timeout';
      assert.ok(count(outcome, failure) >= 1);
      assert.ok(count(outcome, 'bridge_connected') >= 2, 'it reconnects');
    });
  }

  it('loses the connection when the network goes, and both ends notice', async () => {
    const outcome = await live({
      nanomq: '0.23.10',
      emqx: '5.8.2',
      bridge: { keepaliveS: 3, quicDisconnectTimeoutS: 3, quicHandshakeTimeoutS: 3, backoffMaxS: 1, quicKeepaliveS: 1 },
      stimuli: inOrder(
        [
          { at: 3 * SECOND, kind: 'network', down: true },
          { at: 12 * SECOND, kind: 'network', down: false, delayMs: 5, jitterMs: 2, loss: 0.02 },
        ],
        publishes(60, 0, SECOND / 4, (index) => (index % 2) as Qos),
      ),
      seconds: 25,
      live: { speed: 4 },
    });
    assert.ok(count(outcome, 'quic_connection_timeout') >= 1);
    assert.ok(count(outcome, 'bridge_connected') >= 2);
    assert.ok(count(outcome, 'connection_terminated') >= 1);
    const { offered, delivered, lost, held } = outcome.summary.up;
    const total = (by: Readonly<Record<Qos, number>>): number => by[0] + by[1] + by[2];
    assert.equal(total(offered), total(delivered) + total(lost) + held);
  });

  it('refuses a speed that timers cannot follow', async () => {
    const setup: Setup = { nanomq: '0.23.10', emqx: '5.8.2', stimuli: [], seconds: 1 };
    await assert.rejects(live({ ...setup, live: { speed: 6 } }), { code: 'bad-speed' });
  });

  it('samples how the path is doing', async () => {
    const outcome = await live({ nanomq: '0.23.10', emqx: '5.8.2', stimuli: [], seconds: 5, live: { speed: 2 } });
    const samples = outcome.records.filter((record) => record.event === 'live_transport_stats');
    assert.ok(samples.length >= 1);
    const last = samples.at(-1)!.fields!;
    assert.ok(Number(last.cwnd_bytes) > 0 && Number(last.sent) > 0 && Number(last.rtt_ms) >= 0);
  });

  it('survives a killed broker, a paused one and a new source port', async () => {
    const outcome = await live({
      nanomq: '0.23.10',
      emqx: '5.8.2',
      bridge: { keepaliveS: 5, quicDisconnectTimeoutS: 4, quicHandshakeTimeoutS: 2, backoffMaxS: 1, parallel: 8 },
      stimuli: inOrder(
        [
          { at: 4 * SECOND, kind: 'broker-pause' },
          { at: 6 * SECOND, kind: 'broker-resume' },
          { at: 8 * SECOND, kind: 'nat-rebind' },
          { at: 12 * SECOND, kind: 'broker-kill' },
          { at: 15 * SECOND, kind: 'broker-start' },
        ],
        publishes(96, 0, SECOND / 4, () => 1),
      ),
      seconds: 26,
      live: { speed: 3 },
    });
    const connects = outcome.records.filter((record) => record.event === 'bridge_connected');
    const losses = outcome.records.filter((record) => record.event === 'bridge_disconnected');
    assert.ok(losses.length >= 1 && losses[0]!.at > 12 * SECOND, 'neither the pause nor the rebinding ends it');
    assert.ok(connects.at(-1)!.at > 15 * SECOND, 'it comes back after the kill');
    assert.equal(count(outcome, 'node_boot'), 2);
  });
});

describe('live run over TCP', { concurrency: true }, () => {
  it('carries messages of all QoS both ways, without the QUIC library', async () => {
    const outcome = await live({
      nanomq: '0.23.10',
      emqx: '5.8.2',
      bridge: { transport: 'tcp', keepaliveS: 5, parallel: 8 },
      stimuli: inOrder(
        publishes(30, SECOND, SECOND / 10, (index) => (index % 3) as Qos),
        downlinks(5, SECOND, SECOND / 5, 1),
      ),
      seconds: 12,
      live: { speed: 2 },
    });
    const { up, down } = outcome.summary;
    assert.deepEqual(up.delivered, { 0: 10, 1: 10, 2: 10 });
    assert.deepEqual(down.delivered, { 0: 0, 1: 5, 2: 0 });
  });

  for (const brokerDown of ['silent', 'refused'] as const) {
    it(`comes back after a restart of the broker whose port is ${brokerDown}, and after an outage`, async () => {
      const outcome = await live({
        nanomq: '0.23.10',
        emqx: '5.8.2',
        bridge: { transport: 'tcp', keepaliveS: 5, backoffMaxS: 1 },
        stimuli: inOrder(
          [
            { at: 2 * SECOND, kind: 'broker-stop' },
            { at: 5 * SECOND, kind: 'broker-start' },
            { at: 12 * SECOND, kind: 'network', down: true },
            { at: 14 * SECOND, kind: 'network', down: false, delayMs: 5, loss: 0.02 },
          ],
          publishes(60, 0, SECOND / 4, () => 1),
        ),
        seconds: 24,
        live: { speed: 3, link: { delayMs: 2, jitterMs: 1, loss: 0, brokerDown } },
      });
      assert.ok(count(outcome, 'bridge_connected') >= 2, 'it reconnects');
      const { offered, delivered, lost, held } = outcome.summary.up;
      assert.equal(offered[1], delivered[1] + lost[1] + held);
      const late = outcome.records.filter((record) => record.event === 'publish_routed' && record.at > 14.5 * SECOND);
      assert.ok(late.length > 0, 'messages pass after the outage');
    });
  }
});
