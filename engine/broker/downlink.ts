/** Downlink: someone else publishes at the broker; who gets it, on which stream (emqx-keepalive-model §2.1). */

import type { Message, Qos } from '../types.ts';
import { deliver, enqueue } from './deliver.ts';
import { route } from './route.ts';
import { type Broker, type Connection, type Subscription, streamSession } from './state.ts';
import { matchesTopic } from './topic-filter.ts';

export const DOWNLINK_PUBLISHER = 'downlink-publisher';
const DOWNLINK_PEER = '127.0.0.1:1883';

export function onDownlink(broker: Broker, message: Message): void {
  if (!broker.running) return void broker.out.push({ kind: 'lost', message, reason: 'broker-down' });
  logRouted(broker, message);
  const subscribers = broker.clients ? route(broker, broker.clients, null, message) : give(broker, message);
  if (subscribers === 0) broker.out.push({ kind: 'lost', message, reason: 'no-subscriber' });
}

/** @returns to how many. */
function give(broker: Broker, message: Message): number {
  let subscribers = 0;
  for (const connection of broker.connections.values()) {
    const detached = connection.state === 'detached';
    if (connection.state !== 'connected' && !detached) continue;
    const subscription = matchingSubscription(connection, message.topic);
    if (!subscription) continue;
    subscribers++;
    const qos = Math.min(subscription.qos, message.qos) as Qos;
    if (detached) enqueue(broker, connection, streamSession(connection, subscription.stream), message, qos);
    else deliver(broker, connection, subscription.stream, message, qos);
  }
  return subscribers;
}

function logRouted(broker: Broker, message: Message): void {
  broker.out.push({
    kind: 'log',
    severity: 'debug',
    event: 'publish_routed',
    clientId: DOWNLINK_PUBLISHER,
    peer: DOWNLINK_PEER,
    fields: { topic: message.topic, payload_bytes: message.size },
  });
}

function matchingSubscription(connection: Connection, topic: string): Subscription | null {
  for (const [filter, subscription] of connection.subscriptions) {
    if (matchesTopic(filter, topic)) return subscription;
  }
  return null;
}
