/** Inputs and outputs of the bridge machine: what a driver (simulated or live) tells it and must do for it. */

import type { CloseCause, Fields, Message, Micros, Packet, Qos, Severity, StreamIndex } from '../types.ts';

/** Identifies one write of the machine until its `sent` comes back. Never reused. */
export type WriteToken = number;

/**
 * Why a message did not and will not reach the other side. One name a place in the product where messages die
 * (nanomq-bridge-model §2, §5).
 */
export type BridgeLossReason =
  | 'aio-busy' // dropped by the broker part: the context's aio is in use
  | 'offline' // dropped because there is no connection
  | 'already-parked' // dropped because the aio (TCP: the one master context) is already parked
  | 'cache-full' // dropped from ctx_msgs, or not accepted by it
  | 'send-queue-full' // dropped from the send lmq (oldest) or not accepted by it
  | 'pipe-busy' // QoS 0 dropped because another send is in flight
  | 'queue-flushed' // the send lmq is flushed when the pipe closes
  | 'cancelled' // cancel_timeout
  | 'id-conflict' // packet id reused while unacknowledged
  | 'send-failed' // the transport refused the write (stream aborted, packet too large)
  | 'connection-lost' // QoS 0 written to a connection that ended before the peer acknowledged it (told by the driver)
  | 'no-context' // downlink: receive queue full
  | 'half-received' // downlink QoS 2: the connection ended before PUBREL
  | 'receiver-dead'; // downlink: nobody receives any more on this pipe

export type BridgeInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'deadline' }
  /** QUIC handshake done and streams open, or TCP connected. */
  | { readonly kind: 'connected' }
  /** The connection or the dial ended. After `peer-fin` the machine closes the connection itself. */
  | { readonly kind: 'closed'; readonly cause: CloseCause }
  /** Answer to `dial`: the old QUIC connection has not finished its shutdown; the dial ends with EBUSY. */
  | { readonly kind: 'dial-busy' }
  | { readonly kind: 'packet'; readonly stream: StreamIndex; readonly packet: Packet }
  /** A write was taken over by the transport (result 0) or failed (an nng or sticky code: 18, 20, 7, 128, 139). */
  | { readonly kind: 'sent'; readonly token: WriteToken; readonly result: number }
  /** The QUIC library refused the write itself. The product never completes it (D6). */
  | { readonly kind: 'write-refused'; readonly token: WriteToken; readonly status: number }
  /** A data stream of a living connection was aborted (by the peer or by our watchdog): its receive ends with 20. */
  | { readonly kind: 'stream-cancelled'; readonly stream: StreamIndex }
  | { readonly kind: 'offer'; readonly message: Message }
  /** The REST API or, of a transparent bridge, a local client asks for a subscription more or less. */
  | { readonly kind: 'subscribe'; readonly filters: readonly { readonly topic: string; readonly qos: Qos }[] }
  | { readonly kind: 'unsubscribe'; readonly topics: readonly string[] };

export type BridgeOutput =
  | { readonly kind: 'dial' }
  | {
      readonly kind: 'write';
      readonly token: WriteToken;
      readonly stream: StreamIndex;
      readonly packet: Packet;
      /** The application message inside, for the driver's books. */
      readonly message: Message | null;
    }
  /** Abort and reopen a data stream; unfinished writes on it end with 20. */
  | { readonly kind: 'reset-stream'; readonly stream: StreamIndex }
  | { readonly kind: 'close'; readonly code: number }
  | { readonly kind: 'log'; readonly severity: Severity; readonly event: string; readonly fields: Fields | null }
  /** A downlink message reached a local client. */
  | { readonly kind: 'deliver'; readonly message: Message }
  | {
      readonly kind: 'lost';
      readonly direction: 'up' | 'down';
      readonly message: Message;
      readonly reason: BridgeLossReason;
    };

/** Messages the machine still holds, for the conservation check. */
export interface BridgeHeld {
  readonly sendQueue: readonly Message[];
  readonly parked: readonly Message[];
  readonly ctxMsgs: readonly Message[];
  readonly unacked: readonly Message[];
  /** Handed to the transport, `sent` outstanding. */
  readonly inFlight: readonly Message[];
}

export interface BridgeMachine {
  /** Feeds one input; the outputs must be carried out in order. */
  handle(now: Micros, input: BridgeInput): readonly BridgeOutput[];
  /** When to call `handle` with `deadline`; null: no timer runs. */
  nextDeadline(): Micros | null;
  held(): BridgeHeld;
}
