/**
 * NanoMQ's bridge client as a machine without I/O. The driver dials, writes and closes; the machine decides. Rules:
 * nanomq-bridge-model §2–§5 with the cells of one {@link BridgeProfile}.
 */

import type { BridgeProfile } from '../profiles/profile.ts';
import { SEVERITY_RANK } from '../severity.ts';
import type { BridgeSettings, Choices, Message, Micros, Rng } from '../types.ts';
import {
  onConnack,
  onDialBusy,
  onNegotiationTimeout,
  onStreamCancelled,
  onTransportClosed,
  onTransportConnected,
} from './connection.ts';
import { forward, onContextCompleted } from './forward.ts';
import type { BridgeHeld, BridgeInput, BridgeMachine, BridgeOutput } from './io.ts';
import { onPacket } from './receive.ts';
import { KEEPALIVE_BEFORE_CONNACK, onRedialDeadline, redialDeadline, startDialing } from './redial.ts';
import { onSent, onWriteRefused } from './send.ts';
import type { Aio, Bridge, BridgeProcess, Turn } from './state.ts';
import { pipeOf } from './state.ts';
import { onSubscribeCompleted, retrySubscribe, subscribe, unsubscribe } from './subscribe.ts';
import { nextCancelDeadline, onCancelDeadlines, onTick, onWatchdog } from './timer.ts';

/** More turns than this in one call would mean that a turn adds turns of the same instant for ever. */
const TURNS_PER_CALL_MAX = 10_000;
const LINE_NOISE_MAX = 0xffff_ffff;

export interface BridgeOptions {
  readonly profile: BridgeProfile;
  readonly settings: BridgeSettings;
  readonly rng: Rng;
  readonly choices?: Choices;
  /** Shared by the bridges of one NanoMQ process; absent: this is the only one. */
  readonly process?: BridgeProcess;
  /** First packet id that the resend scan looks at; uninitialised in the product (§3.2). */
  readonly resendScanStart?: number;
  /** What is found where `cancel_timeout` was not set (D13), ms; absent: so much that the timer never fires. */
  readonly uninitialisedCancelMs?: number;
}

/** @throws RangeError if profile and settings are of different transports, or there is no context. */
export function createBridge(options: BridgeOptions): BridgeMachine {
  const bridge = newBridge(options);
  return {
    handle(now: Micros, input: BridgeInput): readonly BridgeOutput[] {
      bridge.now = now;
      bridge.out = [];
      dispatch(bridge, input);
      return bridge.out;
    },
    nextDeadline: () => nextDeadline(bridge),
    held: () => heldBy(bridge),
  };
}

function dispatch(bridge: Bridge, input: BridgeInput): void {
  switch (input.kind) {
    case 'start':
      startDialing(bridge);
      return;
    case 'deadline':
      onDeadline(bridge);
      return;
    case 'connected':
      onTransportConnected(bridge);
      return;
    case 'closed':
      onTransportClosed(bridge, input.cause);
      return;
    case 'packet':
      receive(bridge, input);
      return;
    case 'sent':
      onSent(bridge, input.token, input.result);
      return;
    case 'stream-cancelled': {
      const pipe = pipeOf(bridge);
      if (pipe) onStreamCancelled(bridge, pipe, input.stream);
      return;
    }
    case 'write-refused':
      onWriteRefused(bridge, input.token, input.status);
      return;
    case 'dial-busy':
      onDialBusy(bridge);
      return;
    case 'offer':
      forward(bridge, input.message);
      return;
    case 'subscribe':
      subscribe(bridge, input.filters);
      return;
    case 'unsubscribe':
      unsubscribe(bridge, input.topics);
      return;
  }
}

function receive(bridge: Bridge, input: Extract<BridgeInput, { kind: 'packet' }>): void {
  if (bridge.phase.kind === 'negotiating') {
    if (input.packet.type === 'connack') onConnack(bridge, input.packet);
    return;
  }
  if (bridge.phase.kind === 'up') onPacket(bridge, bridge.phase.pipe, input.stream, input.packet);
}

/** Does everything that is due, in the order: later turns, cancel timers, tick, watchdog, connection timers. */
function onDeadline(bridge: Bridge): void {
  runTurns(bridge);
  onCancelDeadlines(bridge);
  const pipe = pipeOf(bridge);
  if (pipe && pipe.tickAt <= bridge.now) onTick(bridge, pipe);
  if (pipe && pipeOf(bridge) === pipe && pipe.watchdogAt !== null && pipe.watchdogAt <= bridge.now) {
    onWatchdog(bridge, pipe);
  }
  const { phase } = bridge;
  if (phase.kind === 'negotiating' && phase.deadline <= bridge.now) {
    onNegotiationTimeout(bridge);
    return;
  }
  if (phase.kind === 'waiting' && redialDeadline(phase) <= bridge.now) onRedialDeadline(bridge);
}

function runTurns(bridge: Bridge): void {
  for (let count = 0; count < TURNS_PER_CALL_MAX; count++) {
    const turn = bridge.turns[0];
    if (!turn || turn.at > bridge.now) return;
    bridge.turns.shift();
    runTurn(bridge, turn);
  }
}

function runTurn(bridge: Bridge, turn: Turn): void {
  if (turn.kind === 'sent') {
    onSent(bridge, turn.token, turn.result);
    return;
  }
  if (turn.kind === 'retry-subscribe') {
    retrySubscribe(bridge);
    return;
  }
  if (turn.aio.role === 'subscribe') {
    onSubscribeCompleted(bridge, turn.result);
    return;
  }
  onContextCompleted(bridge, turn.aio);
}

function nextDeadline(bridge: Bridge): Micros | null {
  const turn = bridge.turns[0];
  let next = turn === undefined ? Number.POSITIVE_INFINITY : turn.at;
  const cancel = nextCancelDeadline(bridge);
  if (cancel !== null && cancel < next) next = cancel;
  const { phase } = bridge;
  if (phase.kind === 'up') {
    const { tickAt, watchdogAt } = phase.pipe;
    if (tickAt < next) next = tickAt;
    if (watchdogAt !== null && watchdogAt < next) next = watchdogAt;
  } else if (phase.kind === 'negotiating') {
    if (phase.deadline < next) next = phase.deadline;
  } else if (phase.kind === 'waiting') {
    const redial = redialDeadline(phase);
    if (redial < next) next = redial;
  }
  return next === Number.POSITIVE_INFINITY ? null : next;
}

function heldBy(bridge: Bridge): BridgeHeld {
  const pipe = pipeOf(bridge);
  const messages = (list: Iterable<Message | null | undefined>): Message[] =>
    [...list].filter((message): message is Message => message != null);
  return {
    sendQueue: messages((pipe?.queue ?? []).map((outgoing) => outgoing.message)),
    parked: messages(bridge.parked.map(({ outgoing }) => outgoing.message)),
    ctxMsgs: [...bridge.ctxMsgs],
    unacked: messages([...bridge.unacked.values()].map(({ outgoing }) => outgoing.message)),
    inFlight: messages([...(pipe?.writes.values() ?? [])].map(({ outgoing }) => outgoing?.message)),
  };
}

function newBridge(options: BridgeOptions): Bridge {
  const { profile, settings, rng, choices, process, resendScanStart, uninitialisedCancelMs } = options;
  if (profile.transport !== settings.transport) throw new RangeError('profile and settings name different transports');
  if (settings.parallel < 1) throw new RangeError('system.parallel must be at least 1');
  const shared = process ?? { execone: 0, bridges: 0 };
  return {
    profile,
    settings,
    rng,
    process: shared,
    index: shared.bridges++,
    logRank: SEVERITY_RANK[settings.logLevel ?? 'trace'],
    lineNoise: rng.int(0, LINE_NOISE_MAX),
    streamPointers: [],
    streamPointersOf: -1,
    redialChoicesMs: choices?.redialMs ?? [],
    nextRedialChoice: 0,
    receiveLostChoices: choices?.receiveLost ?? [],
    nextReceiveLostChoice: 0,
    deadResultChoices: choices?.deadResult ?? [],
    nextDeadResultChoice: 0,
    now: 0,
    out: [],
    phase: { kind: 'idle' },
    connections: 0,
    contexts: Array.from({ length: settings.parallel }, (_, index) => newAio('context', index + 1)),
    nextContext: 0,
    resendAio: newAio('resend', 0),
    ctxMsgs: [],
    ctxMsgsCap: settings.maxSendQueueLen,
    unacked: new Map(),
    parked: [],
    nextPacketId: 1,
    armedCancels: 0,
    subscribeAio: newAio('subscribe', 0),
    subscribeQueue: [],
    helping: null,
    keepalive: KEEPALIVE_BEFORE_CONNACK,
    timeleft: KEEPALIVE_BEFORE_CONNACK,
    backoffMs: 0,
    nextToken: 1,
    receiverFreeAt: Array<number>(settings.maxParallelProcesses).fill(0),
    stickyDialCode: null,
    flaggedConnected: false,
    resendScanStart: resendScanStart ?? 0,
    uninitialisedCancelMs: uninitialisedCancelMs ?? null,
    turns: [],
    qosSent: 0,
    qosAcked: 0,
    qos0Sent: 0,
  };
}

function newAio(role: Aio['role'], contextId: number): Aio {
  return { role, contextId, busy: false, submitted: null, cancelAt: null };
}
