/** State of the bridge machine: what belongs to the socket survives reconnects, what belongs to the pipe does not. */

import type { BridgeProfile } from '../profiles/profile.ts';
import type { BridgeSettings, Message, Micros, Qos, Rng } from '../types.ts';
import type { BridgeOutput, WriteToken } from './io.ts';

export interface Filter {
  readonly topic: string;
  readonly qos: Qos;
}

/** A packet on its way out: a forwarded message, a SUBSCRIBE or an UNSUBSCRIBE; the other two are null. */
export interface Outgoing {
  readonly message: Message | null;
  readonly filters: readonly Filter[] | null;
  readonly topics: readonly string[] | null;
  packetId: number | null;
}

/** What all bridges of one NanoMQ process share. */
export interface BridgeProcess {
  /** NanoMQ's `execone`: while it is above 0, a QUIC bridge that connects is ignored by its own connect callback (D9). */
  execone: number;
  /** Bridges made so far: each has pointers of its own in the log. */
  bridges: number;
}

/** nng's asynchronous operation: busy from submission until its completion callback has returned. */
export interface Aio {
  readonly role: 'context' | 'resend' | 'subscribe';
  /** Number in the log (`Ctx: N`), contexts only. */
  readonly contextId: number;
  busy: boolean;
  submitted: Outgoing | null;
  cancelAt: Micros | null;
}

export interface Unacked {
  readonly outgoing: Outgoing;
  readonly aio: Aio;
  sentAt: Micros;
}

export interface InFlightWrite {
  readonly outgoing: Outgoing | null; // null: PINGREQ (ordinary) or an acknowledgement
  readonly stream: number;
  readonly startedAt: Micros;
  /** Goes through the busy slot. */
  readonly ordinary: boolean;
}

export interface Pipe {
  busy: boolean;
  readonly queue: Outgoing[];
  readonly writes: Map<WriteToken, InFlightWrite>;
  pings: number;
  tickAt: Micros;
  watchdogAt: Micros | null;
  /** Slowest write of each stream since the watchdog last looked. */
  readonly slowestWrite: Micros[];
  /** Streams whose ideal send buffer has been named. */
  readonly idealBufferLogged: boolean[];
  lastPublishAt: Micros;
  /** Acknowledgements of each stream that are not sent yet. */
  readonly acksUnderWay: number[];
  maximumPacketSize: number | null;
  /** When the protocol part is done with what it has received so far. */
  receiveFreeAt: Micros;
  /** The CONNACK reached the protocol part; a refused one does not. */
  readonly connackDelivered: boolean;
  /** Downlink QoS 2 messages waiting for PUBREL. */
  readonly awaitingRelease: Map<number, Message>;
  /** D4: the receive was not armed again. */
  receiverDead: boolean;
  /** The transport is gone but nobody closed the pipe: what every write ends with (measured §2.4). */
  deadResult: number | null;
}

export type Phase =
  | { readonly kind: 'idle' }
  | { readonly kind: 'dialing' }
  | { readonly kind: 'negotiating'; readonly deadline: Micros }
  | { readonly kind: 'up'; readonly pipe: Pipe }
  | { readonly kind: 'waiting'; readonly redialAt: Micros; readonly backoffMs: number | null; announced: boolean };

/** Something that happens in a later turn of the event loop. */
export type Turn =
  | { readonly at: Micros; readonly kind: 'complete'; readonly aio: Aio; readonly result: number }
  | { readonly at: Micros; readonly kind: 'sent'; readonly token: WriteToken; readonly result: number }
  | { readonly at: Micros; readonly kind: 'retry-subscribe' };

export interface Bridge {
  readonly profile: BridgeProfile;
  readonly settings: BridgeSettings;
  readonly rng: Rng;
  readonly process: BridgeProcess;
  /** Number within the process, from 0. */
  readonly index: number;
  /** Lines less severe than this are not made. */
  readonly logRank: number;
  /** State of the numbers that decide how many lines of a kind there are. */
  lineNoise: number;
  /** Made-up pointers of the streams of this connection. */
  readonly streamPointers: string[];
  streamPointersOf: number;
  readonly redialChoicesMs: readonly number[];
  nextRedialChoice: number;
  readonly receiveLostChoices: readonly boolean[];
  nextReceiveLostChoice: number;
  readonly deadResultChoices: readonly number[];
  nextDeadResultChoice: number;

  now: Micros;
  out: BridgeOutput[];
  phase: Phase;
  connections: number;

  readonly contexts: readonly Aio[];
  nextContext: number;
  readonly resendAio: Aio;
  readonly ctxMsgs: Message[];
  readonly ctxMsgsCap: number;

  readonly unacked: Map<number, Unacked>;
  readonly parked: { readonly aio: Aio; readonly outgoing: Outgoing }[];
  nextPacketId: number;
  armedCancels: number;

  readonly subscribeAio: Aio;
  readonly subscribeQueue: Outgoing[];
  /** What the helper's aio is busy with. */
  helping: Outgoing | null;

  /** When each downlink context is free again. */
  readonly receiverFreeAt: Micros[];

  keepalive: Micros;
  timeleft: Micros;
  backoffMs: number;
  /** First reason for which a QUIC connection was shut down; every failed dial reports it. */
  stickyDialCode: number | null;
  /** The connect callback ran for the present connection; ≥0.24.14 asks it before a send. */
  flaggedConnected: boolean;
  /** Where the resend scan starts: uninitialised in the product (§3.2). */
  readonly resendScanStart: number;
  /** What stands where `cancel_timeout` was not set (D13); null: for ever. */
  readonly uninitialisedCancelMs: number | null;

  nextToken: WriteToken;
  readonly turns: Turn[];

  qosSent: number;
  qosAcked: number;
  qos0Sent: number;
}

export function pipeOf(bridge: Bridge): Pipe | null {
  return bridge.phase.kind === 'up' ? bridge.phase.pipe : null;
}

export function isPublishQos0(outgoing: Outgoing): boolean {
  return outgoing.message !== null && outgoing.message.qos === 0;
}

export function needsAck(outgoing: Outgoing): boolean {
  return !isPublishQos0(outgoing);
}

/** Adds a later turn, keeping the list in time order (all delays but one are the same, so this looks at the end only). */
export function addTurn(bridge: Bridge, turn: Turn): void {
  const turns = bridge.turns;
  let index = turns.length;
  while (index > 0 && turns[index - 1]!.at > turn.at) index--;
  turns.splice(index, 0, turn);
}
