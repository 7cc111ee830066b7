/** The sending end of a transport: messages as fast as it takes them, or one at a time for round trips. No machine. */

import { createDialler } from '../../engine/live/dialler.ts';
import { PacketDecoder } from '../../engine/live/packet-decoder.ts';
import { encodePacket } from '../../engine/live/packet-encoder.ts';
import { loadQuiche } from '../../engine/live/quic-library.ts';
import { trusting } from '../../engine/live/tls-options.ts';
import type { ClientTransport } from '../../engine/live/transport.ts';
import { PING_SIZE, publishSize } from '../../engine/packet-size.ts';
import { answerWith, fail } from './processes.ts';

export interface SenderQuestion {
  readonly transport: 'quic' | 'tcp';
  readonly port: number;
  readonly certificatePem: string;
  readonly payloadBytes: number;
  readonly qos: 0 | 1;
  readonly messages: number;
  /** QoS 1: unacknowledged at a time. */
  readonly window: number;
  /** Every round trip is measured. */
  readonly timed: boolean;
}

export interface SenderAnswer {
  /** From the first write until the last answer. */
  readonly seconds: number;
  /** Of every QoS 1 message, if they were timed. */
  readonly roundTripsMs: readonly number[];
}

const HOST = '127.0.0.1';
const TIMEOUTS = { handshakeMs: 10_000, disconnectMs: 16_000, idleMs: 0, keepaliveMs: 0 };
const PROTOCOL = 5;
const TOPIC = 'bench/transport';
const STREAM = 0;
/** QoS 0: bytes that the transport has not taken over yet. */
const UNTAKEN_BYTES_MAX = 512 * 1024;
const PACKET_ID_MAX = 65_535;

answerWith<SenderQuestion>(
  (question) =>
    new Promise<SenderAnswer>((resolve, reject) => {
      connect(question, resolve).catch(reject);
    }),
);

async function connect(question: SenderQuestion, done: (answer: SenderAnswer) => void): Promise<void> {
  const { transport, port, certificatePem } = question;
  const dial = createDialler({
    transport,
    server: { host: HOST, port },
    tls: trusting(certificatePem),
    timeouts: TIMEOUTS,
    quiche: transport === 'quic' ? await loadQuiche() : null,
    crashed: fail,
  });
  const client = dial({
    user: {
      established: () => run.start(),
      data: (_stream, bytes) => run.receive(bytes),
      finished: () => fail(new Error('the receiver ended the stream')),
      streamAborted: () => fail(new Error('the receiver aborted the stream')),
      closed: (_cause, { reason, detail }) => fail(new Error(`closed: ${reason} ${detail}`)),
    },
  });
  const run = new Run(client, question, (answer) => {
    client.close(0);
    done(answer);
  });
}

class Run {
  readonly #client: ClientTransport;
  readonly #question: SenderQuestion;
  readonly #done: (answer: SenderAnswer) => void;
  readonly #decoder = new PacketDecoder({ protocol: PROTOCOL, maxPacketBytes: 1_048_576 });
  readonly #sentAtMs = new Map<number, number>();
  readonly #roundTripsMs: number[] = [];
  #startedAtMs = 0;
  #sent = 0;
  #acked = 0;
  #untakenBytes = 0;
  #sending = false;
  #asked = false;

  constructor(client: ClientTransport, question: SenderQuestion, done: (answer: SenderAnswer) => void) {
    this.#client = client;
    this.#question = question;
    this.#done = done;
  }

  start(): void {
    this.#startedAtMs = performance.now();
    this.#send();
  }

  #send(): void {
    if (this.#sending) return;
    this.#sending = true;
    const { messages } = this.#question;
    while (this.#sent < messages && this.#hasRoom()) this.#publish();
    this.#sending = false;
    if (this.#sent < messages || this.#question.qos > 0 || this.#asked) return;
    // QoS 0 has no answer of its own: the one to PINGREQ comes after all that was sent before.
    this.#asked = true;
    this.#client.write(STREAM, encodePacket({ type: 'pingreq', size: PING_SIZE }, PROTOCOL), () => {});
  }

  #hasRoom(): boolean {
    const { qos, window } = this.#question;
    return this.#untakenBytes < UNTAKEN_BYTES_MAX && (qos === 0 || this.#sent - this.#acked < window);
  }

  #publish(): void {
    const { qos, payloadBytes, timed } = this.#question;
    const seq = this.#sent++;
    const packetId = qos > 0 ? (seq % PACKET_ID_MAX) + 1 : null;
    const size = publishSize(TOPIC, qos, payloadBytes, PROTOCOL);
    const packet = { type: 'publish', topic: TOPIC, qos, packetId, dup: false, retain: false, seq, size } as const;
    const bytes = encodePacket(packet, PROTOCOL);
    if (timed) this.#sentAtMs.set(packetId!, performance.now());
    this.#untakenBytes += bytes.length;
    this.#client.write(STREAM, bytes, (result) => {
      if (result !== 0) fail(new Error(`a write failed with ${result}`));
      this.#untakenBytes -= bytes.length;
      if (this.#untakenBytes < UNTAKEN_BYTES_MAX / 2) this.#send();
    });
  }

  receive(bytes: Buffer): void {
    const { packets, error } = this.#decoder.push(bytes);
    if (error !== null) fail(new Error(error));
    for (const packet of packets) {
      if (packet.type === 'pingresp') this.#finish();
      if (packet.type !== 'puback') continue;
      this.#acked++;
      if (this.#question.timed) this.#noteRoundTrip(packet.packetId);
    }
    if (this.#question.qos === 0) return;
    if (this.#acked === this.#question.messages) this.#finish();
    else this.#send();
  }

  #noteRoundTrip(packetId: number): void {
    this.#roundTripsMs.push(performance.now() - this.#sentAtMs.get(packetId)!);
    this.#sentAtMs.delete(packetId);
  }

  #finish(): void {
    this.#done({ seconds: (performance.now() - this.#startedAtMs) / 1000, roundTripsMs: this.#roundTripsMs });
  }
}
