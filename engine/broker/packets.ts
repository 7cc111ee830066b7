/** One handler a packet type, for control and data streams alike where both allow it (emqx-keepalive-model §2.2). */

import { ACK_SIZE, PING_SIZE, packetSize, publishPayloadBytes } from '../packet-size.ts';
import type { Message, Packet } from '../types.ts';
import { keepaliveCounter, onConnect } from './connect.ts';
import { onDeliveryAcked } from './deliver.ts';
import { closeByClient } from './end.ts';
import { restartByPing } from './keepalive.ts';
import { CONTROL_STREAM, log, logReceived, send } from './log.ts';
import { type Broker, type Connection, streamSession } from './state.ts';

type PublishPacket = Extract<Packet, { type: 'publish' }>;
type SubscribePacket = Extract<Packet, { type: 'subscribe' }>;
type UnsubscribePacket = Extract<Packet, { type: 'unsubscribe' }>;

export function onPacket(broker: Broker, connection: Connection, stream: number, packet: Packet): void {
  connection.bytes += packet.size;
  // Before 5.0.18 the broker reads the control stream only.
  if (stream !== CONTROL_STREAM && !broker.profile.dataStreams) return;
  connection.connectionPackets++;
  if (stream === CONTROL_STREAM) connection.controlPackets++;
  if (connection.state === 'accepted') {
    // [MQTT-3.1.0-1]: the first packet must be CONNECT.
    if (packet.type === 'connect') onConnect(broker, connection, packet);
    return;
  }
  // The data streams of a closing connection still work; its control stream does not.
  if (connection.state === 'closing' && stream === CONTROL_STREAM) return;
  logReceived(broker, connection, stream, packet);
  switch (packet.type) {
    case 'publish':
      onPublish(broker, connection, stream, packet);
      return;
    case 'puback':
    case 'pubcomp':
      onDeliveryAcked(broker, connection, stream, packet.packetId);
      return;
    case 'pubrec':
      ack(broker, connection, stream, 'pubrel', packet.packetId);
      return;
    case 'pubrel':
      streamSession(connection, stream).awaitingRelease.delete(packet.packetId);
      ack(broker, connection, stream, 'pubcomp', packet.packetId);
      return;
    case 'subscribe':
      onSubscribe(broker, connection, stream, packet);
      return;
    case 'unsubscribe':
      onUnsubscribe(broker, connection, stream, packet);
      return;
    case 'pingreq':
      onPingreq(broker, connection, stream);
      return;
    case 'disconnect':
      if (stream === CONTROL_STREAM) closeByClient(broker, connection);
      return;
    default:
      return;
  }
}

function onPublish(broker: Broker, connection: Connection, stream: number, packet: PublishPacket): void {
  const { topic, qos, seq, packetId } = packet;
  const size = publishPayloadBytes(topic, qos, packet.size, connection.connect!.protocol);
  const message: Message = { seq, topic, qos, size };
  if (qos < 2 || isNewQos2(connection, stream, packetId!)) {
    const identity = stream === CONTROL_STREAM ? connection : null;
    log(broker, identity, 'debug', 'publish_routed', { topic, payload_bytes: size });
    broker.out.push({ kind: 'deliver', message });
  }
  if (qos === 1) ack(broker, connection, stream, 'puback', packetId!);
  if (qos === 2) ack(broker, connection, stream, 'pubrec', packetId!);
}

/** [MQTT-4.3.3-10]: a QoS 2 packet id is not routed again until its PUBREL. */
function isNewQos2(connection: Connection, stream: number, packetId: number): boolean {
  const { awaitingRelease } = streamSession(connection, stream);
  if (awaitingRelease.has(packetId)) return false;
  awaitingRelease.add(packetId);
  return true;
}

function ack(
  broker: Broker,
  connection: Connection,
  stream: number,
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
  packetId: number,
): void {
  send(broker, connection, stream, { type, packetId, reasonCode: 0, size: ACK_SIZE });
}

function onSubscribe(broker: Broker, connection: Connection, stream: number, packet: SubscribePacket): void {
  for (const { topic, qos } of packet.filters) connection.subscriptions.set(topic, { qos, stream });
  const reasonCodes = packet.filters.map((filter) => filter.qos);
  const size = packetSize(2 + 1 + reasonCodes.length);
  send(broker, connection, stream, { type: 'suback', packetId: packet.packetId, reasonCodes, size });
}

function onUnsubscribe(broker: Broker, connection: Connection, stream: number, packet: UnsubscribePacket): void {
  for (const filter of packet.filters) connection.subscriptions.delete(filter);
  send(broker, connection, stream, { type: 'unsuback', packetId: packet.packetId, size: ACK_SIZE });
}

/** On a data stream a PINGREQ is counted but its answer is filtered out. */
function onPingreq(broker: Broker, connection: Connection, stream: number): void {
  if (stream !== CONTROL_STREAM) return;
  send(broker, connection, stream, { type: 'pingresp', size: PING_SIZE });
  if (!connection.keepalive) return;
  restartByPing(broker.profile, connection.keepalive, keepaliveCounter(broker, connection), broker.now);
}
