/** A bridge machine against a scripted peer, without network: what it writes, logs and loses, and when. */

import {
  type BridgeInput,
  type BridgeMachine,
  type BridgeOutput,
  type BridgeProcess,
  type BridgeSettings,
  bridgeDefaults,
  bridgeProfile,
  checkedBridge,
  createBridge,
  createRng,
  type Packet,
  type Qos,
} from '../../engine/index.ts';

export const MS = 1_000;
export const SECOND = 1_000_000;
const WRITE_TIME_US = 100;
const ANSWER_TIME_US = 300;
const HANDSHAKE_US = 5 * MS;

export interface PeerOptions {
  readonly settings?: Partial<BridgeSettings>;
  readonly process?: BridgeProcess;
  readonly resendScanStart?: number;
  readonly uninitialisedCancelMs?: number;
  readonly seed?: number;
}

export interface Written {
  readonly at: number;
  readonly stream: number;
  readonly packet: Packet;
}

export interface Logged {
  readonly at: number;
  readonly event: string;
  readonly severity: string;
  readonly fields: { readonly [key: string]: unknown } | null;
}

export interface Peer {
  readonly machine: BridgeMachine;
  readonly written: Written[];
  readonly logged: Logged[];
  readonly lost: { readonly at: number; readonly seq: number; readonly reason: string; readonly direction: string }[];
  readonly delivered: { readonly at: number; readonly seq: number }[];
  now: number;
  /** Dials succeed. */
  online: boolean;
  /** Packet types that get their usual answer. */
  answers: Set<Packet['type']>;
  /** CONNACK's reason code. */
  connackCode: number;
  /** Runs until `atUs`, inclusive. */
  run(atUs: number): void;
  input(input: BridgeInput): void;
  publish(seq: number, qos: Qos, size?: number): void;
  receive(packet: Packet, stream?: number): void;
  countOf(event: string): number;
  sentTypes(): readonly Packet['type'][];
}

/** Answers at once by default: CONNECT, SUBSCRIBE, PUBLISH QoS 1 and 2, PINGREQ. */
export function createPeer(nanomq: string, transport: 'quic' | 'tcp', options: PeerOptions = {}): Peer {
  const settings: BridgeSettings = {
    ...bridgeDefaults(nanomq, transport),
    protocol: 5,
    keepaliveS: 10,
    maxSendQueueLen: 32,
    maxRecvQueueLen: 128,
    ...options.settings,
  };
  const machine = checkedBridge(
    createBridge({
      profile: bridgeProfile(nanomq, transport).profile,
      settings,
      rng: createRng(options.seed ?? 1, 'bridge'),
      process: options.process,
      resendScanStart: options.resendScanStart,
      uninitialisedCancelMs: options.uninitialisedCancelMs,
    }),
    transport === 'quic' && settings.quicQosPriority,
  );
  const later: { at: number; input: BridgeInput; connection: number }[] = [];
  let connection = 0;

  function schedule(delay: number, input: BridgeInput): void {
    later.push({ at: peer.now + delay, input, connection });
    later.sort((left, right) => left.at - right.at);
  }

  function carryOut(output: BridgeOutput): void {
    const at = peer.now;
    switch (output.kind) {
      case 'dial':
        connection++;
        if (peer.online) schedule(HANDSHAKE_US, { kind: 'connected' });
        else schedule(HANDSHAKE_US, { kind: 'closed', cause: { kind: 'unreachable' } });
        return;
      case 'write':
        peer.written.push({ at, stream: output.stream, packet: output.packet });
        schedule(WRITE_TIME_US, { kind: 'sent', token: output.token, result: 0 });
        answer(output.packet, output.stream);
        return;
      case 'log':
        peer.logged.push({ at, event: output.event, severity: output.severity, fields: output.fields });
        return;
      case 'lost': {
        const { direction, message, reason } = output;
        peer.lost.push({ at, seq: message.seq, reason, direction });
        return;
      }
      case 'deliver':
        peer.delivered.push({ at, seq: output.message.seq });
        return;
      default:
        return;
    }
  }

  function answer(packet: Packet, stream: number): void {
    if (!peer.answers.has(packet.type)) return;
    const reply = replyTo(packet, peer.connackCode);
    if (reply) schedule(ANSWER_TIME_US, { kind: 'packet', stream, packet: reply });
  }

  const peer: Peer = {
    machine,
    written: [],
    logged: [],
    lost: [],
    delivered: [],
    now: 0,
    online: true,
    answers: new Set(['connect', 'subscribe', 'unsubscribe', 'publish', 'pubrel', 'pingreq']),
    connackCode: 0,
    run(atUs) {
      for (;;) {
        const deadline = machine.nextDeadline() ?? Number.POSITIVE_INFINITY;
        const next = later[0]?.at ?? Number.POSITIVE_INFINITY;
        const at = Math.min(deadline, next);
        if (at > atUs) break;
        peer.now = Math.max(peer.now, at);
        if (next <= deadline) {
          const { input, connection: of } = later.shift()!;
          if (of === connection) peer.input(input);
        } else peer.input({ kind: 'deadline' });
      }
      peer.now = atUs;
    },
    input(input) {
      for (const output of machine.handle(peer.now, input)) carryOut(output);
    },
    publish(seq, qos, size = 20) {
      peer.input({ kind: 'offer', message: { seq, topic: 'up', qos, size } });
    },
    receive(packet, stream = 0) {
      peer.input({ kind: 'packet', stream, packet });
    },
    countOf: (event) => peer.logged.filter((line) => line.event === event).length,
    sentTypes: () => peer.written.map(({ packet }) => packet.type),
  };
  peer.input({ kind: 'start' });
  return peer;
}

/** A bridge that has been connected and subscribed for a second. */
export function connectedPeer(nanomq: string, transport: 'quic' | 'tcp', options: PeerOptions = {}): Peer {
  const peer = createPeer(nanomq, transport, options);
  peer.run(SECOND);
  return peer;
}

function replyTo(packet: Packet, connackCode: number): Packet | null {
  switch (packet.type) {
    case 'connect':
      return {
        type: 'connack',
        reasonCode: connackCode,
        sessionPresent: false,
        serverKeepaliveS: null,
        maximumPacketSize: 10_000,
        size: 24,
      };
    case 'subscribe':
      return { type: 'suback', packetId: packet.packetId, reasonCodes: packet.filters.map(({ qos }) => qos), size: 6 };
    case 'publish':
      if (packet.qos === 0) return null;
      return { type: packet.qos === 1 ? 'puback' : 'pubrec', packetId: packet.packetId!, reasonCode: 0, size: 4 };
    case 'pubrel':
      return { type: 'pubcomp', packetId: packet.packetId, reasonCode: 0, size: 4 };
    case 'unsubscribe':
      return { type: 'unsuback', packetId: packet.packetId, size: 4 };
    case 'pingreq':
      return { type: 'pingresp', size: 2 };
    default:
      return null;
  }
}

export function downlink(seq: number, qos: Qos, packetId: number | null = qos === 0 ? null : seq): Packet {
  return { type: 'publish', topic: 'down/a', qos, packetId, dup: false, retain: false, seq, size: 30 };
}
