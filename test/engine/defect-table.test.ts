/**
 * Every defect of nanomq-bridge-model §7 that the machine can show: there in the releases named, and only there. D16 is an index
 * beyond a table: what stands there, and so what happens, is not defined, and no log shows it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bridgeSettings, SHIPPED_SAMPLE } from '../../engine/index.ts';
import { connectedPeer, createPeer, downlink, MS, type Peer, SECOND } from './bridge-harness.ts';
import { blackhole, count, keepaliveDwells, restart, run, type Scenario } from './scenario.ts';

type Transport = 'quic' | 'tcp';

/** First and last release of each range in which something differs, oldest first. */
const QUIC = [
  '0.22.10',
  '0.23.0',
  '0.23.1',
  '0.23.2',
  '0.23.6',
  '0.23.7',
  '0.23.9',
  '0.23.10',
  '0.24.1',
  '0.24.2',
  '0.24.3',
  '0.24.13',
  '0.24.14',
  '0.25.6',
];
const TCP = ['0.22.10', '0.23.1', '0.23.2', '0.23.3', '0.24.2', '0.24.3', '0.24.5', '0.24.14', '0.25.1', '0.25.6'];
const ALL: Readonly<Record<Transport, readonly string[]>> = { quic: QUIC, tcp: TCP };

interface Defect {
  readonly id: string;
  readonly what: string;
  readonly transport: Transport;
  /** First and last release with the defect; null: none has it (the other transport does). */
  readonly present: readonly [string, string] | null;
  readonly shows: (nanomq: string) => boolean;
}

const cycles = (scenario: Scenario): boolean => keepaliveDwells(run(scenario).records).length >= 3;

function receiving(nanomq: string, transport: Transport): boolean {
  return cycles({ nanomq, transport, emqx: '5.8.9', down: { hz: 1, fromS: 2, toS: 88 }, durationS: 90 });
}

const sending: Omit<Scenario, 'nanomq'> = { emqx: '5.8.1', up: { hz: 5, fromS: 2, toS: 88 }, durationS: 90 };
const outage: Omit<Scenario, 'nanomq'> = {
  emqx: '5.8.2',
  up: { hz: 10, fromS: 2, toS: 118 },
  faults: restart(10, 14),
  bridge: { quicInitialRttMs: 100 },
  durationS: 120,
};

/** A message above the server's Maximum Packet Size; is there a PINGREQ afterwards? */
function stuckAfterLargePacket(nanomq: string): boolean {
  const peer = connectedPeer(nanomq, 'quic');
  peer.publish(1, 0, 20_000);
  peer.run(30 * SECOND);
  return !peer.sentTypes().includes('pingreq');
}

/** Pings sent to a peer that never answers, before the bridge gives up. */
function pingsTolerated(nanomq: string, transport: Transport, backoffMaxS: number): number {
  const peer = createPeer(nanomq, transport, { settings: { backoffMaxS } });
  peer.answers.delete('pingreq');
  peer.run((backoffMaxS + 5) * 10 * SECOND);
  const end = peer.logged.find(({ event }) => event === 'bridge_ping_timeout');
  assert.ok(end, `${nanomq} never gives up`);
  return peer.written.filter(({ packet, at }) => packet.type === 'pingreq' && at <= end.at).length;
}

/** Seconds from the SUBSCRIBE to the end of its aio; null: none within a minute. */
function subscribeCancelledS(nanomq: string, transport: Transport, uninitialisedCancelMs?: number): number | null {
  const subscriptions = [{ topic: 'down/#', qos: 0 as const }];
  const settings = { cancelTimeoutMs: 8_000, subscriptions, resendIntervalMs: 5_000, quicQosPriority: false };
  const peer = createPeer(nanomq, transport, { settings, uninitialisedCancelMs });
  peer.answers.delete('subscribe');
  peer.run(60 * SECOND);
  const sent = peer.written.find(({ packet }) => packet.type === 'subscribe');
  assert.ok(sent, `${nanomq} never subscribes`);
  const cancelled = peer.logged.find(({ event }) => event === 'bridge_qos_cancelled');
  return cancelled ? Math.round((cancelled.at - sent.at) / SECOND) : null;
}

function firstPingS(nanomq: string, transport: Transport): number {
  const peer = createPeer(nanomq, transport, { settings: { resendIntervalMs: 25_000 } });
  peer.run(60 * SECOND);
  return Math.round(peer.written.find(({ packet }) => packet.type === 'pingreq')!.at / SECOND);
}

/** A QoS 1 message is in flight, the connection is lost, its cancel timer runs out meanwhile. */
function cancelLost(nanomq: string, transport: Transport): boolean {
  const settings = {
    parallel: 1,
    cancelTimeoutMs: 2_000,
    quicQosPriority: false,
    backoffMaxS: 1,
    resendIntervalMs: 5_000,
  };
  const peer = connectedPeer(nanomq, transport, { settings });
  peer.answers.delete('publish');
  peer.publish(1, 1);
  peer.run(peer.now + 100 * MS);
  peer.online = false;
  peer.input({ kind: 'closed', cause: { kind: 'timeout' } });
  peer.run(peer.now + 10 * SECOND);
  peer.online = true;
  peer.run(peer.now + 4 * SECOND);
  const { length } = peer.lost;
  // The one context is still taken, long after its time was up.
  peer.publish(2, 0);
  return peer.countOf('bridge_qos_cancelled') === 0 && peer.lost[length]?.reason === 'aio-busy';
}

function secondBridgeSubscribes(nanomq: string): { readonly subscribed: boolean; readonly up: boolean; second: Peer } {
  const process = { execone: 0, bridges: 0 };
  const settings = { subscriptions: [{ topic: 'down/#', qos: 0 as const }] };
  connectedPeer(nanomq, 'quic', { process, settings });
  const second = connectedPeer(nanomq, 'quic', { process, settings, seed: 2 });
  second.publish(1, 0);
  second.run(second.now + SECOND);
  const types = second.sentTypes();
  return { subscribed: types.includes('subscribe'), up: types.includes('publish'), second };
}

const DEFECTS: readonly Defect[] = [
  {
    id: 'D1',
    what: 'received packets postpone PINGREQ',
    transport: 'quic',
    present: ['0.22.10', '0.23.1'],
    shows: (nanomq) => receiving(nanomq, 'quic'),
  },
  {
    id: 'D1b',
    what: 'received packets postpone PINGREQ over TCP',
    transport: 'tcp',
    present: ['0.22.10', '0.25.6'],
    shows: (nanomq) => receiving(nanomq, 'tcp'),
  },
  {
    id: 'D2',
    what: 'sends on data streams postpone PINGREQ, which EMQX up to 5.8.1 does not count',
    transport: 'quic',
    present: ['0.22.10', '0.25.6'],
    shows: (nanomq) => cycles({ ...sending, nanomq }) && !cycles({ ...sending, nanomq, emqx: '5.8.2' }),
  },
  {
    id: 'D3',
    what: 'a parked aio leaves the busy flag set',
    transport: 'quic',
    present: ['0.23.2', '0.23.6'],
    shows: (nanomq) => {
      const { records } = run({ ...outage, nanomq });
      return keepaliveDwells(records).length >= 3 && count(records, 'cached_msg_lost') > 50;
    },
  },
  {
    id: 'D3',
    what: 'a parked aio leaves the busy flag set',
    transport: 'tcp',
    present: null,
    shows: (nanomq) => cycles({ ...outage, nanomq, transport: 'tcp' }),
  },
  {
    id: 'D3b',
    what: 'QoS 0 is parked while disconnected',
    transport: 'quic',
    present: ['0.23.2', '0.23.9'],
    shows: (nanomq) => count(run({ ...outage, nanomq }).records, 'msg_cached_disconnected') > 0,
  },
  {
    id: 'D4',
    what: 'a receive cancelled by a sub stream is not armed again',
    transport: 'quic',
    present: ['0.22.10', '0.23.9'],
    shows: (nanomq) => {
      const peer = connectedPeer(nanomq, 'quic');
      peer.input({ kind: 'stream-cancelled', stream: 4 });
      peer.receive(downlink(1, 0));
      peer.run(60 * SECOND);
      // Nobody reads PINGRESP either; the ping limit ends it.
      return peer.lost.some(({ reason }) => reason === 'receiver-dead') && peer.countOf('bridge_ping_timeout') === 1;
    },
  },
  {
    id: 'D4',
    what: 'the watchdog aborts a slow stream',
    transport: 'quic',
    present: ['0.23.1', '0.24.2'],
    shows: slowWriteIsAborted,
  },
  {
    id: 'D5',
    what: 'a cancel timer that fires without a connection is lost',
    transport: 'quic',
    present: ['0.22.10', '0.25.6'],
    shows: (nanomq) => cancelLost(nanomq, 'quic'),
  },
  {
    id: 'D5',
    what: 'a cancel timer that fires without a connection is lost',
    transport: 'tcp',
    present: ['0.22.10', '0.25.6'],
    shows: (nanomq) => cancelLost(nanomq, 'tcp'),
  },
  {
    id: 'D6',
    what: 'a write that the QUIC library refuses is never completed',
    transport: 'quic',
    present: ['0.22.10', '0.25.6'],
    shows: (nanomq) => {
      const peer = connectedPeer(nanomq, 'quic');
      const outputs = peer.machine.handle(peer.now, {
        kind: 'offer',
        message: { seq: 1, topic: 'up', qos: 0, size: 10 },
      });
      const write = outputs.find((output) => output.kind === 'write')!;
      peer.input({ kind: 'write-refused', token: write.token, status: 1 });
      peer.run(60 * SECOND);
      return peer.countOf('quic_stream_send_failed') === 1 && !peer.sentTypes().includes('pingreq');
    },
  },
  {
    id: 'D7',
    what: 'an unexpected send error leaves the busy flag set',
    transport: 'quic',
    present: ['0.23.10', '0.25.6'],
    shows: stuckAfterLargePacket,
  },
  {
    id: 'D8',
    what: 'offline QoS 1 goes round and round at full speed',
    transport: 'quic',
    present: ['0.24.3', '0.24.13'],
    shows: (nanomq) => {
      const { records } = run({
        nanomq,
        emqx: '5.8.2',
        bridge: { quicQosPriority: false, quicInitialRttMs: 100 },
        up: { hz: 5, fromS: 2, toS: 38, mix: [1] },
        faults: restart(10, 30),
        durationS: 40,
      });
      return count(records, 'ctx_cache_flush') > 10_000;
    },
  },
  {
    id: 'D9',
    what: 'a second QUIC bridge of the process does not subscribe',
    transport: 'quic',
    present: ['0.22.10', '0.25.6'],
    shows: (nanomq) => {
      const { subscribed, second } = secondBridgeSubscribes(nanomq);
      return !subscribed && second.countOf('bridge_connected') === 0 && second.countOf('bridge_keepalive_set') === 1;
    },
  },
  {
    id: 'D9',
    what: 'and is taken for offline for ever',
    transport: 'quic',
    present: ['0.24.14', '0.25.6'],
    shows: (nanomq) => !secondBridgeSubscribes(nanomq).up,
  },
  {
    id: 'D10',
    what: 'the disconnect line says 0 whatever the reason',
    transport: 'quic',
    present: ['0.22.10', '0.25.6'],
    shows: (nanomq) => reasonLogged(nanomq, 'quic') === 0,
  },
  {
    id: 'D10',
    what: 'the disconnect line says 0 whatever the reason',
    transport: 'tcp',
    present: null,
    shows: (nanomq) => reasonLogged(nanomq, 'tcp') === 0,
  },
  {
    id: 'D11',
    what: 'milliseconds are read as minutes',
    transport: 'quic',
    present: ['0.22.10', '0.24.8'],
    shows: (nanomq) => bridgeSettings(nanomq, 'quic', SHIPPED_SAMPLE).settings.quicInitialRttMs === 48_000,
  },
  {
    id: 'D12',
    what: 'without max_send_queue_len nothing can be queued',
    transport: 'quic',
    present: ['0.23.10', '0.25.6'],
    shows: (nanomq) => {
      const peer = connectedPeer(nanomq, 'quic', { settings: { maxSendQueueLen: 0, retryQos0: true } });
      peer.publish(1, 1);
      peer.publish(2, 1);
      return peer.countOf('msg_lost_enqueue') === 1;
    },
  },
  {
    id: 'D12',
    what: 'without max_send_queue_len a busy context loses QoS 1 too',
    transport: 'quic',
    present: ['0.22.10', '0.25.6'], // up to 0.23.0 there is no cache at all
    shows: (nanomq) => {
      const peer = connectedPeer(nanomq, 'quic', { settings: { maxSendQueueLen: 0, parallel: 1 } });
      peer.publish(1, 1);
      peer.publish(2, 1);
      return peer.lost.some(({ seq }) => seq === 2);
    },
  },
  {
    id: 'D13',
    what: 'cancel_timeout does not end a SUBSCRIBE without answer',
    transport: 'tcp',
    present: ['0.22.10', '0.23.2'],
    shows: (nanomq) => subscribeCancelledS(nanomq, 'tcp') === null,
  },
  {
    id: 'D13',
    what: 'whatever stands where the timeout was not set counts: here a millisecond',
    transport: 'tcp',
    present: ['0.22.10', '0.23.2'],
    shows: (nanomq) => subscribeCancelledS(nanomq, 'tcp', 1) === 0,
  },
  {
    id: 'D13',
    what: 'cancel_timeout does not end a SUBSCRIBE without answer',
    transport: 'quic',
    present: null,
    shows: (nanomq) => subscribeCancelledS(nanomq, 'quic') === null,
  },
  {
    id: 'D14',
    what: 'the ping limit is taken from backoff_max',
    transport: 'quic',
    present: ['0.24.3', '0.25.6'],
    shows: (nanomq) => {
      const tolerated = [5, 60].map((backoffMaxS) => pingsTolerated(nanomq, 'quic', backoffMaxS));
      if (`${tolerated}` === '6,61') return true;
      assert.deepEqual(tolerated, [2, 2]);
      return false;
    },
  },
  {
    id: 'D15',
    what: 'a resend_interval above the keepalive makes pings late',
    transport: 'quic',
    present: ['0.24.3', '0.25.6'],
    shows: (nanomq) => firstPingS(nanomq, 'quic') === 25,
  },
  {
    id: 'D15',
    what: 'a resend_interval above the keepalive makes pings late',
    transport: 'tcp',
    present: ['0.22.10', '0.25.6'],
    shows: (nanomq) => firstPingS(nanomq, 'tcp') === 25,
  },
];

/** A write on a publish stream that takes six seconds. */
function slowWriteIsAborted(nanomq: string): boolean {
  const { records } = run({
    nanomq,
    emqx: '5.8.2',
    up: { hz: 35, fromS: 2, toS: 38, size: 20_000 },
    faults: blackhole(10, 18),
    durationS: 40,
  });
  return count(records, 'quic_substream_timeout_close') > 0;
}

/** RC after a DISCONNECT with code 141 that was read. */
function reasonLogged(nanomq: string, transport: Transport): unknown {
  for (let seed = 1; seed < 20; seed++) {
    const peer = connectedPeer(nanomq, transport, { seed });
    peer.receive({ type: 'disconnect', reasonCode: 141, size: 4 });
    const line = peer.logged.find(({ event }) => event === 'bridge_disconnected');
    if (line) return line.fields?.reason_code;
  }
  throw new Error('no seed in which the DISCONNECT is read');
}

function has(defect: Defect, nanomq: string): boolean {
  if (!defect.present) return false;
  const order = [...new Set([...ALL.quic, ...ALL.tcp, '0.23.9', '0.24.8'])].sort((left, right) =>
    left.localeCompare(right, 'en', { numeric: true }),
  );
  const at = order.indexOf(nanomq);
  return at >= order.indexOf(defect.present[0]) && at <= order.indexOf(defect.present[1]);
}

describe('defects by release', () => {
  for (const defect of DEFECTS) {
    const range = defect.present ? `${defect.present[0]}–${defect.present[1]}` : 'no release';
    it(`${defect.id} over ${defect.transport}: ${defect.what} (${range})`, () => {
      for (const nanomq of ALL[defect.transport]) {
        assert.equal(defect.shows(nanomq), has(defect, nanomq), nanomq);
      }
    });
  }
});
