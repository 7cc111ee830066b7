/** Downlink: who gets a message, on which stream, within which window (emqx-keepalive-model §2.1, §3). */

import { publishSize } from '../packet-size.ts';
import type { Message, Qos } from '../types.ts';
import { send } from './log.ts';
import { type Broker, type Connection, type StreamSession, type Subscription, streamSession } from './state.ts';
import { matchesTopic } from './topic-filter.ts';

const MESSAGE_QUEUE_MAX = 1_000;
const PACKET_ID_MAX = 65_535;
export const DOWNLINK_PUBLISHER = 'downlink-publisher';
const DOWNLINK_PEER = '127.0.0.1:1883';

export function onDownlink(broker: Broker, message: Message): void {
  if (!broker.running) return void broker.out.push({ kind: 'lost', message, reason: 'broker-down' });
  broker.out.push({
    kind: 'log',
    severity: 'debug',
    event: 'publish_routed',
    clientId: DOWNLINK_PUBLISHER,
    peer: DOWNLINK_PEER,
    fields: { topic: message.topic, payload_bytes: message.size },
  });
  let subscribers = 0;
  for (const connection of broker.connections.values()) {
    if (connection.state !== 'connected') continue;
    const subscription = matchingSubscription(connection, message.topic);
    if (!subscription) continue;
    subscribers++;
    const qos = Math.min(subscription.qos, message.qos) as Qos;
    deliver(broker, connection, subscription.stream, message, qos);
  }
  if (subscribers === 0) broker.out.push({ kind: 'lost', message, reason: 'no-subscriber' });
}

function matchingSubscription(connection: Connection, topic: string): Subscription | null {
  for (const [filter, subscription] of connection.subscriptions) {
    if (matchesTopic(filter, topic)) return subscription;
  }
  return null;
}

function deliver(broker: Broker, connection: Connection, stream: number, message: Message, qos: Qos): void {
  const session = streamSession(connection, stream);
  if (qos > 0 && session.inflight.size >= broker.settings.maxInflight) {
    if (session.queue.length >= MESSAGE_QUEUE_MAX) {
      broker.out.push({ kind: 'lost', message: session.queue.shift()!.message, reason: 'session-gone' });
    }
    session.queue.push({ message, qos });
    return;
  }
  publish(broker, connection, stream, session, message, qos);
}

function publish(
  broker: Broker,
  connection: Connection,
  stream: number,
  session: StreamSession,
  message: Message,
  qos: Qos,
): void {
  let packetId: number | null = null;
  if (qos > 0) {
    packetId = session.nextPacketId;
    session.nextPacketId = packetId === PACKET_ID_MAX ? 1 : packetId + 1;
    session.inflight.set(packetId, message);
  }
  const protocol = connection.connect?.protocol ?? 5;
  const size = publishSize(message.topic, qos, message.size, protocol);
  const { topic, seq } = message;
  send(
    broker,
    connection,
    stream,
    { type: 'publish', topic, qos, packetId, dup: false, retain: false, seq, size },
    message,
  );
}

/** The window has room again. */
export function onDeliveryAcked(broker: Broker, connection: Connection, stream: number, packetId: number): void {
  const session = streamSession(connection, stream);
  session.inflight.delete(packetId);
  const next = session.queue.shift();
  if (next) publish(broker, connection, stream, session, next.message, next.qos);
}

/** Messages a session still held when it ended. Those in flight are the driver's to judge. */
export function dropSession(broker: Broker, connection: Connection): void {
  for (const session of connection.streams.values()) {
    for (const { message } of session.queue) broker.out.push({ kind: 'lost', message, reason: 'session-gone' });
    session.queue.length = 0;
  }
}
