/** The SUBSCRIBE helper: one aio and a queue, one SUBSCRIBE on the way at a time (nanomq-bridge-model §4-3). */

import { log, NNG_ECLOSED } from './log.ts';
import { submit } from './send.ts';
import type { Bridge, Filter, Outgoing } from './state.ts';

const HELPER_QUEUE_MAX = 64;

/** QUIC sends a SUBSCRIBE for each configured subscription, TCP one with all topics. */
export function subscribeAll(bridge: Bridge): void {
  const { subscriptions, transport } = bridge.settings;
  if (subscriptions.length === 0) {
    if (transport === 'tcp') log(bridge, 'info', 'bridge_no_subscriptions');
    return;
  }
  if (transport === 'quic') {
    for (const filter of subscriptions) {
      log(bridge, 'info', 'bridge_subscribe_start', { qos: filter.qos, topic: filter.topic });
      subscribe(bridge, [filter]);
    }
    return;
  }
  for (const filter of subscriptions) {
    log(bridge, 'info', 'bridge_subscribe_start', { topic: filter.topic, qos: filter.qos, rap: 0, rh: 0 });
  }
  subscribe(bridge, subscriptions);
}

/** One SUBSCRIBE with all filters. */
export function subscribe(bridge: Bridge, filters: readonly Filter[]): void {
  const outgoing = { message: null, filters, topics: null, packetId: null };
  if (!help(bridge, outgoing)) log(bridge, 'warn', 'bridge_subscribe_queue_full');
}

export function unsubscribe(bridge: Bridge, topics: readonly string[]): void {
  const outgoing = { message: null, filters: null, topics, packetId: null };
  if (!help(bridge, outgoing)) log(bridge, 'warn', 'bridge_unsubscribe_queue_full');
}

/** False: the helper is busy and its queue is full. */
function help(bridge: Bridge, outgoing: Outgoing): boolean {
  if (!bridge.subscribeAio.busy) {
    bridge.helping = outgoing;
    submit(bridge, bridge.subscribeAio, outgoing);
    return true;
  }
  if (bridge.subscribeQueue.length >= HELPER_QUEUE_MAX) return false;
  bridge.subscribeQueue.push(outgoing);
  return true;
}

/**
 * The broker refused the connection and is closing it: the SUBSCRIBE fails and is submitted again, as fast as the CPU lets it, until
 * the pipe is gone (measured 08b: 53 times); the last time it meets no connection. One line stands for all. The first packet id
 * stays in the table of unacknowledged ones.
 */
export function retrySubscribe(bridge: Bridge): void {
  const { helping } = bridge;
  if (helping === null || helping.packetId === null || !bridge.unacked.has(helping.packetId)) return;
  log(bridge, 'info', 'bridge_subscribe_retry');
  const again = { ...helping, packetId: null };
  bridge.helping = again;
  if (bridge.subscribeAio.cancelAt !== null) {
    bridge.subscribeAio.cancelAt = null;
    bridge.armedCancels--;
  }
  submit(bridge, bridge.subscribeAio, again);
}

export function onSubscribeCompleted(bridge: Bridge, result: number): void {
  const done = bridge.helping;
  bridge.subscribeAio.busy = false;
  bridge.helping = null;
  if (result !== 0) {
    // On an error the rest of the queue is not advanced; the packet is gone, so nothing is tried again.
    const { subscribeFailed } = bridge.profile.log;
    if (subscribeFailed) {
      log(bridge, 'warn', 'bridge_sub_aio_failed', subscribeFailed === 'code' ? { nng_rv: result } : null);
    } else if (result !== NNG_ECLOSED) {
      log(bridge, 'info', 'bridge_subscribe_result', { nng_rv: result });
    }
    return;
  }
  if (done?.topics) logUnsuback(bridge, done.topics);
  else logSuback(bridge, done?.filters ?? []);
  const next = bridge.subscribeQueue.shift();
  if (!next) return;
  bridge.helping = next;
  submit(bridge, bridge.subscribeAio, next);
}

function logSuback(bridge: Bridge, filters: readonly Filter[]): void {
  log(bridge, 'info', 'bridge_subscribe_result', { nng_rv: 0 });
  // The granted QoS of each filter is what was asked for: EMQX allows all.
  for (const { qos } of filters) log(bridge, 'info', 'bridge_suback_code', { reason_code: qos });
}

function logUnsuback(bridge: Bridge, topics: readonly string[]): void {
  if (!bridge.profile.log.unsubscribe) return;
  log(bridge, 'info', 'bridge_unsubscribe_result', { nng_rv: 0 });
  for (const _ of topics) log(bridge, 'info', 'bridge_unsuback_code', { reason_code: 0 });
}
