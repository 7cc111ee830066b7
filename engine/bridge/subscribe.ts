/** The SUBSCRIBE helper: one aio and a queue, one SUBSCRIBE on the way at a time (nanomq-bridge-model §4-3). */

import { log, NNG_ECLOSED } from './log.ts';
import { submit } from './send.ts';
import type { Bridge, Filter } from './state.ts';

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

function subscribe(bridge: Bridge, filters: readonly Filter[]): void {
  const outgoing = { message: null, filters, packetId: null };
  if (!bridge.subscribeAio.busy) {
    submit(bridge, bridge.subscribeAio, outgoing);
    return;
  }
  if (bridge.subscribeQueue.length >= HELPER_QUEUE_MAX) {
    log(bridge, 'warn', 'bridge_subscribe_queue_full');
    return;
  }
  bridge.subscribeQueue.push(outgoing);
}

export function onSubscribeCompleted(bridge: Bridge, result: number): void {
  bridge.subscribeAio.busy = false;
  if (result !== 0) {
    // On an error the rest of the queue is not advanced; the packet is gone, so nothing is tried again.
    const { subscribeFailed } = bridge.profile.log;
    if (subscribeFailed) log(bridge, 'warn', 'bridge_sub_aio_failed', { nng_rv: result });
    else if (result !== NNG_ECLOSED) log(bridge, 'info', 'bridge_subscribe_result', { nng_rv: result });
    return;
  }
  log(bridge, 'info', 'bridge_subscribe_result', { nng_rv: 0 });
  const filters = bridge.settings.transport === 'quic' ? 1 : bridge.settings.subscriptions.length;
  for (let index = 0; index < filters; index++) log(bridge, 'info', 'bridge_suback_code', { reason_code: 0 });
  const next = bridge.subscribeQueue.shift();
  if (next) submit(bridge, bridge.subscribeAio, next);
}
