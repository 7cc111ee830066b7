/** The receiving end of a flow: order within each stream, and when what arrived is acknowledged. */

import { MILLISECOND } from '../time.ts';
import type { Micros } from '../types.ts';
import { type Chunk, NO_STREAM } from './chunk.ts';

/** RFC 9000 §13.2.2: every second ack-eliciting packet is acknowledged at once. */
const PACKETS_PER_ACK = 2;

interface ReceiveStream {
  next: number;
  deliveredBytes: number;
  readonly waiting: Map<number, Chunk>;
}

export interface ReceiveUser {
  readonly transport: 'quic' | 'tcp';
  /** The longest time this end keeps back an acknowledgement (its max_ack_delay). */
  readonly maxAckDelay: Micros;
  now(): Micros;
  receiverOpen(): boolean;
  deliver(chunk: Chunk): void;
  /** `run` at that time. */
  at(time: Micros, run: () => void): void;
  /** This end's process stands still, and `run` waits for it to go on. */
  defers(run: () => void): boolean;
  /**
   * Sends an acknowledgement of what arrived, `heldFor` after the newest of it did (RFC 9000 §19.3, ACK Delay); false: it was lost on
   * the way.
   */
  sendAck(acked: readonly Chunk[], newestArrived: Micros, heldFor: Micros): boolean;
  /** Whether the sender would learn of a loss from hearing that a packet sent then arrived. */
  isNews(newestArrived: Micros): boolean;
}

export class ReceiveSide {
  readonly #user: ReceiveUser;
  readonly #streams = new Map<number, ReceiveStream>();
  #unacknowledged: Chunk[] = [];
  #packetsSinceAck = 0;
  /** When the newest packet that arrived was sent, data or not: a gap before it is a loss. */
  #newestArrived: Micros = -1;
  #newestArrivedAt: Micros = 0;
  #nextPacket = 0;
  #ackTimerAt: Micros | null = null;

  constructor(user: ReceiveUser) {
    this.#user = user;
  }

  deliveredBytes(stream: number): number {
    return this.#streams.get(stream)?.deliveredBytes ?? 0;
  }

  /** Arrived, but not in order. */
  *waiting(): Iterable<Chunk> {
    for (const stream of this.#streams.values()) yield* stream.waiting.values();
  }

  resetStream(stream: number, next: number, deliveredBytes: number): void {
    this.#streams.set(stream, { next, deliveredBytes, waiting: new Map() });
  }

  arrive(chunk: Chunk, packetNumber: number, sentAt: Micros): void {
    // RFC 9000 §13.2.1: a packet out of order is acknowledged at once.
    const inOrder = packetNumber === this.#nextPacket;
    this.#nextPacket = Math.max(this.#nextPacket, packetNumber + 1);
    this.#unacknowledged.push(chunk);
    this.noteArrival(sentAt);
    this.#packetsSinceAck++;
    if (!chunk.arrived) {
      chunk.arrived = true;
      if (chunk.stream !== NO_STREAM) this.#deliverInOrder(chunk);
    }
    if (this.#user.transport === 'tcp' || !inOrder || this.#packetsSinceAck >= PACKETS_PER_ACK) this.acknowledge();
    else this.#armAckTimer();
  }

  noteArrival(sentAt: Micros): void {
    if (sentAt <= this.#newestArrived) return;
    this.#newestArrived = sentAt;
    this.#newestArrivedAt = this.#user.now();
  }

  /** Sends what is due for an acknowledgement; something else that goes out takes it along. */
  acknowledge(): void {
    if (!this.#user.receiverOpen()) return;
    if (this.#unacknowledged.length === 0 && !this.#user.isNews(this.#newestArrived)) return;
    // What an acknowledgement that was lost said is in the next one too.
    const heldFor = this.#user.now() - this.#newestArrivedAt;
    if (!this.#user.sendAck(this.#unacknowledged, this.#newestArrived, heldFor)) return;
    this.#unacknowledged = [];
    this.#packetsSinceAck = 0;
  }

  #armAckTimer(): void {
    if (this.#unacknowledged.length === 0 || this.#ackTimerAt !== null) return;
    const at = this.#user.now() + Math.max(this.#user.maxAckDelay, MILLISECOND);
    this.#ackTimerAt = at;
    this.#user.at(at, this.#onAckTimer);
  }

  readonly #onAckTimer = (): void => {
    if (this.#user.defers(this.#onAckTimer)) return;
    this.#ackTimerAt = null;
    this.acknowledge();
  };

  #deliverInOrder(chunk: Chunk): void {
    let stream = this.#streams.get(chunk.stream);
    if (!stream) {
      stream = { next: 0, deliveredBytes: 0, waiting: new Map() };
      this.#streams.set(chunk.stream, stream);
    }
    if (chunk.index !== stream.next) {
      stream.waiting.set(chunk.index, chunk);
      return;
    }
    this.#take(stream, chunk);
    for (let next = stream.waiting.get(stream.next); next; next = stream.waiting.get(stream.next)) {
      stream.waiting.delete(next.index);
      this.#take(stream, next);
    }
  }

  #take(stream: ReceiveStream, chunk: Chunk): void {
    stream.next++;
    stream.deliveredBytes += chunk.bytes;
    if (!this.#user.receiverOpen() && !chunk.fin) return;
    chunk.delivered = true;
    this.#user.deliver(chunk);
  }
}
