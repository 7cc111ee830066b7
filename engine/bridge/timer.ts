/** The protocol timer (§3.1, §3.2), the cancel timer (§2.5) and the sub-stream watchdog (§3.4). */

import { PING_SIZE } from '../packet-size.ts';
import { milliseconds } from '../time.ts';
import { complete } from './completion.ts';
import { log, lost, NNG_ECANCELED, SOCKET_POINTER } from './log.ts';
import { logStreamReopened } from './quic-lines.ts';
import { enqueue, sendQueueCap, writeOrdinary } from './send.ts';
import type { Aio, Bridge, Pipe, Unacked } from './state.ts';
import { pipeOf } from './state.ts';
import { closeByPingTimeout } from './teardown.ts';
import { CONTROL_STREAM, write } from './write.ts';

const WATCHDOG_PERIOD_MS = 5_000;
const WATCHED_STREAMS = [3, 4] as const;

export function tickPeriod(bridge: Bridge): number {
  const { tickMs } = bridge.profile;
  return milliseconds(tickMs === 'resend_interval' ? Math.max(1, bridge.settings.resendIntervalMs) : tickMs);
}

/** One tick: ping limit, then PINGREQ if due and the slot is free, else one resend. */
export function onTick(bridge: Bridge, pipe: Pipe): void {
  if (pipe.pings > pingLimit(bridge)) {
    closeByPingTimeout(bridge);
    return;
  }
  pipe.tickAt = bridge.now + tickPeriod(bridge);
  bridge.timeleft -= tickPeriod(bridge);
  if (bridge.timeleft <= 0 && !pipe.busy) {
    sendPing(bridge, pipe);
    return;
  }
  resendOldest(bridge, pipe);
}

function pingLimit(bridge: Bridge): number {
  const { pingLimit: limit } = bridge.profile;
  return limit === 'backoff_max' ? bridge.settings.backoffMaxS : limit;
}

function sendPing(bridge: Bridge, pipe: Pipe): void {
  pipe.busy = true;
  pipe.pings++;
  bridge.timeleft = bridge.keepalive;
  write(bridge, pipe, CONTROL_STREAM, { type: 'pingreq', size: PING_SIZE }, null, true);
  const { severity, counters } = bridge.profile.log.pingSent;
  const base = { sock_ptr: SOCKET_POINTER, keepalive_ms: bridge.keepalive / 1000 };
  log(bridge, severity, 'ping_sent', counters ? { ...base, ...countersOf(bridge) } : base);
}

function countersOf(bridge: Bridge) {
  return { qos_sent: bridge.qosSent, qos_acked: bridge.qosAcked, qos0_sent: bridge.qos0Sent };
}

/** One message a tick; a candidate that is never acknowledged starves the ones behind it (§3.2). */
function resendOldest(bridge: Bridge, pipe: Pipe): void {
  const packetId = resendCandidate(bridge);
  if (packetId === null) return;
  const entry = bridge.unacked.get(packetId)!;
  const { resendWaitMs } = bridge.profile;
  const wait = milliseconds(resendWaitMs === 'resend_wait' ? bridge.settings.resendWaitMs : resendWaitMs);
  if (bridge.now - entry.sentAt <= wait) return;
  if (pipe.busy) {
    resendWhileBusy(bridge, pipe, packetId, entry);
    return;
  }
  entry.sentAt = bridge.now;
  writeOrdinary(bridge, pipe, entry.outgoing, true);
  const base = { packet_id: packetId };
  const { resendCounters, resendTry } = bridge.profile.log;
  if (resendTry) log(bridge, 'debug', 'bridge_resend_try', base);
  log(bridge, 'info', 'bridge_resend', resendCounters ? { ...base, ...countersOf(bridge) } : base);
}

function resendWhileBusy(bridge: Bridge, pipe: Pipe, packetId: number, entry: Unacked): void {
  if (bridge.profile.resendWhileBusy === 'queue' && pipe.queue.length < sendQueueCap(bridge)) {
    entry.sentAt = bridge.now;
    enqueue(bridge, pipe, entry.outgoing);
    return;
  }
  log(bridge, 'info', 'bridge_resend_blocked', { packet_id: packetId });
}

/** First id upward from where the scan starts, with wrap (§3.2). */
function resendCandidate(bridge: Bridge): number | null {
  const start = bridge.resendScanStart;
  let lowest: number | null = null;
  let next: number | null = null;
  for (const packetId of bridge.unacked.keys()) {
    if (lowest === null || packetId < lowest) lowest = packetId;
    if (packetId >= start && (next === null || packetId < next)) next = packetId;
  }
  return next ?? lowest;
}

/** Every aio whose `cancel_timeout` has run out. */
export function onCancelDeadlines(bridge: Bridge): void {
  if (bridge.armedCancels === 0) return;
  for (const entry of [...bridge.unacked.values()]) {
    if (entry.aio.cancelAt !== null && entry.aio.cancelAt <= bridge.now) onCancel(bridge, entry);
  }
}

function onCancel(bridge: Bridge, entry: Unacked): void {
  const { aio, outgoing } = entry;
  aio.cancelAt = null;
  bridge.armedCancels--;
  // D5: without a pipe the timer fires for nothing and is not armed again.
  if (!pipeOf(bridge)) return;
  log(bridge, 'warn', 'bridge_qos_cancelled', { packet_id: outgoing.packetId! });
  bridge.unacked.delete(outgoing.packetId!);
  if (outgoing.message) lost(bridge, outgoing.message, 'cancelled');
  complete(bridge, aio, NNG_ECANCELED);
}

export function nextCancelDeadline(bridge: Bridge): number | null {
  if (bridge.armedCancels === 0) return null;
  let next: number | null = null;
  for (const { aio } of bridge.unacked.values()) next = earlier(next, aio);
  return next;
}

function earlier(next: number | null, aio: Aio): number | null {
  if (aio.cancelAt === null) return next;
  return next === null || aio.cancelAt < next ? aio.cancelAt : next;
}

export function watchdogPeriod(): number {
  return milliseconds(WATCHDOG_PERIOD_MS);
}

/** Aborts a publish stream whose slowest write since the last look took too long. */
export function onWatchdog(bridge: Bridge, pipe: Pipe): void {
  pipe.watchdogAt = bridge.now + watchdogPeriod();
  for (const stream of WATCHED_STREAMS) {
    const slowest = pipe.slowestWrite[stream]!;
    if (slowest < milliseconds(bridge.profile.watchdogMs!)) continue;
    pipe.slowestWrite[stream] = 0;
    log(bridge, 'warn', 'quic_substream_timeout_close', { sid: stream, latency_ms: Math.floor(slowest / 1000) });
    bridge.out.push({ kind: 'reset-stream', stream });
    logStreamReopened(bridge, stream);
  }
}
