/** Inputs and outputs of the broker machine. One machine is one EMQX node with any number of connections. */

import type { CloseCause, Fields, Message, Micros, Packet, Severity, StreamIndex } from '../types.ts';

/** Number the driver gives each connection it accepts; never reused. */
export type ConnectionId = number;

export type BrokerLossReason =
  | 'broker-down' // published while the broker was stopped
  | 'no-subscriber' // nobody subscribed at that moment
  | 'session-gone' // queued or in flight for a session that ended
  | 'queue-full' // the session's message queue was full: the oldest goes
  | 'expired' // its Message Expiry Interval passed before it could be delivered
  | 'too-large' // above the Maximum Packet Size of the client
  | 'not-authorized' // uplink: the client may not publish to the topic
  | 'awaiting-release-full' // uplink QoS 2: more of them wait for PUBREL than the broker allows
  | 'not-read'; // uplink QoS 0: arrived on a connection or stream that is no longer, or not, read

export type BrokerInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'deadline' }
  | {
      readonly kind: 'accepted';
      readonly connection: ConnectionId;
      readonly transport: 'quic' | 'tcp';
      /** `ip:port` of the client. */
      readonly peer: string;
    }
  | {
      readonly kind: 'packet';
      readonly connection: ConnectionId;
      readonly stream: StreamIndex;
      readonly packet: Packet;
    }
  | { readonly kind: 'closed'; readonly connection: ConnectionId; readonly cause: CloseCause }
  /** What came on this stream is no MQTT; nothing of the connection is read any more. */
  | {
      readonly kind: 'malformed';
      readonly connection: ConnectionId;
      readonly stream: StreamIndex;
      /** What DISCONNECT says (MQTT 5.0 §2.4). */
      readonly reasonCode: number;
      readonly text: string;
    }
  /** Bytes of the transport that are no packets (QUIC frames). Only generation A2 counts them; a driver may leave this out. */
  | { readonly kind: 'transport-bytes'; readonly connection: ConnectionId; readonly bytes: number }
  /** Someone else publishes this to the broker. */
  | { readonly kind: 'downlink'; readonly message: Message }
  /** Another client connects with the client id of the bridge. */
  | { readonly kind: 'rival-connect' }
  /** An administrator kicks the client id of the bridge. */
  | { readonly kind: 'kick' }
  /** From here on the bridge's CONNECT is refused with this reason code; null: accepted again. */
  | { readonly kind: 'refuse'; readonly reasonCode: number | null };

export type BrokerOutput =
  | {
      readonly kind: 'write';
      readonly connection: ConnectionId;
      readonly stream: StreamIndex;
      readonly packet: Packet;
      /** The downlink message inside, for the driver's books. */
      readonly message: Message | null;
    }
  /** Finish our direction of the control stream (TCP: FIN). */
  | { readonly kind: 'finish'; readonly connection: ConnectionId }
  | { readonly kind: 'close'; readonly connection: ConnectionId; readonly code: number }
  /** From now on our end of this QUIC connection gives it up after so long without activity. */
  | { readonly kind: 'idle-timeout'; readonly connection: ConnectionId; readonly us: Micros }
  | {
      readonly kind: 'log';
      readonly severity: Severity;
      readonly event: string;
      readonly clientId: string | null;
      readonly peer: string | null;
      readonly fields: Fields | null;
    }
  /** An uplink message was routed. A second one with the same `seq` is a duplicate. */
  | { readonly kind: 'deliver'; readonly message: Message }
  | {
      readonly kind: 'lost';
      readonly message: Message;
      readonly reason: BrokerLossReason;
      /** Absent: down. */
      readonly direction?: 'up' | 'down';
    };

export interface BrokerMachine {
  handle(now: Micros, input: BrokerInput): readonly BrokerOutput[];
  nextDeadline(): Micros | null;
  /** False between `stop` and `start`: the driver must not accept connections. */
  listening(): boolean;
}
