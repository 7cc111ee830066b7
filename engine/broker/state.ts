/** State of the broker machine. */

import type { BrokerProfile } from '../profiles/profile.ts';
import type { BrokerSettings, Message, Micros, Packet, Qos, Rng, Will } from '../types.ts';
import type { Clients } from './clients.ts';
import type { BrokerOutput, ConnectionId } from './io.ts';
import type { Keepalive } from './keepalive.ts';

/** A QoS > 0 message on its way to the client. */
export interface Inflight {
  readonly message: Message;
  readonly qos: Qos;
  /** QoS 2 only: PUBREC came, so PUBREL is what is sent again. */
  released: boolean;
  sentAt: Micros;
}

export interface Queued {
  readonly message: Message;
  readonly qos: Qos;
}

/** A stream keeps its own packet ids and window: a data stream works on a copy of the session (§2.1). */
export interface StreamSession {
  nextPacketId: number;
  readonly inflight: Map<number, Inflight>;
  readonly queue: Queued[];
  /** QoS 2 publishes whose PUBREL is outstanding, with the time of their first arrival. */
  readonly awaitingRelease: Map<number, Micros>;
  /** Actions on a topic that were allowed lately, with the time until which nobody asks again. */
  readonly allowed: Map<string, Micros>;
  /** A data stream whose process ended: what comes on it is not read. */
  ended: boolean;
}

export interface Subscription {
  readonly qos: Qos;
  readonly stream: number;
  /** The rest only of a broker for clients of any kind. Filter without its share, split at `/`. */
  readonly levels?: readonly string[];
  readonly group?: string;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  /** Subscription Identifier (MQTT 5). */
  readonly id?: number;
}

export type ConnectionState =
  | 'accepted' // no CONNECT yet
  | 'awaiting-stepdown' // CONNECT read, an older session of the client id is being ended
  | 'connected'
  | 'closing' // waits for the peer after we or the transport ended it
  | 'detached' // the session lives on without a connection until it expires or is taken over
  | 'ended';

export type ConnectPacket = Extract<Packet, { type: 'connect' }>;

export interface Connection {
  readonly id: ConnectionId;
  /** `none`: a rival that exists only inside the broker. */
  readonly transport: 'quic' | 'tcp' | 'none';
  readonly peer: string;
  state: ConnectionState;
  clientId: string | null;
  connect: ConnectPacket | null;
  keepalive: Keepalive | null;
  connectBy: Micros | null;
  closingUntil: Micros | null;
  /** Next look at deliveries that were not acknowledged; null: none is in flight, or the release never looks. */
  retryAt: Micros | null;
  expiresAt: Micros | null;
  /** Why it ends, as the terminate line has it: `keepalive_timeout`, `discarded`, … */
  closeReason: string | null;
  /** The transport is gone already; nothing more can be sent. */
  transportGone: boolean;
  /** A CONNACK with success was sent: there is a session. */
  established: boolean;
  /** To be published if it ends without a DISCONNECT. */
  will: Will | null;
  /** When the will of a session without a connection is published. */
  willAt: Micros | null;
  /** The client id is ours. */
  hasAssignedId: boolean;
  /** Connections whose end this one waits for before its CONNACK. */
  readonly waitingFor: Set<ConnectionId>;
  /** Session state that a CONNECT with clean start 0 took over. */
  takenOver: Connection | null;
  /** Packets on data streams before CONNACK: accepted, not read (§2.1). */
  readonly unread: { readonly stream: number; readonly packet: Packet }[];
  bytes: number;
  controlPackets: number;
  connectionPackets: number;
  subscriptions: Map<string, Subscription>;
  streams: Map<number, StreamSession>;
}

export interface Broker {
  readonly profile: BrokerProfile;
  readonly settings: BrokerSettings;
  readonly rng: Rng;
  /** Lines less severe than this are not made. */
  readonly logRank: number;
  now: Micros;
  out: BrokerOutput[];
  running: boolean;
  readonly connections: Map<ConnectionId, Connection>;
  /** Connections in state `awaiting-stepdown`. */
  awaiting: number;
  /** Rivals count downwards, so that their ids never meet the driver's. */
  nextRivalId: number;
  /** Client id and protocol of the last CONNECT: whom a rival imitates and a kick hits. */
  lastClient: ConnectPacket | null;
  /** Reason code for CONNECTs that are refused; null: they are accepted. */
  refuse: number | null;
  /** Null: the broker of a replay, which has a bridge and nobody else. */
  readonly clients: Clients | null;
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
    retryAt: null,
    expiresAt: null,
    closeReason: null,
    transportGone: transport === 'none',
    established: false,
    will: null,
    willAt: null,
    hasAssignedId: false,
    waitingFor: new Set(),
    takenOver: null,
    unread: [],
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
    session = {
      nextPacketId: 1,
      inflight: new Map(),
      queue: [],
      awaitingRelease: new Map(),
      allowed: new Map(),
      ended: false,
    };
    connection.streams.set(stream, session);
  }
  return session;
}
