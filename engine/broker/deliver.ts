/** What goes to a client: within which window, with which packet id (emqx-keepalive-model §2.1, §3). */

import { publishSize } from '../packet-size.ts';
import { seconds } from '../time.ts';
import type { Message, Micros, Qos } from '../types.ts';
import { aged, isExpired } from './expiry.ts';
import { log, send } from './log.ts';
import { type Broker, type Connection, type StreamSession, streamSession } from './state.ts';

const MESSAGE_QUEUE_MAX = 1_000;
const PACKET_ID_MAX = 65_535;

/** QoS 0 goes out at once; QoS > 0 waits for room in the window. */
export function deliver(broker: Broker, connection: Connection, stream: number, message: Message, qos: Qos): void {
  const session = streamSession(connection, stream);
  if (isExpired(message, broker.now)) {
    broker.out.push({ kind: 'lost', message, reason: 'expired' });
    return;
  }
  // [MQTT-3.1.2-24]
  if (publishSize(message.topic, qos, message.size, 5) > (connection.connect?.maximumPacketSize ?? Infinity)) {
    broker.out.push({ kind: 'lost', message, reason: 'too-large' });
    return;
  }
  if (qos > 0 && session.inflight.size >= windowOf(broker, connection)) {
    enqueue(broker, connection, session, message, qos);
    return;
  }
  publish(broker, connection, stream, session, message, qos);
}

/** [MQTT-4.9.0-2]: at most the client's Receive Maximum; EMQX takes the smaller of that and its own (§3). */
function windowOf(broker: Broker, connection: Connection): number {
  const { maxInflight } = broker.settings;
  const wanted = connection.connect?.protocol === 5 ? connection.connect.receiveMaximum : undefined;
  return wanted === undefined ? maxInflight : Math.min(wanted, maxInflight);
}

export function enqueue(
  broker: Broker,
  connection: Connection,
  session: StreamSession,
  message: Message,
  qos: Qos,
): void {
  if (session.queue.length >= (broker.settings.maxMqueueLen ?? MESSAGE_QUEUE_MAX)) {
    const oldest = session.queue.shift()!;
    log(broker, connection, 'warn', 'delivery_dropped_queue_full', { topic: oldest.message.topic });
    broker.out.push({ kind: 'lost', message: oldest.message, reason: 'queue-full' });
  }
  session.queue.push({ message, qos });
}

export function publish(
  broker: Broker,
  connection: Connection,
  stream: number,
  session: StreamSession,
  message: Message,
  qos: Qos,
): void {
  let packetId: number | null = null;
  if (qos > 0) {
    packetId = freePacketId(session);
    session.inflight.set(packetId, { message, qos, released: false, sentAt: broker.now });
    if (connection.retryAt === null) watchRetry(broker, connection);
  }
  const protocol = connection.connect?.protocol ?? 5;
  const size = publishSize(message.topic, qos, message.size, protocol);
  const { topic, seq, retain = false } = message;
  const packet = { type: 'publish', topic, qos, packetId, dup: false, retain, seq, size } as const;
  send(broker, connection, stream, packet, aged(message, broker.now));
}

/** [MQTT-2.2.1-3]: an id that is not in use. The window is far smaller than the range. */
function freePacketId(session: StreamSession): number {
  for (;;) {
    const packetId = session.nextPacketId;
    session.nextPacketId = packetId === PACKET_ID_MAX ? 1 : packetId + 1;
    if (!session.inflight.has(packetId)) return packetId;
  }
}

/** How long a delivery may stay unacknowledged before it is sent again; null: for ever. */
export function retryInterval(broker: Broker): Micros | null {
  const { retryIntervalS } = broker.settings;
  const interval = retryIntervalS === undefined ? broker.profile.retryIntervalS : retryIntervalS;
  return interval === null || interval === 0 ? null : seconds(interval);
}

/** Sets the retry timer to the oldest delivery in flight. */
export function watchRetry(broker: Broker, connection: Connection): void {
  const interval = retryInterval(broker);
  if (interval === null) return;
  let oldest: Micros | null = null;
  for (const session of connection.streams.values()) {
    for (const { sentAt } of session.inflight.values()) if (oldest === null || sentAt < oldest) oldest = sentAt;
  }
  connection.retryAt = oldest === null ? null : oldest + interval;
}

/** PUBREC: from now on the PUBREL is what counts. */
export function onDeliveryReceived(connection: Connection, stream: number, packetId: number): void {
  const entry = streamSession(connection, stream).inflight.get(packetId);
  if (entry) entry.released = true;
}

/** The window has room again. */
export function onDeliveryAcked(broker: Broker, connection: Connection, stream: number, packetId: number): void {
  const session = streamSession(connection, stream);
  session.inflight.delete(packetId);
  for (let next = session.queue.shift(); next; next = session.queue.shift()) {
    const { message, qos } = next;
    if (!isExpired(message, broker.now)) {
      publish(broker, connection, stream, session, message, qos);
      return;
    }
    broker.out.push({ kind: 'lost', message, reason: 'expired' });
  }
}

/** Messages a session still held when it ended. Those in flight are the driver's to judge. */
export function dropSession(broker: Broker, connection: Connection): void {
  for (const session of connection.streams.values()) dropStream(broker, session);
}

export function dropStream(broker: Broker, session: StreamSession): void {
  for (const { message } of session.queue) broker.out.push({ kind: 'lost', message, reason: 'session-gone' });
  session.queue.length = 0;
}
