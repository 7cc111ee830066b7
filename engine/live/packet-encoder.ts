/** Packet of the machines → MQTT bytes. */

import { generate, type Packet as MqttPacket, writeToStream } from 'mqtt-packet';
import { publishPayloadBytes } from '../packet-size.ts';
import type { Packet } from '../types.ts';
import { encodePayload } from './packet-payload.ts';

type Protocol = 4 | 5;

// Else the first packet makes the library encode all 65,536 two-byte numbers, which holds up a run for some 40 ms.
writeToStream.cacheNumbers = false;

/** UNSUBACK of MQTT 5 needs a reason code a filter, which the machines do not keep. */
const UNSUBSCRIBED = [0];

/**
 * @param protocol of the connection; a CONNECT carries its own
 * @returns the encoded packet in a buffer of its own. Its length can differ from `packet.size`, which leaves out what no
 *   machine looks at (padding of short payloads, most CONNACK properties).
 */
export function encodePacket(packet: Packet, protocol: Protocol): Buffer {
  const protocolVersion = packet.type === 'connect' ? packet.protocol : protocol;
  return generate(toMqtt(packet, protocolVersion), { protocolVersion });
}

function toMqtt(packet: Packet, protocol: Protocol): MqttPacket {
  switch (packet.type) {
    case 'connect':
      return connect(packet);
    case 'connack':
      return connack(packet, protocol);
    case 'publish':
      return publish(packet, protocol);
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { cmd: packet.type, messageId: packet.packetId, reasonCode: packet.reasonCode };
    case 'subscribe':
      return {
        cmd: 'subscribe',
        messageId: packet.packetId,
        subscriptions: packet.filters.map((filter) => ({ ...filter })),
      };
    case 'suback':
      return { cmd: 'suback', messageId: packet.packetId, granted: [...packet.reasonCodes] };
    case 'unsubscribe':
      return { cmd: 'unsubscribe', messageId: packet.packetId, unsubscriptions: [...packet.filters] };
    case 'unsuback':
      return { cmd: 'unsuback', messageId: packet.packetId, granted: UNSUBSCRIBED };
    case 'pingreq':
    case 'pingresp':
      return { cmd: packet.type };
    case 'disconnect':
      return { cmd: 'disconnect', reasonCode: packet.reasonCode };
  }
}

function connect(packet: Extract<Packet, { type: 'connect' }>): MqttPacket {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: packet.protocol,
    clientId: packet.clientId,
    clean: packet.cleanStart,
    keepalive: packet.keepaliveS,
    ...(packet.username === null ? {} : { username: packet.username }),
  };
}

function connack(packet: Extract<Packet, { type: 'connack' }>, protocol: Protocol): MqttPacket {
  const base = { cmd: 'connack' as const, sessionPresent: packet.sessionPresent };
  if (protocol === 4) return { ...base, returnCode: packet.reasonCode };
  return {
    ...base,
    reasonCode: packet.reasonCode,
    properties: {
      ...(packet.maximumPacketSize === null ? {} : { maximumPacketSize: packet.maximumPacketSize }),
      ...(packet.serverKeepaliveS === null ? {} : { serverKeepAlive: packet.serverKeepaliveS }),
    },
  };
}

function publish(packet: Extract<Packet, { type: 'publish' }>, protocol: Protocol): MqttPacket {
  const { topic, qos, dup, retain, packetId, seq, size } = packet;
  const payload = encodePayload(seq, publishPayloadBytes(topic, qos, size, protocol));
  return { cmd: 'publish', topic, qos, dup, retain, messageId: packetId ?? undefined, payload };
}
