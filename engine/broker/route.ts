/** A message of a client, or of the driver, to all who subscribed (MQTT 5.0 §4.7, §4.8.2). */

import type { Message, Qos } from '../types.ts';
import type { Clients } from './clients.ts';
import { deliver, enqueue } from './deliver.ts';
import { type Broker, type Connection, type Subscription, streamSession } from './state.ts';
import { matchesLevels } from './topic-filter.ts';

interface Candidate {
  readonly connection: Connection;
  readonly subscription: Subscription;
}

/** Groups whose turn is remembered; the one that was used least recently starts anew. */
const TURNS_MAX = 10_000;

/**
 * One copy for every subscription that matches, as EMQX does it; one for a whole group of shared ones.
 * @param source for No Local; null: not a client
 * @returns how many subscriptions matched
 */
export function route(broker: Broker, clients: Clients, source: Connection | null, message: Message): number {
  const names = message.topic.split('/');
  const groups = new Map<string, Candidate[]>();
  const chosen: Candidate[] = [];
  for (const connection of broker.connections.values()) {
    if (connection.state !== 'connected' && connection.state !== 'detached') continue;
    for (const [filter, subscription] of connection.subscriptions) {
      if (!matchesLevels(subscription.levels ?? filter.split('/'), names)) continue;
      if (subscription.group) addTo(groups, filter, { connection, subscription });
      // [MQTT-3.8.3-3]
      else if (!(subscription.noLocal && connection === source)) chosen.push({ connection, subscription });
    }
  }
  for (const [group, members] of groups) chosen.push(nextOf(clients, group, members));
  // Only now: what a delivery does to the broker must not change who gets this message.
  for (const { connection, subscription } of chosen) give(broker, connection, subscription, message);
  return chosen.length;
}

function addTo(groups: Map<string, Candidate[]>, group: string, candidate: Candidate): void {
  const members = groups.get(group);
  if (members) members.push(candidate);
  else groups.set(group, [candidate]);
}

/** Round robin; a member without a connection only if all are. */
function nextOf({ turns }: Clients, group: string, members: readonly Candidate[]): Candidate {
  const connected = members.filter(({ connection }) => connection.state === 'connected');
  const ready = connected.length > 0 ? connected : members;
  const turn = turns.get(group) ?? 0;
  turns.delete(group);
  turns.set(group, turn + 1);
  if (turns.size > TURNS_MAX) turns.delete(turns.keys().next().value!);
  return ready[turn % ready.length]!;
}

function give(broker: Broker, connection: Connection, subscription: Subscription, message: Message): void {
  const qos = Math.min(subscription.qos, message.qos) as Qos;
  const copy = addressed(message, subscription, message.retain === true && subscription.retainAsPublished === true);
  const { stream } = subscription;
  if (connection.state === 'detached') enqueue(broker, connection, streamSession(connection, stream), copy, qos);
  else deliver(broker, connection, stream, copy, qos);
}

/** The message as it goes out for one subscription. */
export function addressed(message: Message, { id }: Subscription, retain: boolean): Message {
  const { seq, topic, qos, size, content, expiresAt } = message;
  if (id === undefined || !content) return { seq, topic, qos, size, content, retain, expiresAt };
  const properties = { ...content.properties, subscriptionIdentifier: id };
  return { seq, topic, qos, size, content: { payload: content.payload, properties }, retain, expiresAt };
}
