/**
 * What the machines, the two drivers and `replay/` say to each other.
 *
 * Machines are sans-I/O: `handle(now, input)` returns outputs, `nextDeadline()` says when to call `handle` with a `deadline`
 * input. Time is integer microseconds from the start of the run. Randomness is a seeded `Rng` passed in, one a component, so
 * that a change in one component never shifts the draws of another.
 */

export type Micros = number;
export type Qos = 0 | 1 | 2;
export type Endpoint = 'bridge' | 'broker';
export type Severity = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
export type FieldValue = string | number | boolean | null | readonly (string | number | Fields)[];
export type Fields = { readonly [key: string]: FieldValue };

/** Uniform integers from a seeded stream. `int(lo, hi)` includes both ends. */
export interface Rng {
  int(lo: number, hi: number): number;
}

/**
 * MQTT packets as the machines see them: no bytes, `size` is the encoded length. `seq` identifies an application message
 * across both machines (it stands in for the payload).
 */
export type Packet =
  | {
      readonly type: 'connect';
      readonly clientId: string;
      readonly keepaliveS: number;
      readonly cleanStart: boolean;
      readonly protocol: 4 | 5;
      readonly username: string | null;
      /** MQTT 5 Session Expiry Interval; absent: 0. */
      readonly sessionExpiryS?: number;
      /** MQTT 5 Receive Maximum; absent: 65535. */
      readonly receiveMaximum?: number;
      /** MQTT 5 Maximum Packet Size that the client takes, bytes; absent: any. */
      readonly maximumPacketSize?: number;
      /** MQTT 5 Topic Alias Maximum: aliases that the client takes; absent: 0. */
      readonly topicAliasMaximum?: number;
      /** MQTT 5 Authentication Method: the client wants enhanced authentication. */
      readonly authenticationMethod?: string;
      readonly password?: Uint8Array;
      readonly will?: Will;
      readonly size: number;
    }
  | {
      readonly type: 'connack';
      readonly reasonCode: number;
      readonly sessionPresent: boolean;
      readonly serverKeepaliveS: number | null;
      readonly maximumPacketSize: number | null;
      /** Receive Maximum property; the bridge counts it but never enforces it. */
      readonly receiveMaximum?: number | null;
      /** MQTT 5 properties that only real clients look at. */
      readonly assignedClientId?: string;
      readonly topicAliasMaximum?: number;
      readonly size: number;
    }
  | {
      readonly type: 'publish';
      readonly topic: string;
      readonly qos: Qos;
      readonly packetId: number | null;
      readonly dup: boolean;
      readonly retain: boolean;
      readonly seq: number;
      readonly content?: MessageContent;
      readonly size: number;
    }
  | {
      readonly type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
      readonly packetId: number;
      readonly reasonCode: number;
      readonly size: number;
    }
  | {
      readonly type: 'subscribe';
      readonly packetId: number;
      readonly filters: readonly SubscribeFilter[];
      /** MQTT 5 Subscription Identifier. */
      readonly subscriptionId?: number;
      readonly size: number;
    }
  | {
      readonly type: 'suback';
      readonly packetId: number;
      readonly reasonCodes: readonly number[];
      readonly size: number;
    }
  | {
      readonly type: 'unsubscribe';
      readonly packetId: number;
      readonly filters: readonly string[];
      readonly size: number;
    }
  | {
      readonly type: 'unsuback';
      readonly packetId: number;
      /** MQTT 5, one a filter; absent: 0 for a single one. */
      readonly reasonCodes?: readonly number[];
      readonly size: number;
    }
  | { readonly type: 'pingreq' | 'pingresp'; readonly size: number }
  | {
      readonly type: 'disconnect';
      readonly reasonCode: number;
      /** MQTT 5: takes the place of the one in CONNECT. */
      readonly sessionExpiryS?: number;
      readonly size: number;
    };

/** A filter of SUBSCRIBE; the options of MQTT 5 are off where they are absent (MQTT 5.0 §3.8.3.1). */
export interface SubscribeFilter {
  readonly topic: string;
  readonly qos: Qos;
  readonly noLocal?: boolean;
  readonly retainAsPublished?: boolean;
  readonly retainHandling?: number;
}

/** What a real client publishes. No machine looks into it, all pass it on; in a replay a sequence number stands for it. */
export interface MessageContent {
  readonly payload: Uint8Array;
  /** MQTT 5 properties of the PUBLISH that travel with the message; null: none. */
  readonly properties: Readonly<Record<string, unknown>> | null;
}

/** MQTT 5.0 §3.1.2.5 */
export interface Will {
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly delayS: number;
  readonly seq: number;
  readonly content: MessageContent;
}

/** Index of a stream of one connection in the order the client opens them: 0 control, 1–4 data (NanoMQ's sid). */
export type StreamIndex = number;

/** Why a transport connection ended, as the local side learns it. */
export type CloseCause =
  | { readonly kind: 'peer'; readonly code: number } // CONNECTION_CLOSE from the peer with this application code
  | { readonly kind: 'peer-fin' } // the peer finished the control stream (TCP: FIN)
  | { readonly kind: 'reset' } // TCP RST
  | { readonly kind: 'timeout' } // no acknowledgement for the disconnect timeout
  | { readonly kind: 'idle' } // idle timeout
  | { readonly kind: 'handshake-timeout' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'local' };

/** A message that a local client of the bridge publishes and that matches a forward rule. */
export interface Message {
  readonly seq: number;
  readonly topic: string;
  readonly qos: Qos;
  readonly size: number; // payload bytes
  readonly content?: MessageContent;
  /** The RETAIN flag it is delivered with; absent: false. */
  readonly retain?: boolean;
  /** Nobody gets it from then on (MQTT 5 Message Expiry Interval); absent: it does not expire. */
  readonly expiresAt?: Micros;
}

/** Settings of one bridge, named and defaulted as nanomq.conf does (spec nanomq-logs §3.2); units in the names. */
export interface BridgeSettings {
  readonly transport: 'quic' | 'tcp';
  readonly protocol: 4 | 5;
  readonly clientId: string;
  readonly username: string | null;
  readonly cleanStart: boolean;
  readonly keepaliveS: number;
  readonly parallel: number; // system.parallel: local broker contexts, one bridge aio each
  readonly maxParallelProcesses: number; // downlink receive contexts
  readonly quicQosPriority: boolean;
  readonly maxSendQueueLen: number; // 0 = key absent
  readonly maxRecvQueueLen: number;
  readonly resendIntervalMs: number;
  readonly resendWaitMs: number;
  readonly cancelTimeoutMs: number;
  readonly backoffMaxS: number;
  readonly retryQos0: boolean;
  readonly quicKeepaliveS: number; // 0 = off
  readonly quicIdleTimeoutS: number; // 0 = none
  readonly quicDisconnectTimeoutS: number;
  readonly quicHandshakeTimeoutS: number;
  readonly quicInitialRttMs: number; // effective value, after the release's unit bug
  readonly quicMaxAckDelayMs?: number; // effective value likewise; absent: 100
  readonly subscriptions: readonly { readonly topic: string; readonly qos: Qos }[];
  /** As in `server = "mqtt-quic://host:port"`; log lines carry it. Absent: a made-up one. */
  readonly address?: string;
  /** `conn_properties.session_expiry_interval` and `.receive_maximum` (MQTT 5). Absent: 0 and 65535. */
  readonly sessionExpiryS?: number;
  readonly receiveMaximum?: number;
  /** `hybrid_bridging`: no resend aio and no back-off (nanomq-bridge-model §2.2, §3.3). */
  readonly hybrid?: boolean;
  /** `log.level`; lines below it are not made. Absent: everything the machine knows. */
  readonly logLevel?: Severity;
}

/** Settings of the broker that matter here, named as in emqx.conf. */
export interface BrokerSettings {
  readonly keepaliveMultiplier: number; // 1.5
  readonly keepaliveBackoff: number; // 0.75, generation A
  readonly keepaliveCheckIntervalMs: number; // 30_000
  readonly serverKeepaliveS: number | null;
  readonly maxPacketSize: number; // 1_048_576
  readonly maxInflight: number; // 32
  readonly quicIdleTimeoutS: number; // 0 = none
  readonly quicKeepaliveS?: number; // keep_alive_interval of the QUIC listener; absent or 0: off
  readonly maxMqueueLen?: number; // absent: 1000
  readonly maxAwaitingRel?: number; // absent: 100
  /** Resend of unacknowledged deliveries on a living connection, s; null: never. Absent: as the release does. */
  readonly retryIntervalS?: number | null;
  /** How long a persistent MQTT 3.1.1 session lives on, s. Absent: 7200. */
  readonly sessionExpiryS?: number;
  readonly logLevel?: Severity;
}

/** What of the network becomes different; what is absent stays. */
export interface NetworkChange {
  /** Only packets sent by this end; absent: both directions. */
  readonly from?: Endpoint;
  /** Every packet is lost. */
  readonly down?: boolean;
  readonly delayMs?: number;
  readonly jitterMs?: number;
  /** Share of packets lost, 0 to 1. */
  readonly loss?: number;
  /** Bytes a second; 0: unlimited. */
  readonly rateBytesPerS?: number;
  /** Bytes that wait for a limited rate; what comes on top is dropped. */
  readonly queueBytes?: number;
  /** TCP only: a proxy between the two accepts and keeps everything, and passes it on when this ends. */
  readonly hold?: boolean;
}

/** What happens to the bridge and the broker from outside, in time order. */
export type Stimulus =
  | { readonly at: Micros; readonly kind: 'publish'; readonly message: Message } // offered to the bridge by a local client
  | { readonly at: Micros; readonly kind: 'downlink'; readonly message: Message } // published at the broker by someone else
  | ({ readonly at: Micros; readonly kind: 'network' } & NetworkChange) // state from here on
  | { readonly at: Micros; readonly kind: 'nat-rebind' } // the bridge's packets come from another port from here on
  | { readonly at: Micros; readonly kind: 'broker-stop' } // graceful stop (SIGTERM): connections closed with code 0
  | { readonly at: Micros; readonly kind: 'broker-kill' } // SIGKILL: nothing is sent, TCP apart
  | { readonly at: Micros; readonly kind: 'broker-start' }
  | { readonly at: Micros; readonly kind: 'broker-pause' } // SIGSTOP: what arrives waits in the socket buffer
  | { readonly at: Micros; readonly kind: 'broker-resume' }
  | { readonly at: Micros; readonly kind: 'rival-connect' } // another client takes the bridge's client id
  | { readonly at: Micros; readonly kind: 'kick' }
  /** From here on the broker refuses the bridge's CONNECT with this reason code; null: it accepts again. */
  | { readonly at: Micros; readonly kind: 'refuse'; readonly reasonCode: number | null };

/** Races whose outcome a log shows; consumed in order, then the machine draws from its Rng again. */
export interface Choices {
  /** Delay from the end of one connection (or failed dial) to the start of the next dial, ms. */
  readonly redialMs?: readonly number[];
  /** Whether a sub stream's cancellation took the receive of the main stream at a graceful end by the peer, one a such end. */
  readonly receiveLost?: readonly boolean[];
  /** What the sends on a connection whose receive was lost end with: 7 leaves it as it is, 139 closes it. */
  readonly deadResult?: readonly number[];
}

/** One line the products would have logged, as fields; `replay/print` makes text of it. */
export interface SimRecord {
  readonly at: Micros;
  readonly endpoint: Endpoint;
  readonly severity: Severity;
  readonly event: string; // name of the catalogue row
  readonly clientId: string | null; // broker records only, as EMQX's metadata has it
  readonly peer: string | null; // broker records only: `ip:port`, another port for every connection
  readonly fields: Fields | null; // named as the parsers name them
}
