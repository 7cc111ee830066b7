/**
 * Room for a downlink message: `max_parallel_processes` contexts that handle one message each, and the queue behind them
 * (nanomq-bridge-model §1). Nothing is queued in fact: how many messages wait follows from when each context is free again, so
 * that a message costs no later event. What this leaves out is a delay of microseconds.
 */

import type { Micros } from '../types.ts';
import { log, logsDebug } from './log.ts';
import type { Bridge, Pipe } from './state.ts';
import { CONTROL_STREAM } from './write.ts';

/** The protocol part takes packets from the transport one by one. */
const RECEIVE_TURN_US: Micros = 10;
/** A context decodes, routes and sends a message before it takes the next. Both are guesses of the order of size. */
const CONTEXT_TURN_US: Micros = 20;
const QUEUE_START = 64;
/** High nibble of the first byte of a PUBLISH. */
const PUBLISH_TYPE = 48;

/** False: there is no room, the message is lost. */
export function admitDownlink(bridge: Bridge, pipe: Pipe, stream: number): boolean {
  const { now } = bridge;
  const waiting = Math.max(0, pipe.receiveFreeAt - now);
  if (stream !== CONTROL_STREAM && waiting >= bridge.profile.transportQueueCap * RECEIVE_TURN_US) {
    const typed = bridge.profile.log.substreamLostType;
    log(bridge, 'warn', 'bridge_rx_substream_lost', typed ? { packet_type: PUBLISH_TYPE } : null);
    return false;
  }
  const handledAt = now + waiting + RECEIVE_TURN_US;
  pipe.receiveFreeAt = handledAt;
  return takeContext(bridge, handledAt);
}

function takeContext(bridge: Bridge, at: Micros): boolean {
  const contexts = bridge.receiverFreeAt;
  let soonest = 0;
  let queued = 0;
  for (let index = 0; index < contexts.length; index++) {
    const freeAt = contexts[index]!;
    if (freeAt < contexts[soonest]!) soonest = index;
    // Beyond the message in its hands a context has those in line for it.
    if (freeAt > at) queued += Math.ceil((freeAt - at) / CONTEXT_TURN_US) - 1;
  }
  const freeAt = contexts[soonest];
  if (freeAt === undefined) return false;
  if (freeAt <= at) {
    contexts[soonest] = at + CONTEXT_TURN_US;
    return true;
  }
  if (queued >= receiveQueueCap(bridge)) return false;
  if (logsDebug(bridge)) log(bridge, 'debug', 'bridge_rx_queued_no_ctx');
  contexts[soonest] = freeAt + CONTEXT_TURN_US;
  return true;
}

export function receiveQueueCap(bridge: Bridge): number {
  const { maxRecvQueueLen } = bridge.settings;
  switch (bridge.profile.receiveQueue) {
    case 'fixed':
      return QUEUE_START;
    case 'grows':
      return Math.max(QUEUE_START, maxRecvQueueLen);
    case 'max_recv_queue_len':
      return maxRecvQueueLen;
  }
}
