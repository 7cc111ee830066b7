/**
 * One direction of a connection: chunks (one a packet) on streams, acknowledgement, retransmission. Streams are independent
 * of each other; within a stream order is kept (QUIC). TCP uses one stream, so a lost chunk holds back the rest.
 */

import { MILLISECOND, SECOND } from '../time.ts';
import type { Message, Micros, Packet } from '../types.ts';
import type { EventQueue } from './event-queue.ts';
import type { Link } from './link.ts';

/** msquic completes a send when it is copied, up to about this much unacknowledged on the stream (model §1.1). */
const SEND_BUFFER_BYTES = 131_072;
const SEND_COMPLETE_DELAY: Micros = 100;
const ACK_DELAY: Micros = 1 * MILLISECOND;
const RETRANSMIT_MARGIN: Micros = 25 * MILLISECOND;
const RETRANSMIT_MIN: Readonly<Record<'quic' | 'tcp', Micros>> = { quic: 30 * MILLISECOND, tcp: 200 * MILLISECOND };
/** Measured (incident 17): after 10 s without a link data flows again within half a second, so msquic's probes do not back off far. */
const RETRANSMIT_MAX: Readonly<Record<'quic' | 'tcp', Micros>> = { quic: 500 * MILLISECOND, tcp: 120 * SECOND };
/** Jitter below this never looks like a loss. */
const REORDER_MARGIN: Micros = 1 * MILLISECOND;
/** Chunks sent again when a retransmission timer fires; the rest follows with the next acknowledgement. */
const RETRANSMIT_BATCH = 64;

/** Stream of chunks that carry no data (QUIC PING frames). */
export const NO_STREAM = -1;

export interface Chunk {
  readonly stream: number;
  readonly index: number;
  readonly bytes: number;
  readonly packet: Packet | null;
  readonly message: Message | null;
  readonly fin: boolean;
  readonly firstSentAt: Micros;
  lastSentAt: Micros;
  arrived: boolean;
  delivered: boolean;
  acked: boolean;
  aborted: boolean;
  onComplete: ((result: number) => void) | null;
}

export interface FlowEnds {
  readonly transport: 'quic' | 'tcp';
  now(): Micros;
  /** The sender's end is open: it transmits and listens for acknowledgements. */
  senderOpen(): boolean;
  receiverOpen(): boolean;
  /** Something of this direction reached the receiver. */
  onArrival(): void;
  /** An acknowledgement reached the sender. */
  onAck(): void;
  deliver(chunk: Chunk): void;
}

interface ReceiveStream {
  next: number;
  readonly waiting: Map<number, Chunk>;
}

export class Flow {
  readonly #ends: FlowEnds;
  readonly #queue: EventQueue;
  readonly #link: Link;
  readonly #outstanding = new Set<Chunk>();
  readonly #nextIndex = new Map<number, number>();
  readonly #unackedBytes = new Map<number, number>();
  readonly #receive = new Map<number, ReceiveStream>();
  #blocked: Chunk[] = [];
  #pendingAcks: Chunk[] = [];
  #ackUnderWay = false;
  #retransmitAt: Micros | null = null;
  #timeouts = 0;

  constructor(ends: FlowEnds, queue: EventQueue, link: Link) {
    this.#ends = ends;
    this.#queue = queue;
    this.#link = link;
  }

  /** When the oldest chunk that is not acknowledged was first sent. */
  oldestSentAt(): Micros | null {
    for (const chunk of this.#outstanding) return chunk.firstSentAt;
    return null;
  }

  outstanding(): Iterable<Chunk> {
    return this.#outstanding;
  }

  send(
    stream: number,
    bytes: number,
    content: { readonly packet?: Packet; readonly message?: Message | null; readonly fin?: boolean },
    onComplete: ((result: number) => void) | null = null,
  ): void {
    const index = this.#nextIndex.get(stream) ?? 0;
    this.#nextIndex.set(stream, index + 1);
    const chunk: Chunk = {
      stream,
      index,
      bytes,
      packet: content.packet ?? null,
      message: content.message ?? null,
      fin: content.fin ?? false,
      firstSentAt: this.#ends.now(),
      lastSentAt: this.#ends.now(),
      arrived: false,
      delivered: false,
      acked: false,
      aborted: false,
      onComplete,
    };
    this.#outstanding.add(chunk);
    const unacked = (this.#unackedBytes.get(stream) ?? 0) + bytes;
    this.#unackedBytes.set(stream, unacked);
    if (onComplete) {
      if (unacked <= SEND_BUFFER_BYTES) this.#completeSoon(chunk, 0);
      else this.#blocked.push(chunk);
    }
    this.#transmit(chunk);
    this.#armRetransmit();
  }

  /** Aborts a stream: unfinished writes end with `result`, what is under way is dropped, order starts anew. */
  resetStream(stream: number, result: number): void {
    for (const chunk of this.#outstanding) {
      if (chunk.stream !== stream) continue;
      chunk.aborted = true;
      this.#outstanding.delete(chunk);
    }
    for (const chunk of this.#blocked) if (chunk.stream === stream) this.#completeSoon(chunk, result);
    this.#blocked = this.#blocked.filter((chunk) => chunk.stream !== stream);
    this.#unackedBytes.set(stream, 0);
    this.#receive.set(stream, { next: this.#nextIndex.get(stream) ?? 0, waiting: new Map() });
  }

  #completeSoon(chunk: Chunk, result: number): void {
    const { onComplete } = chunk;
    if (!onComplete) return;
    chunk.onComplete = null;
    this.#queue.add(this.#ends.now() + SEND_COMPLETE_DELAY, () => {
      if (this.#ends.senderOpen()) onComplete(result);
    });
  }

  #transmit(chunk: Chunk): void {
    chunk.lastSentAt = this.#ends.now();
    const travel = this.#link.travelTime();
    if (travel === null) return;
    this.#queue.add(this.#ends.now() + travel, () => this.#arrive(chunk));
  }

  #arrive(chunk: Chunk): void {
    if (chunk.aborted) return;
    if (!this.#ends.receiverOpen()) {
      // The end closed a moment ago; its driver may still want to know of a FIN.
      if (chunk.fin) this.#ends.deliver(chunk);
      return;
    }
    this.#ends.onArrival();
    this.#pendingAcks.push(chunk);
    this.#acknowledge();
    if (chunk.arrived) return;
    chunk.arrived = true;
    if (chunk.stream === NO_STREAM) return;
    this.#deliverInOrder(chunk);
  }

  #deliverInOrder(chunk: Chunk): void {
    let stream = this.#receive.get(chunk.stream);
    if (!stream) {
      stream = { next: 0, waiting: new Map() };
      this.#receive.set(chunk.stream, stream);
    }
    stream.waiting.set(chunk.index, chunk);
    for (let next = stream.waiting.get(stream.next); next; next = stream.waiting.get(stream.next)) {
      stream.waiting.delete(next.index);
      stream.next++;
      if (!this.#ends.receiverOpen() && !next.fin) continue;
      next.delivered = true;
      this.#ends.deliver(next);
    }
  }

  /** One acknowledgement is under way at a time; it covers all that arrived until it is received. */
  #acknowledge(): void {
    if (this.#ackUnderWay) return;
    const travel = this.#link.travelTime();
    if (travel === null) return;
    this.#ackUnderWay = true;
    this.#queue.add(this.#ends.now() + ACK_DELAY + travel, () => {
      this.#ackUnderWay = false;
      if (this.#ends.senderOpen()) this.#onAckReceived();
    });
  }

  #onAckReceived(): void {
    const acked = this.#pendingAcks;
    this.#pendingAcks = [];
    let newestAcked: Micros = 0;
    for (const chunk of acked) {
      newestAcked = Math.max(newestAcked, chunk.lastSentAt);
      if (chunk.acked || !this.#outstanding.delete(chunk)) continue;
      chunk.acked = true;
      this.#unackedBytes.set(chunk.stream, (this.#unackedBytes.get(chunk.stream) ?? 0) - chunk.bytes);
    }
    this.#timeouts = 0;
    this.#retransmitAt = null;
    this.#retransmitOvertaken(newestAcked);
    this.#armRetransmit();
    this.#completeUnblocked();
    this.#ends.onAck();
  }

  /** RFC 9002 §6.1.2: what was sent an eighth of a round trip before something acknowledged is lost. */
  #retransmitOvertaken(newestAcked: Micros): void {
    const threshold = newestAcked - Math.floor(this.#link.roundTrip / 8) - REORDER_MARGIN;
    let budget = RETRANSMIT_BATCH;
    for (const chunk of this.#outstanding) {
      if (budget === 0 || chunk.firstSentAt >= threshold) break;
      if (chunk.lastSentAt >= threshold) continue;
      budget--;
      this.#transmit(chunk);
    }
  }

  #completeUnblocked(): void {
    if (this.#blocked.length === 0) return;
    const still: Chunk[] = [];
    for (const chunk of this.#blocked) {
      if ((this.#unackedBytes.get(chunk.stream) ?? 0) <= SEND_BUFFER_BYTES) this.#completeSoon(chunk, 0);
      else still.push(chunk);
    }
    this.#blocked = still;
  }

  #retransmitDelay(): Micros {
    const { transport } = this.#ends;
    const measured = Math.floor(this.#link.roundTrip * 1.5) + RETRANSMIT_MARGIN;
    const delay = Math.max(RETRANSMIT_MIN[transport], measured) * 2 ** Math.min(this.#timeouts, 20);
    return Math.min(delay, RETRANSMIT_MAX[transport]);
  }

  #armRetransmit(): void {
    if (this.#retransmitAt !== null || this.#outstanding.size === 0) return;
    const at = this.#ends.now() + this.#retransmitDelay();
    this.#retransmitAt = at;
    this.#queue.add(at, () => {
      if (this.#retransmitAt !== at) return;
      this.#retransmitAt = null;
      this.#retransmit();
    });
  }

  #retransmit(): void {
    if (!this.#ends.senderOpen() || this.#outstanding.size === 0) return;
    const base = Math.floor(this.#link.roundTrip * 1.5);
    let budget = RETRANSMIT_BATCH;
    for (const chunk of this.#outstanding) {
      if (budget === 0 || this.#ends.now() - chunk.lastSentAt < base) break;
      budget--;
      this.#transmit(chunk);
    }
    this.#timeouts++;
    this.#armRetransmit();
  }
}
