/** MQTT bytes of one stream → packets of the machines. Splits at any byte; ends at the first error. */

import { parser as createParser, type Packet as MqttPacket, type Parser } from 'mqtt-packet';
import { packetSize, publishSize } from '../packet-size.ts';
import type { Packet, Qos } from '../types.ts';
import { decodePayload } from './packet-payload.ts';

type Protocol = 4 | 5;

export interface DecoderOptions {
  /** Null: the stream starts with a CONNECT, which tells. */
  readonly protocol: Protocol | null;
  /** Longest packet, bytes with its fixed header. */
  readonly maxPacketBytes: number;
}

export interface Decoded {
  /** Complete packets, in order. */
  readonly packets: readonly Packet[];
  /** Set once the stream is beyond repair: close it. Later calls return the same and no packets. */
  readonly error: string | null;
}

const WILDCARDS = /[+#]/;
const MQTT_3_1 = 3;

export class PacketDecoder {
  readonly #parser: Parser;
  readonly #maxPacketBytes: number;
  #protocol: Protocol | null;
  #packets: Packet[] = [];
  #error: string | null = null;

  constructor({ protocol, maxPacketBytes }: DecoderOptions) {
    this.#protocol = protocol;
    this.#maxPacketBytes = maxPacketBytes;
    this.#parser = createParser({ protocolVersion: protocol ?? 4 });
    this.#parser.on('packet', (packet) => this.#onPacket(packet));
    this.#parser.on('error', (error) => this.#fail(error instanceof Error ? error.message : String(error)));
  }

  /** Protocol of the CONNECT that was read, or the one given. */
  get protocol(): Protocol | null {
    return this.#protocol;
  }

  /** @param chunk not to be changed afterwards */
  push(chunk: Buffer): Decoded {
    if (this.#error !== null) return { packets: [], error: this.#error };
    this.#packets = [];
    try {
      this.#parser.parse(chunk);
    } catch (error) {
      // The library emits its errors; this is for what it did not foresee.
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    this.#checkDeclaredLength();
    return { packets: this.#packets, error: this.#error };
  }

  /** The length in the header of an incomplete packet: refuse it before it is buffered. */
  #checkDeclaredLength(): void {
    const { length } = (this.#parser as Parser & { readonly packet: { readonly length: number } }).packet;
    if (length > 0) this.#checkLength(length);
  }

  #checkLength(remaining: number): void {
    const bytes = packetSize(remaining);
    if (bytes > this.#maxPacketBytes) this.#fail(`packet of ${bytes} bytes, ${this.#maxPacketBytes} are allowed`);
  }

  #fail(reason: string): void {
    this.#error ??= reason;
  }

  #onPacket(packet: MqttPacket): void {
    this.#checkLength(packet.length ?? 0);
    if (this.#error !== null) return;
    const decoded = this.#decode(packet);
    if (typeof decoded === 'string') this.#fail(decoded);
    else this.#packets.push(decoded);
  }

  /** @returns what is wrong as text. */
  #decode(packet: MqttPacket): Packet | string {
    const size = packetSize(packet.length ?? 0);
    switch (packet.cmd) {
      case 'connect': {
        const protocol = packet.protocolVersion ?? MQTT_3_1;
        if (protocol === MQTT_3_1) return 'MQTT 3.1 is not supported';
        this.#protocol = protocol;
        return {
          type: 'connect',
          clientId: packet.clientId,
          keepaliveS: packet.keepalive ?? 0,
          cleanStart: packet.clean ?? false,
          protocol,
          username: packet.username === undefined ? null : String(packet.username),
          size,
        };
      }
      case 'connack':
        return {
          type: 'connack',
          reasonCode: packet.reasonCode ?? packet.returnCode ?? 0,
          sessionPresent: packet.sessionPresent,
          serverKeepaliveS: packet.properties?.serverKeepAlive ?? null,
          maximumPacketSize: packet.properties?.maximumPacketSize ?? null,
          size,
        };
      case 'publish':
        return this.#publish(packet);
      case 'puback':
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
        if (!packet.messageId) return `${packet.cmd} without packet id`;
        return { type: packet.cmd, packetId: packet.messageId, reasonCode: packet.reasonCode ?? 0, size };
      case 'subscribe': {
        if (!packet.messageId) return 'subscribe without packet id';
        const filters = packet.subscriptions.map(({ topic, qos }) => ({ topic, qos }));
        return { type: 'subscribe', packetId: packet.messageId, filters, size };
      }
      case 'suback':
        if (!packet.messageId) return 'suback without packet id';
        return { type: 'suback', packetId: packet.messageId, reasonCodes: packet.granted.map(Number), size };
      case 'unsubscribe':
        if (!packet.messageId) return 'unsubscribe without packet id';
        return { type: 'unsubscribe', packetId: packet.messageId, filters: packet.unsubscriptions, size };
      case 'unsuback':
        if (!packet.messageId) return 'unsuback without packet id';
        return { type: 'unsuback', packetId: packet.messageId, size };
      case 'pingreq':
      case 'pingresp':
        return { type: packet.cmd, size };
      case 'disconnect':
        return { type: 'disconnect', reasonCode: packet.reasonCode ?? 0, size };
      default:
        return `${packet.cmd} is not supported`;
    }
  }

  /** What the library does not check: [MQTT-3.3.2-2] no wildcards, a topic without alias, packet id with QoS > 0. */
  #publish(packet: Extract<MqttPacket, { cmd: 'publish' }>): Packet | string {
    const { topic, dup, retain } = packet;
    const qos: Qos = packet.qos;
    if (topic === '') return 'publish without topic';
    if (WILDCARDS.test(topic)) return `publish to a topic with wildcards: ${topic}`;
    const packetId = packet.messageId ?? null;
    if (qos > 0 && !packetId) return 'publish without packet id';
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const { seq, size: payloadBytes } = decodePayload(payload);
    const size = publishSize(topic, qos, payloadBytes, this.#protocol ?? 4);
    return { type: 'publish', topic, qos, packetId: qos > 0 ? packetId : null, dup, retain, seq, size };
  }
}
