/** Retained messages (MQTT 5.0 §3.3.1.3). */

import type { Message, Qos } from '../types.ts';
import type { Clients } from './clients.ts';
import { deliver } from './deliver.ts';
import { isExpired } from './expiry.ts';
import { log } from './log.ts';
import { addressed } from './route.ts';
import type { Broker, Connection, Subscription } from './state.ts';
import { matchesLevels } from './topic-filter.ts';

/** [MQTT-3.3.1-6], [MQTT-3.3.1-7]: an empty payload takes the old one away. A full store keeps what it has. */
export function retain(broker: Broker, clients: Clients, message: Message): void {
  const { retained, rules } = clients;
  forget(clients, message.topic);
  if (message.size === 0) return;
  if (retained.size >= rules.retainedMax || clients.retainedBytes + message.size > rules.retainedBytesMax) {
    log(broker, null, 'warn', 'retain_failed', { reason: 'table_is_full', topic: message.topic });
    return;
  }
  retained.set(message.topic, message);
  clients.retainedBytes += message.size;
}

function forget(clients: Clients, topic: string): void {
  clients.retainedBytes -= clients.retained.get(topic)?.size ?? 0;
  clients.retained.delete(topic);
}

/** Those that fit a new subscription, with RETAIN set [MQTT-3.3.1-8]. */
export function deliverRetained(
  broker: Broker,
  clients: Clients,
  connection: Connection,
  subscription: Subscription,
): void {
  const levels = subscription.levels ?? [];
  for (const message of clients.retained.values()) {
    if (!matchesLevels(levels, message.topic.split('/'))) continue;
    if (isExpired(message, broker.now)) {
      forget(clients, message.topic);
      continue;
    }
    const qos = Math.min(subscription.qos, message.qos) as Qos;
    deliver(broker, connection, subscription.stream, addressed(message, subscription, true), qos);
  }
}
