/** Packet of the machines → MQTT bytes. */

import { generate, type IConnectPacket, type Packet as MqttPacket, writeToStream } from 'mqtt-packet';
import { v3ReturnCode } from '../broker/reason-codes.ts';
import { publishPayloadBytes } from '../packet-size.ts';
import type { MessageContent, Packet, Will } from '../types.ts';
import { encodePayload } from './packet-payload.ts';
import type { OutgoingAliases } from './topic-aliases.ts';

type Protocol = 4 | 5;
type PublishPacket = Extract<Packet, { type: 'publish' }>;

// Else the first packet makes the library encode all 65,536 two-byte numbers, which holds up a run for some 40 ms.
writeToStream.cacheNumbers = false;

/** Reason codes of MQTT 5 from here on are failures; return codes of MQTT 3.1.1 are below. */
const FIRST_FAILURE = 0x80;

/** UNSUBACK of MQTT 5 needs a reason code a filter; the bridge's machines do not keep them. */
const UNSUBSCRIBED = [0];

/**
 * @param content of a PUBLISH; absent: a stand-in of the size that the packet has
 * @param protocol of the connection; a CONNECT carries its own
 * @param aliases of this stream towards the receiver, MQTT 5; absent: topics in full
 * @returns the encoded packet in a buffer of its own. Its length can differ from `packet.size`, which leaves out what no
 *   machine looks at (padding of short payloads, most CONNACK properties).
 */
export function encodePacket(
  packet: Packet,
  protocol: Protocol,
  content?: MessageContent,
  aliases?: OutgoingAliases,
): Buffer {
  const protocolVersion = packet.type === 'connect' ? packet.protocol : protocol;
  const mqtt = toMqtt(packet, protocolVersion, content);
  if (mqtt.cmd !== 'publish' || !aliases) return generate(mqtt, { protocolVersion });
  const { topic, alias } = aliases.use(mqtt.topic);
  if (alias === null) return generate(mqtt, { protocolVersion });
  const properties = { ...mqtt.properties, topicAlias: alias };
  return generate({ ...mqtt, topic, properties }, { protocolVersion });
}

function toMqtt(packet: Packet, protocol: Protocol, content?: MessageContent): MqttPacket {
  switch (packet.type) {
    case 'connect':
      return connect(packet);
    case 'connack':
      return connack(packet, protocol);
    case 'publish':
      return publish(packet, protocol, content ?? packet.content);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { cmd: packet.type, messageId: packet.packetId, reasonCode: packet.reasonCode };
    case 'subscribe':
      return {
        cmd: 'subscribe',
        messageId: packet.packetId,
        subscriptions: packet.filters.map(({ topic, qos, noLocal, retainAsPublished, retainHandling }) => ({
          topic,
          qos,
          nl: noLocal,
          rap: retainAsPublished,
          rh: retainHandling,
        })),
      };
    case 'suback':
      return { cmd: 'suback', messageId: packet.packetId, granted: [...packet.reasonCodes] };
    case 'unsubscribe':
      return { cmd: 'unsubscribe', messageId: packet.packetId, unsubscriptions: [...packet.filters] };
    case 'unsuback':
      return { cmd: 'unsuback', messageId: packet.packetId, granted: [...(packet.reasonCodes ?? UNSUBSCRIBED)] };
    case 'pingreq':
    case 'pingresp':
      return { cmd: packet.type };
    case 'disconnect':
      return { cmd: 'disconnect', reasonCode: packet.reasonCode };
  }
}

function connect(packet: Extract<Packet, { type: 'connect' }>): MqttPacket {
  const { username, password, will, sessionExpiryS, receiveMaximum } = packet;
  const properties = {
    ...(sessionExpiryS === undefined ? {} : { sessionExpiryInterval: sessionExpiryS }),
    ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
  };
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: packet.protocol,
    clientId: packet.clientId,
    clean: packet.cleanStart,
    keepalive: packet.keepaliveS,
    ...(username === null ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
    ...(will === undefined ? {} : { will: willOf(will, packet.protocol) }),
    ...(packet.protocol === 5 && Object.keys(properties).length > 0 ? { properties } : {}),
  };
}

function willOf(
  { topic, qos, retain, delayS, content }: Will,
  protocol: Protocol,
): NonNullable<IConnectPacket['will']> {
  const payload = Buffer.from(content.payload);
  if (protocol === 4) return { topic, qos, retain, payload };
  return { topic, qos, retain, payload, properties: { ...content.properties, willDelayInterval: delayS } };
}

function connack(packet: Extract<Packet, { type: 'connack' }>, protocol: Protocol): MqttPacket {
  const base = { cmd: 'connack' as const, sessionPresent: packet.sessionPresent };
  if (protocol === 4) {
    const { reasonCode } = packet;
    return { ...base, returnCode: reasonCode < FIRST_FAILURE ? reasonCode : v3ReturnCode(reasonCode) };
  }
  return {
    ...base,
    reasonCode: packet.reasonCode,
    properties: {
      ...(packet.maximumPacketSize === null ? {} : { maximumPacketSize: packet.maximumPacketSize }),
      ...(packet.serverKeepaliveS === null ? {} : { serverKeepAlive: packet.serverKeepaliveS }),
      ...(packet.receiveMaximum ? { receiveMaximum: packet.receiveMaximum } : {}),
      ...(packet.assignedClientId === undefined ? {} : { assignedClientIdentifier: packet.assignedClientId }),
      ...(packet.topicAliasMaximum === undefined ? {} : { topicAliasMaximum: packet.topicAliasMaximum }),
    },
  };
}

function publish(packet: PublishPacket, protocol: Protocol, content: MessageContent | undefined): MqttPacket {
  const { topic, qos, dup, retain, packetId, seq, size } = packet;
  const messageId = packetId ?? undefined;
  if (!content) {
    const payload = encodePayload(seq, publishPayloadBytes(topic, qos, size, protocol));
    return { cmd: 'publish', topic, qos, dup, retain, messageId, payload };
  }
  const payload = content.payload as Buffer;
  if (protocol === 4 || !content.properties) return { cmd: 'publish', topic, qos, dup, retain, messageId, payload };
  return { cmd: 'publish', topic, qos, dup, retain, messageId, payload, properties: { ...content.properties } };
}
