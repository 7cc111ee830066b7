/** Encoded length of MQTT packets, and back (MQTT 5.0 §2.1, §3). */

import type { Qos } from './types.ts';

/** UTF-8 bytes of a string, without an encoder. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/** Fixed header and body of a packet with `remaining` bytes after the fixed header. */
export function packetSize(remaining: number): number {
  return remaining + 1 + lengthBytes(remaining);
}

export function publishSize(topic: string, qos: Qos, payloadBytes: number, protocol: 4 | 5): number {
  return packetSize(publishOverhead(topic, qos, protocol) + payloadBytes);
}

/** Payload bytes of a PUBLISH of `size` encoded bytes without properties. */
export function publishPayloadBytes(topic: string, qos: Qos, size: number, protocol: 4 | 5): number {
  let remaining = size - 2;
  while (remaining > 0 && packetSize(remaining) > size) remaining--;
  return Math.max(0, remaining - publishOverhead(topic, qos, protocol));
}

export function filtersSize(topics: readonly string[], bytesPerFilter: number, protocol: 4 | 5): number {
  let remaining = 2 + propertiesBytes(protocol);
  for (const topic of topics) remaining += 2 + utf8Bytes(topic) + bytesPerFilter;
  return packetSize(remaining);
}

export function connectSize(clientId: string, username: string | null, protocol: 4 | 5): number {
  const user = username === null ? 0 : 2 + utf8Bytes(username);
  return packetSize(10 + propertiesBytes(protocol) + 2 + utf8Bytes(clientId) + user);
}

export const PING_SIZE = 2;
export const ACK_SIZE = 4;
export const DISCONNECT_SIZE = 4;
/** CONNACK with EMQX's seven properties (emqx-keepalive-model §3); in 3.1.1 it is 4 bytes. */
export const CONNACK_SIZE: Readonly<Record<4 | 5, number>> = { 4: 4, 5: 24 };

function publishOverhead(topic: string, qos: Qos, protocol: 4 | 5): number {
  return 2 + utf8Bytes(topic) + (qos > 0 ? 2 : 0) + propertiesBytes(protocol);
}

function propertiesBytes(protocol: 4 | 5): number {
  return protocol === 5 ? 1 : 0;
}

function lengthBytes(remaining: number): number {
  if (remaining < 128) return 1;
  if (remaining < 16_384) return 2;
  return remaining < 2_097_152 ? 3 : 4;
}
