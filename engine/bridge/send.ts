/** The protocol part's sending side: offline policy, the single busy slot, the send queue (nanomq-bridge-model §2.3–§2.6). */

import { milliseconds } from '../time.ts';
import { cacheInContextQueue, complete } from './completion.ts';
import type { WriteToken } from './io.ts';
import {
  log,
  logsDebug,
  lost,
  messagePointer,
  NNG_EBUSY,
  NNG_ECANCELED,
  NNG_ECLOSED,
  NNG_ECONNABORTED,
} from './log.ts';
import { type Aio, type Bridge, isPublishQos0, needsAck, type Outgoing, type Pipe, pipeOf } from './state.ts';
import { closeBySendError } from './teardown.ts';
import { CONTROL_STREAM, ordinaryStream, PACKET_TOO_LARGE, packetOf, write } from './write.ts';

const PACKET_ID_MAX = 65_535;
const SEND_AIO_POINTER = '0x7f0000002000';
/** Sticky code of a connection that was shut down. */
const CONNECTION_SHUT = 139;

/** Starts a send on `aio`, which is busy until its completion callback. */
export function submit(bridge: Bridge, aio: Aio, outgoing: Outgoing): void {
  aio.busy = true;
  aio.submitted = outgoing;
  const pipe = pipeOf(bridge);
  if (!pipe) {
    sendOffline(bridge, aio, outgoing);
    return;
  }
  assignPacketId(bridge, outgoing);
  pipeSend(bridge, pipe, aio, outgoing);
}

function assignPacketId(bridge: Bridge, outgoing: Outgoing): void {
  if (!needsAck(outgoing) || outgoing.packetId !== null) return;
  outgoing.packetId = bridge.nextPacketId;
  // [MQTT-2.2.1-3]: packet ids are non-zero.
  bridge.nextPacketId = bridge.nextPacketId === PACKET_ID_MAX ? 1 : bridge.nextPacketId + 1;
}

function sendOffline(bridge: Bridge, aio: Aio, outgoing: Outgoing): void {
  switch (bridge.profile.offlineSend) {
    case 'drop-silent':
      dropOffline(bridge, aio, outgoing, NNG_ECLOSED);
      return;
    case 'park-all':
      park(bridge, aio, outgoing);
      return;
    case 'park-qos':
      // A SUBSCRIBE counts as QoS 0 here (§2.3).
      if (outgoing.message !== null && outgoing.message.qos > 0) {
        park(bridge, aio, outgoing);
        return;
      }
      logOfflineQos0(bridge);
      dropOffline(bridge, aio, outgoing, NNG_EBUSY);
      return;
    case 'park-one':
      if (bridge.parked.length === 0) {
        park(bridge, aio, outgoing);
        return;
      }
      log(bridge, bridge.profile.log.alreadyParked, 'bridge_msg_dropped_already_cached');
      if (bridge.profile.log.commercialNotice) log(bridge, 'info', 'bridge_commercial_notice');
      if (outgoing.message) lost(bridge, outgoing.message, 'already-parked');
      complete(bridge, aio, NNG_ECLOSED);
      return;
    case 'to-ctx-msgs':
      if (outgoing.message !== null && outgoing.message.qos > 0) {
        cacheInContextQueue(bridge, outgoing.message);
        complete(bridge, aio, NNG_ECLOSED);
        return;
      }
      logOfflineQos0(bridge);
      dropOffline(bridge, aio, outgoing, NNG_ECLOSED);
      return;
  }
}

function logOfflineQos0(bridge: Bridge): void {
  if (bridge.profile.log.offlineQos0) log(bridge, 'info', 'bridge_qos0_dropped_disconnected');
}

function dropOffline(bridge: Bridge, aio: Aio, outgoing: Outgoing, result: number): void {
  if (outgoing.message) lost(bridge, outgoing.message, 'offline');
  complete(bridge, aio, result);
}

/** A parked aio has no cancel timer: it stays busy until a reconnect drains it. */
function park(bridge: Bridge, aio: Aio, outgoing: Outgoing): void {
  assignPacketId(bridge, outgoing);
  bridge.parked.push({ aio, outgoing });
  log(bridge, 'warn', 'msg_cached_disconnected');
}

/** §2.4. The aio may come from the parked list. */
export function pipeSend(bridge: Bridge, pipe: Pipe, aio: Aio, outgoing: Outgoing): void {
  if (needsAck(outgoing)) {
    register(bridge, aio, outgoing);
    if (bridge.settings.quicQosPriority && bridge.settings.transport === 'quic') {
      const named = bridge.profile.log.priorityPacketId;
      log(bridge, 'debug', 'bridge_send_priority', named ? { packet_id: outgoing.packetId } : null);
      // First transmission on the control stream, past the busy flag and the ping timer.
      bridge.qosSent++;
      write(bridge, pipe, CONTROL_STREAM, packetOf(bridge, outgoing, false), outgoing, false);
      return;
    }
  }
  if (!pipe.busy) writeOrdinary(bridge, pipe, outgoing, false);
  else queueOrDrop(bridge, pipe, outgoing);
  // QoS 0 is done at hand-over or queueing, not at transmission.
  if (isPublishQos0(outgoing)) complete(bridge, aio, 0);
}

function register(bridge: Bridge, aio: Aio, outgoing: Outgoing): void {
  const packetId = outgoing.packetId!;
  const { sendQos } = bridge.profile.log;
  if (logsDebug(bridge)) log(bridge, 'debug', 'bridge_send_qos_begin', { packet_id: packetId });
  const old = bridge.unacked.get(packetId);
  if (old) {
    const id = { packet_id: packetId };
    const named = bridge.settings.transport === 'quic' ? { msg_ptr: messagePointer(packetId), ...id } : null;
    log(bridge, 'warn', 'bridge_packet_id_conflict', named ?? id);
    if (old.outgoing.message) lost(bridge, old.outgoing.message, 'id-conflict');
    complete(bridge, old.aio, NNG_ECANCELED);
    bridge.unacked.delete(packetId);
  }
  bridge.unacked.set(packetId, { outgoing, aio, sentAt: bridge.now });
  if (sendQos) log(bridge, sendQos, 'bridge_send_qos', { msg_ptr: messagePointer(packetId), packet_id: packetId });
  const { cancelTimer } = bridge.profile;
  if (cancelTimer === 'unless-priority' && bridge.settings.quicQosPriority) return;
  const waitMs = cancelWaitMs(bridge, outgoing);
  if (waitMs === null) return;
  aio.cancelAt = bridge.now + milliseconds(waitMs);
  bridge.armedCancels++;
}

/** Null: the timer never fires. */
function cancelWaitMs(bridge: Bridge, outgoing: Outgoing): number | null {
  const unset = outgoing.filters !== null && bridge.profile.subscribeCancel === 'uninitialised';
  return unset ? bridge.uninitialisedCancelMs : bridge.settings.cancelTimeoutMs;
}

export function writeOrdinary(bridge: Bridge, pipe: Pipe, outgoing: Outgoing, isResend: boolean): void {
  pipe.busy = true;
  if (isPublishQos0(outgoing)) bridge.qos0Sent++;
  else bridge.qosSent++;
  write(bridge, pipe, ordinaryStream(bridge, outgoing), packetOf(bridge, outgoing, isResend), outgoing, true);
}

/** Another send is in flight (§2.4-5). A QoS > 0 message that finds no place stays registered and is resent by the timer. */
function queueOrDrop(bridge: Bridge, pipe: Pipe, outgoing: Outgoing): void {
  if (refusedWhileBusy(bridge, outgoing)) {
    if (bridge.profile.log.busyQos0) log(bridge, bridge.profile.log.busyQos0, 'bridge_qos0_dropped_busy');
    if (isPublishQos0(outgoing)) lost(bridge, outgoing.message!, 'pipe-busy');
    return;
  }
  enqueue(bridge, pipe, outgoing);
}

function refusedWhileBusy(bridge: Bridge, outgoing: Outgoing): boolean {
  const { busyQos0, busySubscribe } = bridge.profile;
  if (outgoing.message === null && busySubscribe === 'queue') return false;
  if (outgoing.message !== null && outgoing.message.qos > 0) return false;
  return busyQos0 === 'drop' || (busyQos0 === 'queue-if-retry_qos_0' && !bridge.settings.retryQos0);
}

export function sendQueueCap(bridge: Bridge): number {
  const cap = bridge.profile.sendQueueCap;
  return cap === 'max_send_queue_len' ? bridge.settings.maxSendQueueLen : cap;
}

export function enqueue(bridge: Bridge, pipe: Pipe, outgoing: Outgoing): void {
  const cap = sendQueueCap(bridge);
  if (cap === 0) {
    log(bridge, 'warn', 'msg_lost_enqueue');
    lostFromQueue(bridge, outgoing);
    return;
  }
  if (pipe.queue.length >= cap) {
    if (bridge.profile.queueOverflow === 'drop-oldest-unless-qos0' && isPublishQos0(outgoing)) {
      log(bridge, 'warn', 'bridge_qos0_dropped_queue_full');
      lostFromQueue(bridge, outgoing);
      return;
    }
    if (bridge.profile.log.queueOverflow) log(bridge, 'warn', 'cached_msg_lost');
    lostFromQueue(bridge, pipe.queue.shift()!);
  }
  pipe.queue.push(outgoing);
}

function lostFromQueue(bridge: Bridge, outgoing: Outgoing): void {
  // QoS > 0 is still in the unacked table and will be resent.
  if (isPublishQos0(outgoing)) lost(bridge, outgoing.message!, 'send-queue-full');
}

/** A write completed (§2.6). */
export function onSent(bridge: Bridge, token: WriteToken, result: number): void {
  const pipe = pipeOf(bridge);
  const done = pipe?.writes.get(token);
  if (!pipe || !done) return;
  pipe.writes.delete(token);
  if (bridge.settings.transport === 'quic') {
    if (logsDebug(bridge) && result === 0) log(bridge, 'debug', 'quic_send_complete', { sid: done.stream });
    const duration = bridge.now - done.startedAt;
    if (duration > pipe.slowestWrite[done.stream]!) pipe.slowestWrite[done.stream] = duration;
  }
  if (!done.ordinary && done.outgoing === null) pipe.acksUnderWay[done.stream]!--;
  if (result !== 0 && done.outgoing && isPublishQos0(done.outgoing)) {
    lost(bridge, done.outgoing.message!, 'send-failed');
  }
  if (!done.ordinary) return;
  if (result !== 0 && !survivesSendError(bridge, pipe, result)) return;
  const { pingTimerResetOnSend } = bridge.profile;
  if (pingTimerResetOnSend === 'any-result' || (pingTimerResetOnSend === 'success' && result === 0)) {
    bridge.timeleft = bridge.keepalive;
  }
  sendNext(bridge, pipe);
}

/** True if the completion is to be treated like a success. */
function survivesSendError(bridge: Bridge, pipe: Pipe, result: number): boolean {
  const quic = bridge.settings.transport === 'quic';
  // The transport has a line only for what it refused itself (measured: 18 has it, 03l has not).
  if (quic && result === PACKET_TOO_LARGE) {
    log(bridge, 'warn', 'quic_tran_send_error', { nng_errstr: `Unknown error #${result}` });
  }
  log(bridge, 'warn', 'bridge_send_failed', quic ? { aio_ptr: SEND_AIO_POINTER, rv: result } : { nng_rv: result });
  if (result === NNG_ECANCELED) {
    pipe.busy = false;
    return false;
  }
  if (result === NNG_ECONNABORTED || result === CONNECTION_SHUT || bridge.profile.otherSendError === 'close') {
    closeBySendError(bridge);
    return false;
  }
  if (bridge.profile.log.sendOnClosed) log(bridge, 'warn', 'bridge_send_on_closed', { rv: result });
  // D7: from 0.23.10 the busy flag stays set.
  return bridge.profile.otherSendError === 'continue';
}

/** First a parked aio, then the send queue, else the slot is free (§2.6). */
function sendNext(bridge: Bridge, pipe: Pipe): void {
  const parked = bridge.parked.shift();
  if (parked) {
    if (bridge.profile.clearBusyBeforeParked) pipe.busy = false;
    pipeSend(bridge, pipe, parked.aio, parked.outgoing);
    return;
  }
  const queued = pipe.queue.shift();
  if (queued) {
    writeOrdinary(bridge, pipe, queued, false);
    return;
  }
  pipe.busy = false;
}

/** D6: the write is never completed, so an ordinary one leaves the busy flag set for the life of the pipe. */
export function onWriteRefused(bridge: Bridge, token: WriteToken, status: number): void {
  const write = pipeOf(bridge)?.writes.get(token);
  if (!write) return;
  log(bridge, 'error', 'quic_stream_send_failed', { sid: write.stream, status_hex: status });
}
