/** The checks themselves: a trace that breaks a rule is refused, and by that rule. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTrace, type TraceRecord } from '../../engine/checks/check-trace.ts';
import {
  type BridgeMachine,
  type BridgeOutput,
  brokerProfile,
  checkedBridge,
  DEFAULT_BROKER_SETTINGS,
  type Fields,
  type Packet,
  type SimSummary,
} from '../../engine/index.ts';

const SECOND = 1_000_000;

const line = (atS: number, event: string, fields: Fields | null = null): TraceRecord => ({
  at: atS * SECOND,
  endpoint: 'bridge',
  event,
  clientId: null,
  peer: null,
  fields,
});
const brokerLine = (atS: number, event: string, fields: Fields): TraceRecord => ({
  ...line(atS, event, fields),
  endpoint: 'broker',
  clientId: 'c',
  peer: '127.0.0.1:1',
});

function keepalive(emqx: string, transport: 'quic' | 'tcp' = 'quic') {
  return { keepalive: { transport, profile: brokerProfile(emqx).profile, settings: DEFAULT_BROKER_SETTINGS } };
}

const connect = brokerLine(0, 'mqtt_packet_received', { packet: 'CONNECT', keepalive_s: 10, protocol_version: 5 });
const timeout = (atS: number): TraceRecord => brokerLine(atS, 'socket_force_closed', { reason: 'keepalive_timeout' });
const subscribe = (atS: number): TraceRecord => brokerLine(atS, 'mqtt_packet_received', { packet: 'SUBSCRIBE' });
const pingreq = (atS: number): TraceRecord => brokerLine(atS, 'mqtt_packet_received', { packet: 'PINGREQ' });

interface Case {
  readonly rule: string;
  readonly what: string;
  readonly records: readonly TraceRecord[];
  readonly facts?: Parameters<typeof checkTrace>[2];
}

const BROKEN: readonly Case[] = [
  { rule: 'time-order', what: 'time goes back', records: [line(2, 'a'), line(1, 'b')] },
  { rule: 'time-order', what: 'a time is no whole number', records: [line(0.000_000_1, 'a')] },
  {
    rule: 'disconnect-cause',
    what: 'no cause',
    records: [line(1, 'bridge_connected'), line(2, 'bridge_disconnected')],
  },
  {
    rule: 'disconnect-cause',
    what: 'a DISCONNECT that nobody sent',
    records: [
      line(1, 'bridge_connected'),
      brokerLine(2, 'mqtt_packet_sent', { packet: 'DISCONNECT', reason_code: 142 }),
      line(3, 'bridge_disconnect_packet_rx', { reason_code: 141 }),
    ],
  },
  {
    rule: 'connect-alternation',
    what: 'two connects',
    records: [line(1, 'bridge_connected'), line(2, 'bridge_connected')],
  },
  {
    rule: 'one-ordinary-send',
    what: 'a write on stream 4 before the one on stream 3 is complete',
    records: [line(1, 'quic_write_start', { sid: 3 }), line(2, 'quic_write_start', { sid: 4 })],
  },
  {
    rule: 'packet-id-unique',
    what: 'an id in use',
    records: [line(1, 'bridge_send_qos_begin', { packet_id: 5 }), line(2, 'bridge_send_qos_begin', { packet_id: 5 })],
  },
  { rule: 'keepalive-arithmetic', what: 'too early', records: [connect, timeout(14.999)], facts: keepalive('5.8.2') },
  { rule: 'keepalive-arithmetic', what: 'too late', records: [connect, timeout(15.1)], facts: keepalive('5.8.1') },
  {
    rule: 'keepalive-arithmetic',
    what: 'less than 1.5 K after the last packet',
    records: [connect, subscribe(1), timeout(15.5)],
    facts: keepalive('5.3.2'),
  },
  {
    rule: 'keepalive-arithmetic',
    what: 'not exact after a PINGREQ',
    records: [connect, pingreq(7), timeout(23)],
    facts: keepalive('5.7.2'),
  },
  {
    rule: 'keepalive-arithmetic',
    what: 'a client that should be gone still sends',
    records: [connect, subscribe(1), subscribe(32)],
    facts: keepalive('5.3.2'),
  },
  {
    rule: 'ping-arithmetic',
    what: 'two PINGREQs within a keepalive',
    records: [line(1, 'ping_sent', { keepalive_ms: 10_000 }), line(10, 'ping_sent', { keepalive_ms: 10_000 })],
    facts: keepalive('5.8.2'),
  },
];

const SOUND: readonly Omit<Case, 'rule'>[] = [
  { what: 'a lone CONNECT', records: [connect, timeout(15)], facts: keepalive('5.8.1') },
  { what: 'a SUBSCRIBE', records: [connect, subscribe(1), timeout(20)], facts: keepalive('5.8.1') },
  { what: 'generation B', records: [connect, subscribe(1), timeout(30)], facts: keepalive('5.3.2') },
  { what: 'packets that no trace shows', records: [connect, subscribe(1), timeout(300)], facts: keepalive('5.8.2') },
  { what: 'none of them over TCP', records: [connect, subscribe(1), timeout(20)], facts: keepalive('5.8.2', 'tcp') },
  {
    what: 'a write after the end of another connection',
    records: [
      line(1, 'quic_write_start', { sid: 3 }),
      line(2, 'quic_shutdown_complete'),
      line(3, 'quic_write_start', { sid: 4 }),
    ],
  },
  {
    what: 'an id that was acknowledged',
    records: [
      line(1, 'bridge_send_qos_begin', { packet_id: 5 }),
      line(2, 'bridge_ack_rx', { packet_id: 5 }),
      line(3, 'bridge_send_qos_begin', { packet_id: 5 }),
    ],
  },
];

describe('checks of a trace', () => {
  for (const { rule, what, records, facts } of BROKEN) {
    it(`${rule}: ${what}`, () => {
      assert.throws(
        () => checkTrace(records, null, facts),
        (error: Error & { details?: { rule: string } }) => error.details?.rule === rule,
      );
    });
  }

  for (const { what, records, facts } of SOUND) {
    it(`nothing is wrong with ${what}`, () => checkTrace(records, null, facts));
  }

  it('conservation: what was offered was delivered, lost with a reason, or is held', () => {
    const books = {
      offered: { 0: 5, 1: 0, 2: 0 },
      delivered: { 0: 3, 1: 0, 2: 0 },
      lost: { 0: 1, 1: 0, 2: 0 },
      lostByReason: { offline: 1 },
      duplicates: 0,
      held: 1,
    };
    const empty = {
      ...books,
      offered: { 0: 0, 1: 0, 2: 0 },
      delivered: { 0: 0, 1: 0, 2: 0 },
      lost: { 0: 0, 1: 0, 2: 0 },
      lostByReason: {},
      held: 0,
    };
    const summary = (up: typeof books, unaccounted = 0): SimSummary => ({
      events: 0,
      endedAt: 0,
      stoppedBy: 'duration',
      up,
      down: empty as unknown as typeof books,
      hash: '',
      records: 0,
      unaccounted,
    });
    checkTrace([], summary(books));
    const broken = [
      summary({ ...books, held: 0 }),
      summary({ ...books, lostByReason: { offline: 2 } }),
      summary(books, 1),
    ];
    for (const one of broken) assert.throws(() => checkTrace([], one), /conservation/);
  });
});

describe('checks of a machine', () => {
  const publish = (seq: number, packetId: number | null): Packet => ({
    type: 'publish',
    topic: 'u',
    qos: packetId === null ? 0 : 1,
    packetId,
    dup: false,
    retain: false,
    seq,
    size: 10,
  });
  const write = (token: number, packet: Packet, stream = 3): BridgeOutput => ({
    kind: 'write',
    token,
    stream,
    packet,
    message: null,
  });
  const machine = (outputs: readonly BridgeOutput[], unacked: readonly number[] = []): BridgeMachine => ({
    handle: () => outputs,
    nextDeadline: () => null,
    held: () => ({
      sendQueue: [],
      parked: [],
      ctxMsgs: [],
      unacked: unacked.map((seq) => ({ seq, topic: 'u', qos: 1, size: 1 })),
      inFlight: [],
    }),
  });

  it('refuses two ordinary sends in flight', () => {
    const checked = checkedBridge(
      machine([write(1, publish(1, null)), write(2, { type: 'pingreq', size: 2 }, 0)]),
      false,
    );
    assert.throws(() => checked.handle(0, { kind: 'deadline' }), /one-ordinary-send/);
  });

  it('allows priority sends next to an ordinary one', () => {
    const checked = checkedBridge(machine([write(1, publish(1, null)), write(2, publish(2, 7), 0)]), true);
    checked.handle(0, { kind: 'deadline' });
  });

  it('refuses a packet id of an unacknowledged message', () => {
    const checked = checkedBridge(machine([write(1, publish(1, 7), 0), write(2, publish(2, 7), 0)], [1]), true);
    assert.throws(() => checked.handle(0, { kind: 'deadline' }), /packet-id-unique/);
  });
});
