/** The cells in which releases differ. A machine asks a cell, never a version. */

import type { Severity } from '../types.ts';

/** One release range of NanoMQ's bridge client over one transport (nanomq-bridge-model §8.2). */
export interface BridgeProfile {
  readonly transport: 'quic' | 'tcp';
  /** Period of the protocol timer. */
  readonly tickMs: number | 'resend_interval';
  /** Age from which an unacknowledged message is resent. */
  readonly resendWaitMs: number | 'resend_wait';
  /** Which received packets postpone the next PINGREQ. */
  readonly pingTimerResetOnReceive: 'any' | 'pingresp';
  /** Which completed ordinary sends postpone the next PINGREQ. */
  readonly pingTimerResetOnSend: 'any-result' | 'success' | 'never';
  readonly pingCountResetOn: 'any' | 'pingresp';
  /** The pipe is closed at a tick with more unanswered PINGREQs than this. */
  readonly pingLimit: number | 'backoff_max';
  readonly offlineSend: 'drop-silent' | 'park-all' | 'park-qos' | 'park-one' | 'to-ctx-msgs';
  /** False: the send completion re-submits a parked aio with the busy flag still set. */
  readonly clearBusyBeforeParked: boolean;
  readonly otherSendError: 'continue' | 'stuck-busy' | 'close';
  readonly rearmReceiveOnCancel: boolean;
  readonly sendQueueCap: number | 'max_send_queue_len';
  /** QoS 0 PUBLISH while another send is in flight. */
  readonly busyQos0: 'queue' | 'drop' | 'queue-if-retry_qos_0';
  /** SUBSCRIBE while another send is in flight. */
  readonly busySubscribe: 'queue' | 'like-qos0';
  /** A SUBSCRIBE whose write fails because the pipe is closing is submitted again at once. */
  readonly subscribeRetry: boolean;
  readonly queueOverflow: 'drop-oldest' | 'drop-oldest-unless-qos0';
  readonly resendWhileBusy: 'skip' | 'queue';
  readonly cancelTimer: 'unless-priority' | 'always';
  /** How long a SUBSCRIBE may wait for its SUBACK. */
  readonly subscribeCancel: 'cancel_timeout' | 'uninitialised';
  readonly dupOnWire: boolean;
  /** Downlink messages that may wait for a context: 64, or 64 growing to `max_recv_queue_len`, or that from the start. */
  readonly receiveQueue: 'fixed' | 'grows' | 'max_recv_queue_len';
  /** Packets that may wait between transport and protocol part. */
  readonly transportQueueCap: number;
  /** Acknowledgements that may wait on the main stream. */
  readonly ackQueueCap: number;
  /** Abort a publish stream whose write took longer than this; null: no watchdog. */
  readonly watchdogMs: number | null;
  readonly ctxMsgs: 'none' | 'drop-new' | 'drop-oldest';
  /** The broker part does not submit while the bridge is not connected. */
  readonly connectedGuard: boolean;
  /** Wait before the redial, apart from the back-off: 0–999 ms, or none at all in half of the cases. */
  readonly redialJitter: 'uniform' | 'none-or-uniform';
  readonly log: BridgeLogProfile;
}

/** How the same events are logged by the release (nanomq-logs §2). */
export interface BridgeLogProfile {
  readonly pingSent: { readonly severity: Severity; readonly counters: boolean };
  readonly aioBusy: Severity;
  readonly resendCounters: boolean;
  readonly queueOverflow: boolean;
  readonly offlineQos0: boolean;
  readonly busyQos0: Severity | null;
  readonly alreadyParked: Severity;
  /** Null: the release writes no line for an acknowledgement. */
  readonly acked: { readonly severity: Severity; readonly latency: boolean } | null;
  readonly ctxCachePut: boolean;
  readonly connackDelivered: Severity;
  /** A downlink context's receive ended because the pipe closed. */
  readonly receiveEnded: Severity;
  readonly dialResult: boolean;
  /** A receive is armed again after a packet. */
  readonly receiveArmed: boolean;
  readonly receiveCancelled: Severity;
  /** The protocol timer is aborted by the end of the pipe; null: no line. */
  readonly timerAborted: Severity | null;
  /** A send error that is not handled has a second line. */
  readonly sendOnClosed: boolean;
  /** Every failed dial logs an internal error. */
  readonly shutdownBug: boolean;
  /** A QoS > 0 message was registered; null: no line. */
  readonly sendQos: Severity | null;
  readonly resendTry: boolean;
  /** The line of a priority send names the packet. */
  readonly priorityPacketId: boolean;
  readonly commercialNotice: boolean;
  /** A SUBSCRIBE that ended with an error; `garbage`: the number in the line means nothing. Null: no line. */
  readonly subscribeFailed: 'code' | 'garbage' | null;
  /** The line of a packet that the transport lost says which type it was. */
  readonly substreamLostType: boolean;
  /** The end of an UNSUBSCRIBE has lines. */
  readonly unsubscribe: boolean;
  /** The line before a redial names the address. */
  readonly backoffAddress: boolean;
  /** The bridge's own comings and goings are logged like those of a local client. */
  readonly clientOnline: boolean;
}

/** One release range of EMQX's keepalive and session side (emqx-keepalive-model §1.2, §5). */
export interface BrokerProfile {
  readonly generation: 'A1' | 'A2' | 'A3' | 'B' | 'C' | 'D';
  /** Arithmetic at a tick: repeat once, none, or idle time. */
  readonly keepaliveRule: 'repeat' | 'multiplier' | 'idle';
  readonly counterScope: 'connection-bytes' | 'control-packets' | 'connection-packets';
  /** What the counter is compared with at the first tick. */
  readonly storedAtConnect: 'zero' | 'current' | 'never-equal';
  /** How long the control stream waits for the peer's FIN after a close; 0: does not wait. */
  readonly quicWaitOnCloseMs: number;
  /** After the wait, close the QUIC connection too. */
  readonly closesQuicAfterWait: boolean;
  /** Longest wait for the old peer when a session is discarded; the new CONNACK waits as long. */
  readonly discardWaitMs: number;
  readonly kickWaitMs: number;
  readonly dataStreams: boolean;
  /** Keepalive × multiplier becomes the QUIC connection's idle timeout, if it is a whole number (§2.4-5). */
  readonly idleTimeoutFromKeepalive: boolean;
  readonly advertisesReceiveMaximum: boolean;
  /** Resend of unacknowledged deliveries on a living connection, s; null: never. */
  readonly retryIntervalS: number | null;
  /** Level of the line about what is allowed; null: there is none. */
  readonly authorizationLog: Severity | null;
  /** How the release spells the end of a session that another connection took over. */
  readonly takeoverReason: 'takenover' | 'takeovered';
}

/** A profile chosen for a release. */
export interface Chosen<Profile> {
  readonly profile: Profile;
  /** Release range the row covers, e.g. `0.23.2–0.23.6`. */
  readonly range: string;
  /** Set if the release is unknown and the nearest row was taken. */
  readonly note: string | null;
}
