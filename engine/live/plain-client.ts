/** A client without a machine: one connection, no session, no retries. Probes a broker, publishes and watches beside a bridge. */

import { ACK_SIZE, connectSize, filtersSize, PING_SIZE, publishSize } from '../packet-size.ts';
import type { Message, Packet, Qos } from '../types.ts';
import type { Dialler } from './dialler.ts';
import { LiveError } from './errors.ts';
import { PacketDecoder } from './packet-decoder.ts';
import { encodePacket } from './packet-encoder.ts';
import { type ClientTransport, type Failure, failureText } from './transport.ts';

export type Connack = Extract<Packet, { type: 'connack' }>;
type Publish = Extract<Packet, { type: 'publish' }>;

export interface PlainClientOptions {
  readonly dial: Dialler;
  readonly protocol: 4 | 5;
  readonly clientId: string;
  readonly username: string | null;
  readonly password: Uint8Array | null;
  readonly keepaliveS: number;
  readonly onMessage?: (packet: Publish) => void;
  /** The connection ended although nobody asked for it. */
  readonly onEnded?: (why: string) => void;
}

const PACKET_BYTES_MAX = 16 * 1024 * 1024;
/** Longest wait for any answer. */
export const ANSWER_MS = 5_000;
const PACKET_ID_MAX = 65_535;

interface Waiting {
  readonly type: Packet['type'];
  readonly packetId: number | null;
  readonly resolve: (packet: Packet) => void;
  readonly reject: (error: LiveError) => void;
  readonly timer: NodeJS.Timeout;
}

export class PlainClient {
  readonly #options: PlainClientOptions;
  readonly #decoder: PacketDecoder;
  readonly #waiting: Waiting[] = [];
  #transport: ClientTransport | null = null;
  #pinger: NodeJS.Timeout | null = null;
  #nextPacketId = 1;
  #ended = false;

  constructor(options: PlainClientOptions) {
    this.#options = options;
    const { protocol } = options;
    this.#decoder = new PacketDecoder({ protocol, maxPacketBytes: PACKET_BYTES_MAX, keepContent: true });
  }

  /** @throws LiveError `broker-unreachable` with the reason, `broker-refused` with the reason code */
  async connect(): Promise<Connack> {
    const { dial, protocol, clientId, username, password, keepaliveS } = this.#options;
    const size = connectSize(clientId, username, protocol);
    const connack = this.#answer('connack', null);
    this.#transport = dial({
      user: {
        established: () =>
          this.#send({
            type: 'connect',
            clientId,
            keepaliveS,
            cleanStart: true,
            protocol,
            username,
            ...(password === null ? {} : { password }),
            size,
          }),
        data: (_stream, bytes) => this.#receive(bytes),
        finished: () => this.#end({ reason: 'peer-finished', detail: '' }),
        streamAborted: () => {},
        closed: (_cause, failure) => this.#end(failure),
      },
    });
    const answer = (await connack) as Connack;
    if (answer.reasonCode !== 0) {
      this.close();
      throw new LiveError(
        'broker-refused',
        `The broker refuses the client ${clientId} with reason code ${answer.reasonCode}.`,
        {
          hint: 'Give the user and password that it wants, or allow this client id.',
          details: { clientId, reasonCode: answer.reasonCode },
        },
      );
    }
    const interval = answer.serverKeepaliveS ?? keepaliveS;
    if (interval > 0)
      this.#pinger = setInterval(() => this.#send({ type: 'pingreq', size: PING_SIZE }), interval * 500);
    return answer;
  }

  /** @returns the reason codes of SUBACK. */
  async subscribe(filters: readonly string[], qos: Qos): Promise<readonly number[]> {
    const packetId = this.#takePacketId();
    const size = filtersSize(filters, 1, this.#options.protocol);
    const suback = this.#answer('suback', packetId);
    this.#send({ type: 'subscribe', packetId, filters: filters.map((topic) => ({ topic, qos })), size });
    return ((await suback) as Extract<Packet, { type: 'suback' }>).reasonCodes;
  }

  /** The answer of a QoS > 0 publish is not waited for. */
  publish({ topic, qos, size, seq, content }: Message): void {
    const packetId = qos > 0 ? this.#takePacketId() : null;
    const bytes = publishSize(topic, qos, size, this.#options.protocol);
    this.#send({ type: 'publish', topic, qos, packetId, dup: false, retain: false, seq, size: bytes, content });
  }

  /** DISCONNECT, and nothing is told any more. */
  close(): void {
    if (this.#ended) return;
    this.#send({ type: 'disconnect', reasonCode: 0, size: 2 });
    this.#stop();
    const transport = this.#transport;
    setImmediate(() => transport?.close(0));
  }

  destroy(): void {
    this.#stop();
    this.#transport?.destroy();
  }

  #stop(): void {
    this.#ended = true;
    if (this.#pinger) clearInterval(this.#pinger);
    for (const { timer } of this.#waiting.splice(0)) clearTimeout(timer);
  }

  #takePacketId(): number {
    const packetId = this.#nextPacketId;
    this.#nextPacketId = packetId === PACKET_ID_MAX ? 1 : packetId + 1;
    return packetId;
  }

  #send(packet: Packet): void {
    if (!this.#ended) this.#transport?.write(0, encodePacket(packet, this.#options.protocol), () => {});
  }

  #receive(bytes: Buffer): void {
    const { packets, error } = this.#decoder.push(bytes);
    for (const packet of packets) this.#onPacket(packet);
    if (error !== null) this.#end({ reason: 'protocol-violation', detail: error });
  }

  #onPacket(packet: Packet): void {
    if (packet.type === 'publish') {
      const { packetId, qos } = packet;
      if (qos > 0)
        this.#send({ type: qos === 1 ? 'puback' : 'pubrec', packetId: packetId!, reasonCode: 0, size: ACK_SIZE });
      this.#options.onMessage?.(packet);
      return;
    }
    if (packet.type === 'pubrel') {
      this.#send({ type: 'pubcomp', packetId: packet.packetId, reasonCode: 0, size: ACK_SIZE });
    }
    if (packet.type === 'pubrec') {
      this.#send({ type: 'pubrel', packetId: packet.packetId, reasonCode: 0, size: ACK_SIZE });
    }
    if (packet.type === 'disconnect') {
      this.#end({ reason: 'application-closed', detail: `DISCONNECT with reason code ${packet.reasonCode}` });
      return;
    }
    const id = 'packetId' in packet ? packet.packetId : null;
    const index = this.#waiting.findIndex(({ type, packetId }) => type === packet.type && packetId === id);
    if (index < 0) return;
    const [found] = this.#waiting.splice(index, 1);
    clearTimeout(found!.timer);
    found!.resolve(packet);
  }

  #answer(type: Packet['type'], packetId: number | null): Promise<Packet> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#end({ reason: 'no-answer', detail: `no ${type} within ${ANSWER_MS} ms` }),
        ANSWER_MS,
      );
      this.#waiting.push({ type, packetId, resolve, reject, timer });
    });
  }

  #end(failure: Failure): void {
    if (this.#ended) return;
    const waiting = this.#waiting.splice(0);
    this.#stop();
    this.#transport?.destroy();
    const why = failureText(failure);
    const error = new LiveError('broker-unreachable', `The broker cannot be used: ${why}.`, {
      hint: 'Check its address, its listener and the certificate options (--ca, --server-name, --insecure).',
      details: { reason: failure.reason, detail: failure.detail },
    });
    for (const { timer, reject } of waiting) {
      clearTimeout(timer);
      reject(error);
    }
    if (waiting.length === 0) this.#options.onEnded?.(why);
  }
}
