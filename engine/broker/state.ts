/** State of the broker machine. */

import type { BrokerProfile } from '../profiles/profile.ts';
import type { BrokerSettings, Message, Micros, Packet, Qos, Rng } from '../types.ts';
import type { BrokerOutput, ConnectionId } from './io.ts';
import type { Keepalive } from './keepalive.ts';

/** A stream keeps its own packet ids and window: a data stream works on a copy of the session (§2.1). */
export interface StreamSession {
  nextPacketId: number;
  readonly inflight: Map<number, Message>;
  readonly queue: { readonly message: Message; readonly qos: Qos }[];
  /** QoS 2 publishes whose PUBREL is outstanding. */
  readonly awaitingRelease: Set<number>;
}

export interface Subscription {
  readonly qos: Qos;
  readonly stream: number;
}

export type ConnectionState =
  | 'accepted' // no CONNECT yet
  | 'awaiting-stepdown' // CONNECT read, an older session of the client id is being ended
  | 'connected'
  | 'closing' // waits for the peer after we or the transport ended it
  | 'ended';

export interface Connection {
  readonly id: ConnectionId;
  /** `none`: a rival that exists only inside the broker. */
  readonly transport: 'quic' | 'tcp' | 'none';
  readonly peer: string;
  state: ConnectionState;
  clientId: string | null;
  connect: Extract<Packet, { type: 'connect' }> | null;
  keepalive: Keepalive | null;
  connectBy: Micros | null;
  closingUntil: Micros | null;
  /** Why it ends, as the terminate line has it: `keepalive_timeout`, `discarded`, … */
  closeReason: string | null;
  /** The transport is gone already; nothing more can be sent. */
  transportGone: boolean;
  /** Connections whose end this one waits for before its CONNACK. */
  waitingFor: Set<ConnectionId>;
  bytes: number;
  controlPackets: number;
  connectionPackets: number;
  readonly subscriptions: Map<string, Subscription>;
  readonly streams: Map<number, StreamSession>;
}

export interface Broker {
  readonly profile: BrokerProfile;
  readonly settings: BrokerSettings;
  readonly rng: Rng;
  now: Micros;
  out: BrokerOutput[];
  running: boolean;
  readonly connections: Map<ConnectionId, Connection>;
  /** Rivals count downwards, so that their ids never meet the driver's. */
  nextRivalId: number;
  /** Client id and protocol of the last CONNECT: whom a rival imitates and a kick hits. */
  lastClient: Extract<Packet, { type: 'connect' }> | null;
}

export function newConnection(id: ConnectionId, transport: Connection['transport'], peer: string): Connection {
  return {
    id,
    transport,
    peer,
    state: 'accepted',
    clientId: null,
    connect: null,
    keepalive: null,
    connectBy: null,
    closingUntil: null,
    closeReason: null,
    transportGone: transport === 'none',
    waitingFor: new Set(),
    bytes: 0,
    controlPackets: 0,
    connectionPackets: 0,
    subscriptions: new Map(),
    streams: new Map(),
  };
}

export function streamSession(connection: Connection, stream: number): StreamSession {
  let session = connection.streams.get(stream);
  if (!session) {
    session = { nextPacketId: 1, inflight: new Map(), queue: [], awaitingRelease: new Set() };
    connection.streams.set(stream, session);
  }
  return session;
}
