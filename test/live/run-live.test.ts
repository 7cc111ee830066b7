import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quicAvailable } from '../../engine/live/quic-library.ts';
import { type LiveOptions, runLive } from '../../engine/live/run-live.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/profiles/emqx.ts';
import { bridgeDefaults, bridgeProfile } from '../../engine/profiles/nanomq.ts';
import type { SimSummary } from '../../engine/sim/options.ts';
import { simulate } from '../../engine/sim/simulate.ts';
import { SECOND } from '../../engine/time.ts';
import type { BridgeSettings, BrokerSettings, Qos, SimRecord, Stimulus } from '../../engine/types.ts';
import { skipReason } from './support.ts';

const skip = skipReason(await quicAvailable());

interface Setup {
  readonly nanomq: string;
  readonly emqx: string;
  readonly bridge?: Partial<BridgeSettings>;
  readonly broker?: Partial<BrokerSettings>;
  readonly stimuli: readonly Stimulus[];
  readonly seconds: number;
  readonly live?: Partial<LiveOptions>;
}

function optionsOf({ nanomq, emqx, bridge, broker, stimuli, seconds, live }: Setup): LiveOptions {
  return {
    bridge: {
      profile: bridgeProfile(nanomq, 'quic').profile,
      settings: {
        ...bridgeDefaults(nanomq, 'quic'),
        protocol: 5,
        clientId: 'edge-1',
        maxSendQueueLen: 64,
        subscriptions: [{ topic: 'down/#', qos: 1 }],
        ...bridge,
      },
    },
    broker: { profile: brokerProfile(emqx).profile, settings: { ...DEFAULT_BROKER_SETTINGS, ...broker } },
    stimuli,
    durationUs: seconds * SECOND,
    seed: 7,
    ...live,
  };
}

interface Outcome {
  readonly summary: SimSummary;
  readonly records: readonly SimRecord[];
}

async function live(setup: Setup): Promise<Outcome> {
  const records: SimRecord[] = [];
  const summary = await runLive(optionsOf(setup), (record) => records.push(record));
  assertSound({ summary, records });
  return { summary, records };
}

function simulated(setup: Setup): Outcome {
  const records: SimRecord[] = [];
  const summary = simulate(optionsOf(setup), (record) => records.push(record));
  return { summary, records };
}

/** Holds for every run: times in order and within the run, no message unaccounted for. */
function assertSound({ summary, records }: Outcome): void {
  assert.equal(summary.records, records.length);
  assert.equal(summary.unaccounted, 0);
  let last = 0;
  for (const { at } of records) {
    assert.ok(Number.isInteger(at) && at >= last && at <= summary.endedAt, `record at ${at} after ${last}`);
    last = at;
  }
}

const count = ({ records }: Outcome, event: string): number =>
  records.filter((record) => record.event === event).length;

/** Broker's trace: packets of one kind on control streams. */
const packets = ({ records }: Outcome, event: string, packet: string): SimRecord[] =>
  records.filter((record) => record.event === event && record.fields?.packet === packet);

const kinds = ({ records }: Outcome): Set<string> =>
  new Set(records.map(({ endpoint, event }) => `${endpoint} ${event}`));

function publishes(count: number, fromUs: number, everyUs: number, qosOf: (index: number) => Qos): Stimulus[] {
  return Array.from({ length: count }, (_, index) => ({
    at: fromUs + index * everyUs,
    kind: 'publish' as const,
    message: { seq: index, topic: `up/${index % 3}`, qos: qosOf(index), size: index * 40 },
  }));
}

function downlinks(count: number, fromUs: number, everyUs: number, qos: Qos): Stimulus[] {
  return Array.from({ length: count }, (_, index) => ({
    at: fromUs + index * everyUs,
    kind: 'downlink' as const,
    message: { seq: index, topic: 'down/x', qos, size: 50 },
  }));
}

const inOrder = (...lists: readonly Stimulus[][]): Stimulus[] => lists.flat().sort((left, right) => left.at - right.at);

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
      bridge: { keepaliveS: 6, backoffMaxS: 1 },
      // QoS 0: a PUBACK would count as a sign of life.
      stimuli: downlinks(175, SECOND / 2, SECOND / 5, 0),
      seconds: 36,
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

  it('survives a broker restart: code 0, then the same port again', async () => {
    const setup: Setup = {
      nanomq: '0.23.10',
      emqx: '5.8.2',
      bridge: { keepaliveS: 10, quicHandshakeTimeoutS: 2, backoffMaxS: 1 },
      stimuli: inOrder(
        [
          { at: 2 * SECOND, kind: 'broker-stop' },
          { at: 4 * SECOND, kind: 'broker-start' },
        ],
        publishes(60, 0, SECOND / 4, () => 1),
      ),
      seconds: 18,
      live: { speed: 3 },
    };
    for (const brokerDown of ['silent', 'refused'] as const) {
      const link = { delayMs: 0, jitterMs: 0, loss: 0, brokerDown };
      const outcome = await live({ ...setup, live: { ...setup.live, link } });
      assert.ok(count(outcome, 'bridge_connected') >= 2, `${brokerDown}: it reconnects`);
      const closes = outcome.records.filter((record) => record.event === 'quic_shutdown_by_peer');
      assert.equal(closes[0]?.fields?.error_code, 0);
      assert.equal(count(outcome, 'node_boot'), 2);
      const failure = brokerDown === 'refused' ? 'quic_host_unreachable' : 'quic_connection_timeout';
      assert.ok(count(outcome, failure) + count(outcome, 'bridge_connected') >= 2);
    }
  });

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

  it('stops at the signal with its reason and leaves no socket behind', async () => {
    const controller = new AbortController();
    const stop = new Error('enough');
    setTimeout(() => controller.abort(stop), 300);
    const setup: Setup = {
      nanomq: '0.23.10',
      emqx: '5.8.2',
      stimuli: [],
      seconds: 60,
      live: { signal: controller.signal },
    };
    await assert.rejects(live(setup), stop);
  });

  it('passes on what the sink throws', async () => {
    const options = optionsOf({ nanomq: '0.23.10', emqx: '5.8.2', stimuli: [], seconds: 5 });
    const sink = (record: SimRecord): void => {
      if (record.event === 'bridge_connected') throw new Error('disk full');
    };
    await assert.rejects(runLive(options, sink), /disk full/);
  });

  it('stops after maxEvents', async () => {
    const { summary } = await live({
      nanomq: '0.23.10',
      emqx: '5.8.2',
      stimuli: [],
      seconds: 5,
      live: { maxEvents: 5 },
    });
    assert.deepEqual([summary.stoppedBy, summary.events], ['max-events', 5]);
  });

  it('refuses TCP and a speed that timers cannot follow', async () => {
    const setup: Setup = { nanomq: '0.23.10', emqx: '5.8.2', stimuli: [], seconds: 1 };
    await assert.rejects(live({ ...setup, live: { speed: 6 } }), { code: 'bad-speed' });
    await assert.rejects(live({ ...setup, bridge: { transport: 'tcp' } }), { code: 'transport-unsupported' });
  });
});
