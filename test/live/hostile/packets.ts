/** MQTT bytes for hostile clients: good packets of every type, ways to damage them, and faults with the reason code each must get. */

import { generate, type Packet } from 'mqtt-packet';
import type { Rng } from '../../../engine/types.ts';

export type Protocol = 4 | 5;

/** What is wrong with a connection in MQTT 5's words (§2.4) and sent after CONNECT. */
export interface Fault {
  readonly name: string;
  readonly bytes: Buffer;
  readonly reasonCode: number;
}

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const TOPIC_NAME_INVALID = 0x90;
const TOPIC_ALIAS_INVALID = 0x94;
const PACKET_TOO_LARGE = 0x95;
/** All that the broker may say to bytes that are damaged at random; a DISCONNECT of ours can be among them, then it says nothing. */
export const REASONS: ReadonlySet<number> = new Set([
  MALFORMED,
  PROTOCOL_ERROR,
  0x84,
  0x8e, // another of these clients has the same id by now
  TOPIC_NAME_INVALID,
  TOPIC_ALIAS_INVALID,
  PACKET_TOO_LARGE,
]);

export function connectBytes(clientId: string, protocol: Protocol): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: protocol,
    clientId,
    clean: true,
    keepalive: 0,
  });
}

/** One of every type, those that only a broker sends too. */
export function everyPacket(protocol: Protocol, clientId: string): Buffer[] {
  const packets: Packet[] = [
    { cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent: false },
    { cmd: 'publish', topic: 'hostile/a', payload: 'x'.repeat(50), qos: 0, dup: false, retain: false },
    { cmd: 'publish', topic: 'hostile/b', payload: 'y', qos: 1, messageId: 7, dup: false, retain: true },
    { cmd: 'publish', topic: 'hostile/c', payload: 'z', qos: 2, messageId: 8, dup: true, retain: false },
    { cmd: 'puback', messageId: 9 },
    { cmd: 'pubrec', messageId: 10 },
    { cmd: 'pubrel', messageId: 8 },
    { cmd: 'pubcomp', messageId: 11 },
    { cmd: 'subscribe', messageId: 12, subscriptions: [{ topic: 'hostile/+/x', qos: 1 }] },
    { cmd: 'suback', messageId: 12, granted: [1] },
    { cmd: 'unsubscribe', messageId: 13, unsubscriptions: ['hostile/+/x'] },
    { cmd: 'unsuback', messageId: 13, granted: [0] },
    { cmd: 'pingreq' },
    { cmd: 'pingresp' },
    { cmd: 'disconnect', reasonCode: 0 },
  ];
  if (protocol === 5) packets.push({ cmd: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'none' } });
  return [
    connectBytes(clientId, protocol),
    ...packets.map((packet) => generate(packet, { protocolVersion: protocol })),
  ];
}

/** Flips, cuts, doubles, lengthens: one to four times. */
export function damage(rng: Rng, bytes: Buffer): Buffer {
  let damaged = Buffer.from(bytes);
  for (let times = rng.int(1, 4); times > 0; times--) {
    const at = rng.int(0, Math.max(0, damaged.length - 1));
    switch (rng.int(0, 4)) {
      case 0:
        if (damaged.length > 0) damaged[at]! ^= 1 << rng.int(0, 7);
        break;
      case 1:
        if (damaged.length > 0) damaged[at] = rng.int(0, 255);
        break;
      case 2:
        damaged = damaged.subarray(0, at);
        break;
      case 3:
        damaged = Buffer.concat([damaged.subarray(0, at), randomBytes(rng, rng.int(1, 40)), damaged.subarray(at)]);
        break;
      default:
        damaged = Buffer.concat([damaged, damaged.subarray(at)]);
    }
  }
  return damaged;
}

export function randomBytes(rng: Rng, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => rng.int(0, 255)));
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** MQTT 5. The clause or rule is in the name. */
export const FAULTS: readonly Fault[] = [
  { name: 'packet type 0', bytes: hex('00 00'), reasonCode: MALFORMED },
  { name: 'remaining length of five bytes', bytes: hex('30 ff ff ff ff 7f'), reasonCode: MALFORMED },
  { name: 'PUBLISH with QoS 3', bytes: hex('36 06 00 01 61 00 01 00'), reasonCode: MALFORMED },
  { name: 'PUBLISH with a topic longer than the packet', bytes: hex('30 03 ff ff 61'), reasonCode: MALFORMED },
  { name: 'PUBLISH to a wildcard', bytes: hex('30 06 00 03 61 2f 23 00'), reasonCode: TOPIC_NAME_INVALID },
  { name: 'PUBLISH with U+0000 in its topic', bytes: hex('30 06 00 03 61 00 62 00'), reasonCode: TOPIC_NAME_INVALID },
  { name: 'PUBLISH without topic and alias', bytes: hex('30 03 00 00 00'), reasonCode: PROTOCOL_ERROR },
  { name: 'PUBLISH with an alias nobody set', bytes: hex('30 06 00 00 03 23 00 05'), reasonCode: TOPIC_ALIAS_INVALID },
  { name: 'PUBLISH with alias 0', bytes: hex('30 07 00 01 61 03 23 00 00'), reasonCode: TOPIC_ALIAS_INVALID },
  { name: 'PUBLISH with an alias above the maximum', bytes: hex('30 07 00 01 61 03 23 ff ff'), reasonCode: 0x94 },
  { name: 'PUBLISH of QoS 1 with packet id 0', bytes: hex('32 06 00 01 61 00 00 00'), reasonCode: PROTOCOL_ERROR },
  { name: 'PUBLISH of 256 MiB', bytes: hex('30 ff ff ff 7f 00 01 61'), reasonCode: PACKET_TOO_LARGE },
  { name: 'SUBSCRIBE with wrong flags', bytes: hex('80 07 00 01 00 00 01 61 00'), reasonCode: MALFORMED },
  { name: 'SUBSCRIBE with QoS 3', bytes: hex('82 07 00 01 00 00 01 61 03'), reasonCode: MALFORMED },
  { name: 'SUBSCRIBE with packet id 0', bytes: hex('82 07 00 00 00 00 01 61 00'), reasonCode: PROTOCOL_ERROR },
  { name: 'UNSUBSCRIBE with wrong flags', bytes: hex('a0 06 00 01 00 00 01 61'), reasonCode: MALFORMED },
  { name: 'PUBREL with wrong flags', bytes: hex('60 02 00 01'), reasonCode: MALFORMED },
  { name: 'a second CONNECT', bytes: connectBytes('again', 5), reasonCode: PROTOCOL_ERROR },
  { name: 'CONNACK of a client', bytes: hex('20 03 00 00 00'), reasonCode: PROTOCOL_ERROR },
  { name: 'SUBACK of a client', bytes: hex('90 04 00 01 00 00'), reasonCode: PROTOCOL_ERROR },
  { name: 'UNSUBACK of a client', bytes: hex('b0 04 00 01 00 00'), reasonCode: PROTOCOL_ERROR },
  { name: 'PINGRESP of a client', bytes: hex('d0 00'), reasonCode: PROTOCOL_ERROR },
  { name: 'AUTH without an authentication before', bytes: hex('f0 02 00 00'), reasonCode: PROTOCOL_ERROR },
];
