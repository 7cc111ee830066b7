/** SUBSCRIBE of any client: what is refused, which options hold, which retained messages follow (MQTT 5.0 §3.8, §3.9). */

import type { Packet, SubscribeFilter } from '../types.ts';
import { maySubscribe } from './access.ts';
import type { Clients } from './clients.ts';
import { log } from './log.ts';
import { deliverRetained } from './retained.ts';
import type { Broker, Connection, Subscription } from './state.ts';
import { isValidFilter, splitShare } from './topic-filter.ts';

type SubscribePacket = Extract<Packet, { type: 'subscribe' }>;

const NOT_AUTHORIZED = 0x87;
const TOPIC_FILTER_INVALID = 0x8f;
const QUOTA_EXCEEDED = 0x97;
const PROTOCOL_ERROR = 0x82;
/** MQTT 3.1.1 knows one failure only. */
const V3_FAILURE = 0x80;
const RETAIN_IF_NEW = 1;
const RETAIN_NEVER = 2;

export interface Verdict {
  /** What SUBACK says: the granted QoS, or why not. */
  readonly reasonCode: number;
  readonly subscription: Subscription | null;
  /** Retained messages follow the SUBACK. */
  readonly wantsRetained: boolean;
}

export function judgeFilter(
  broker: Broker,
  clients: Clients,
  connection: Connection,
  stream: number,
  packet: SubscribePacket,
  filter: SubscribeFilter,
): Verdict {
  const refusal = refusalOf(broker, clients, connection, filter);
  if (refusal !== null) {
    const reasonCode = connection.connect?.protocol === 5 ? refusal : V3_FAILURE;
    return { reasonCode, subscription: null, wantsRetained: false };
  }
  const { group, filter: pattern } = splitShare(filter.topic);
  const { qos, noLocal, retainAsPublished, retainHandling = 0 } = filter;
  const isNew = !connection.subscriptions.has(filter.topic);
  return {
    reasonCode: qos,
    subscription: {
      qos,
      stream,
      levels: pattern.split('/'),
      ...(group === null ? {} : { group }),
      ...(noLocal ? { noLocal } : {}),
      ...(retainAsPublished ? { retainAsPublished } : {}),
      ...(packet.subscriptionId === undefined ? {} : { id: packet.subscriptionId }),
    },
    wantsRetained: group === null && retainHandling !== RETAIN_NEVER && (retainHandling !== RETAIN_IF_NEW || isNew),
  };
}

function refusalOf(
  broker: Broker,
  { rules }: Clients,
  connection: Connection,
  { topic, noLocal }: SubscribeFilter,
): number | null {
  if (!isValidFilter(topic)) return TOPIC_FILTER_INVALID;
  // [MQTT-3.8.3-4]
  if (noLocal && topic.startsWith('$share/')) return PROTOCOL_ERROR;
  if (!maySubscribe(rules, connection, topic)) {
    log(broker, connection, 'warn', 'authorization_denied', { topic, action: 'SUBSCRIBE', source: 'file' });
    return NOT_AUTHORIZED;
  }
  const isFull = connection.subscriptions.size >= rules.subscriptionsMax && !connection.subscriptions.has(topic);
  return isFull ? QUOTA_EXCEEDED : null;
}

export function sendRetained(
  broker: Broker,
  clients: Clients,
  connection: Connection,
  verdicts: readonly Verdict[],
): void {
  for (const { subscription, wantsRetained } of verdicts) {
    if (subscription && wantsRetained) deliverRetained(broker, clients, connection, subscription);
  }
}
