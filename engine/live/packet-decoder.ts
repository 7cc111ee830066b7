/** MQTT bytes of one stream → packets of the machines. Splits at any byte; ends at the first error. */

import { parser as createParser, type IConnectPacket, type Packet as MqttPacket, type Parser } from 'mqtt-packet';
import { packetSize, publishSize } from '../packet-size.ts';
import type { Packet, Qos, Will } from '../types.ts';
import { decodePayload } from './packet-payload.ts';
import { TopicAliases } from './topic-aliases.ts';

type Protocol = 4 | 5;

export interface DecoderOptions {
  /** Null: the stream starts with a CONNECT, which tells. */
  readonly protocol: Protocol | null;
  /** Longest packet, bytes with its fixed header. */
  readonly maxPacketBytes: number;
  /**
   * Numbers the messages of clients that are not ours, whose payload is then passed on as it is. Absent: the payload carries the
   * number (packet-payload).
   */
  readonly nextSeq?: () => number;
  /** The payload is passed on although it carries the number. */
  readonly keepContent?: boolean;
}

/** MQTT 5.0 §2.4 */
export const REASON = {
  malformed: 0x81,
  protocolError: 0x82,
  unsupportedVersion: 0x84,
  topicNameInvalid: 0x90,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
} as const;

export interface Decoded {
  /** Complete packets, in order. */
  readonly packets: readonly Packet[];
  /** Set once the stream is beyond repair: close it. Later calls return the same and no packets. */
  readonly error: string | null;
  /** What a DISCONNECT for the error says. */
  readonly reasonCode: number;
}

interface Fault {
  readonly text: string;
  readonly reasonCode: number;
}

/** [MQTT-3.3.2-2], and U+0000, which [MQTT-1.5.4-2] forbids. */
const FORBIDDEN_IN_TOPIC = /[+#\u0000]/;
const MQTT_3_1 = 3;
/** Topic levels beyond which EMQX refuses a topic too (`mqtt.max_topic_levels`). */
const TOPIC_LEVELS_MAX = 128;
/** Of MQTT 5's PUBLISH properties, the ones that belong to the hop and not to the message. */
const HOP_PROPERTIES = ['topicAlias', 'subscriptionIdentifier'];

export class PacketDecoder {
  readonly #parser: Parser;
  readonly #options: DecoderOptions;
  readonly #aliases = new TopicAliases();
  #protocol: Protocol | null;
  #packets: Packet[] = [];
  #fault: Fault | null = null;

  constructor(options: DecoderOptions) {
    this.#options = options;
    this.#protocol = options.protocol;
    this.#parser = createParser({ protocolVersion: options.protocol ?? 4 });
    this.#parser.on('packet', (packet) => this.#onPacket(packet));
    this.#parser.on('error', (error) => this.#onParserError(error));
  }

  /** Protocol of the CONNECT that was read, or the one given. */
  get protocol(): Protocol | null {
    return this.#protocol;
  }

  /** @param chunk not to be changed afterwards */
  push(chunk: Buffer): Decoded {
    this.#packets = [];
    if (this.#fault) return this.#result();
    try {
      this.#parser.parse(chunk);
    } catch (error) {
      // The library emits its errors; this is for what it did not foresee.
      this.#onParserError(error);
    }
    this.#checkDeclaredLength();
    return this.#result();
  }

  #result(): Decoded {
    return { packets: this.#packets, error: this.#fault?.text ?? null, reasonCode: this.#fault?.reasonCode ?? 0 };
  }

  #onParserError(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const isVersion = text === 'Invalid protocol version' || text === 'Invalid protocolId';
    this.#fail(text, isVersion ? REASON.unsupportedVersion : REASON.malformed);
  }

  /** The length in the header of an incomplete packet: refuse it before it is buffered. */
  #checkDeclaredLength(): void {
    const { length } = (this.#parser as Parser & { readonly packet: { readonly length: number } }).packet;
    if (length > 0) this.#checkLength(length);
  }

  #checkLength(remaining: number): void {
    const bytes = packetSize(remaining);
    const { maxPacketBytes } = this.#options;
    if (bytes > maxPacketBytes) {
      this.#fail(`packet of ${bytes} bytes, ${maxPacketBytes} are allowed`, REASON.packetTooLarge);
    }
  }

  #fail(text: string, reasonCode: number): void {
    this.#fault ??= { text, reasonCode };
  }

  #onPacket(packet: MqttPacket): void {
    this.#checkLength(packet.length ?? 0);
    if (this.#fault) return;
    const decoded = this.#decode(packet);
    if ('text' in decoded) this.#fault = decoded;
    else this.#packets.push(decoded);
  }

  #decode(packet: MqttPacket): Packet | Fault {
    const size = packetSize(packet.length ?? 0);
    switch (packet.cmd) {
      case 'connect':
        return this.#connect(packet, size);
      case 'connack':
        return {
          type: 'connack',
          reasonCode: packet.reasonCode ?? packet.returnCode ?? 0,
          sessionPresent: packet.sessionPresent,
          serverKeepaliveS: packet.properties?.serverKeepAlive ?? null,
          maximumPacketSize: packet.properties?.maximumPacketSize ?? null,
          ...numbers({ receiveMaximum: packet.properties?.receiveMaximum }),
          size,
        };
      case 'publish':
        return this.#publish(packet);
      case 'puback':
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
        if (!packet.messageId) return withoutId(packet.cmd);
        return { type: packet.cmd, packetId: packet.messageId, reasonCode: packet.reasonCode ?? 0, size };
      case 'subscribe': {
        if (!packet.messageId) return withoutId('subscribe');
        if (packet.subscriptions.length === 0) return protocolError('subscribe without filter');
        const filters = packet.subscriptions.map(({ topic, qos, nl, rap, rh }) => ({
          topic,
          qos,
          ...(nl ? { noLocal: true } : {}),
          ...(rap ? { retainAsPublished: true } : {}),
          ...(rh ? { retainHandling: rh } : {}),
        }));
        const subscriptionId = packet.properties?.subscriptionIdentifier;
        return {
          type: 'subscribe',
          packetId: packet.messageId,
          filters,
          ...(subscriptionId === undefined ? {} : { subscriptionId }),
          size,
        };
      }
      case 'suback':
        if (!packet.messageId) return withoutId('suback');
        return { type: 'suback', packetId: packet.messageId, reasonCodes: packet.granted.map(Number), size };
      case 'unsubscribe':
        if (!packet.messageId) return withoutId('unsubscribe');
        if (packet.unsubscriptions.length === 0) return protocolError('unsubscribe without filter');
        return { type: 'unsubscribe', packetId: packet.messageId, filters: packet.unsubscriptions, size };
      case 'unsuback':
        if (!packet.messageId) return withoutId('unsuback');
        return { type: 'unsuback', packetId: packet.messageId, size };
      case 'pingreq':
      case 'pingresp':
        return { type: packet.cmd, size };
      case 'disconnect': {
        const sessionExpiryS = packet.properties?.sessionExpiryInterval;
        const reasonCode = packet.reasonCode ?? 0;
        return { type: 'disconnect', reasonCode, ...(sessionExpiryS === undefined ? {} : { sessionExpiryS }), size };
      }
      default:
        return protocolError(`${packet.cmd} is not supported`);
    }
  }

  #connect(packet: IConnectPacket, size: number): Packet | Fault {
    const protocol = packet.protocolVersion ?? MQTT_3_1;
    if (protocol === MQTT_3_1) {
      this.#protocol = 4; // What the answer looks like.
      return { text: 'MQTT 3.1 is not supported', reasonCode: REASON.unsupportedVersion };
    }
    this.#protocol = protocol;
    const { username, password, properties } = packet;
    const will = this.#will(packet);
    if (will && 'text' in will) return will;
    const options = {
      ...(password === undefined || password === null ? {} : { password: Buffer.from(password) }),
      ...(will ? { will } : {}),
      ...numbers({
        sessionExpiryS: properties?.sessionExpiryInterval,
        receiveMaximum: properties?.receiveMaximum,
        maximumPacketSize: properties?.maximumPacketSize,
        topicAliasMaximum: properties?.topicAliasMaximum,
      }),
      ...(properties?.authenticationMethod === undefined
        ? {}
        : { authenticationMethod: properties.authenticationMethod }),
    };
    return {
      type: 'connect',
      clientId: packet.clientId,
      keepaliveS: packet.keepalive ?? 0,
      cleanStart: packet.clean ?? false,
      protocol,
      username: username === undefined ? null : String(username),
      ...options,
      size,
    };
  }

  #will({ will }: IConnectPacket): Will | Fault | null {
    if (!will) return null;
    const { topic, payload, properties } = will;
    if (topic === '' || FORBIDDEN_IN_TOPIC.test(topic)) {
      return { text: `will with the topic ${JSON.stringify(topic)}`, reasonCode: REASON.topicNameInvalid };
    }
    const { willDelayInterval, ...rest } = properties ?? {};
    return {
      topic,
      qos: will.qos ?? 0,
      retain: will.retain ?? false,
      delayS: willDelayInterval ?? 0,
      seq: this.#options.nextSeq?.() ?? 0,
      content: { payload: Buffer.from(payload), properties: Object.keys(rest).length > 0 ? rest : null },
    };
  }

  /** What the library does not check: wildcards, a topic without alias, packet id with QoS > 0. */
  #publish(packet: Extract<MqttPacket, { cmd: 'publish' }>): Packet | Fault {
    const { dup, retain, properties } = packet;
    const qos: Qos = packet.qos;
    const topic = this.#aliases.resolve(packet.topic, properties?.topicAlias);
    if (topic === null) return { text: 'publish with an unknown topic alias', reasonCode: REASON.topicAliasInvalid };
    if (topic === '') return { text: 'publish without topic', reasonCode: REASON.protocolError };
    if (FORBIDDEN_IN_TOPIC.test(topic)) {
      return { text: `publish to a topic with wildcards: ${topic}`, reasonCode: REASON.topicNameInvalid };
    }
    if (topic.split('/', TOPIC_LEVELS_MAX + 1).length > TOPIC_LEVELS_MAX) {
      return { text: 'publish to a topic of too many levels', reasonCode: REASON.topicNameInvalid };
    }
    const packetId = packet.messageId ?? null;
    if (qos > 0 && !packetId) return withoutId('publish');
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const { nextSeq, keepContent } = this.#options;
    const { seq, size: payloadBytes } = nextSeq ? { seq: nextSeq(), size: payload.length } : decodePayload(payload);
    const size = publishSize(topic, qos, payloadBytes, this.#protocol ?? 4);
    const base = { type: 'publish', topic, qos, packetId: qos > 0 ? packetId : null, dup, retain, seq, size } as const;
    // A copy: the parser's payload is a part of the chunk it came in, and may be kept for days.
    return nextSeq || keepContent
      ? { ...base, content: { payload: Buffer.from(payload), properties: endToEnd(properties) } }
      : base;
  }
}

function endToEnd(properties: object | undefined): Readonly<Record<string, unknown>> | null {
  const entries = Object.entries(properties ?? {}).filter(([name]) => !HOP_PROPERTIES.includes(name));
  return entries.length > 0 ? Object.fromEntries(entries) : null;
}

function numbers<Name extends string>(values: Readonly<Record<Name, number | undefined>>): { [Key in Name]?: number } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in Name]?: number };
}

function withoutId(type: string): Fault {
  return protocolError(`${type} without packet id`);
}

function protocolError(text: string): Fault {
  return { text, reasonCode: REASON.protocolError };
}
