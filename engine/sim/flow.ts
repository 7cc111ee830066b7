/**
 * One direction of a connection: chunks (one a packet) on streams, acknowledgement, retransmission, flow control. Streams are
 * independent of each other; within a stream order is kept (QUIC). TCP uses one stream, so a lost chunk holds back the rest.
 */

import { MILLISECOND, SECOND } from '../time.ts';
import type { Endpoint, Message, Micros, Packet } from '../types.ts';
import type { Chunk } from './chunk.ts';
import type { EventQueue } from './event-queue.ts';
import type { Link } from './link.ts';
import { ReceiveSide } from './receive-side.ts';

/**
 * msquic completes a send when it is copied, up to this much unacknowledged on the connection (quicdef.h: ideal send buffer;
 * incident 17: with 8 kB messages at 35 Hz the first write to wait does so 0.45 s after the link broke, which is 16 messages).
 */
const SEND_BUFFER_BYTES = 131_072;
/** msquic's stream receive window; the receiver grants more as it reads. */
const STREAM_WINDOW_BYTES = 65_536;
const SEND_COMPLETE_DELAY: Micros = 100;
const RETRANSMIT_MARGIN: Micros = 25 * MILLISECOND;
const RETRANSMIT_MIN: Readonly<Record<'quic' | 'tcp', Micros>> = { quic: 30 * MILLISECOND, tcp: 200 * MILLISECOND };
/** Measured (incident 17): after 10 s without a link data flows again within half a second, so msquic's probes do not back off far. */
const RETRANSMIT_MAX: Readonly<Record<'quic' | 'tcp', Micros>> = { quic: 500 * MILLISECOND, tcp: 120 * SECOND };
/** Jitter below this never looks like a loss. */
const REORDER_MARGIN: Micros = 1 * MILLISECOND;
/** Chunks sent again when a retransmission timer fires; the rest follows with the next acknowledgement. */
const RETRANSMIT_BATCH = 64;
/** IP, UDP or TCP, and QUIC headers around the chunk. */
const PACKET_OVERHEAD_BYTES = 50;
const ACK_BYTES = 80;
const DOUBLINGS_MAX = 20;

export interface FlowEnds {
  readonly from: Endpoint;
  readonly transport: 'quic' | 'tcp';
  /** max_ack_delay of the receiver. */
  readonly maxAckDelay: Micros;
  now(): Micros;
  /** The sender's end is open: it transmits and listens for acknowledgements. */
  senderOpen(): boolean;
  receiverOpen(): boolean;
  /** That end's process stands still: `run` waits until it goes on, with so many bytes in its socket buffer. False: it runs. */
  receiverDefers(bytes: number, run: () => void): boolean;
  senderDefers(bytes: number, run: () => void): boolean;
  /** False: nothing that either end sends gets to the other. */
  connects(): boolean;
  /** A proxy keeps it and runs it when it passes things on. */
  hold(run: () => void): void;
  /** The sender sends something, which can take an acknowledgement along. */
  onTransmit(): void;
  /** Something of this direction reached the receiver. */
  onArrival(): void;
  /** An acknowledgement that was sent at that time reached the sender. */
  onAck(sentAt: Micros): void;
  deliver(chunk: Chunk): void;
}

interface SendStream {
  nextIndex: number;
  sentBytes: number;
}

export class Flow {
  readonly #ends: FlowEnds;
  readonly #queue: EventQueue;
  readonly #link: Link;
  readonly #receiver: ReceiveSide;
  readonly #outstanding = new Set<Chunk>();
  readonly #streams = new Map<number, SendStream>();
  /** Waiting for SEND_COMPLETE until the buffer has room. */
  #blocked: Chunk[] = [];
  /** Waiting for the receiver's window. */
  #withheld: Chunk[] = [];
  #nextPacket = 0;
  #unackedBytes = 0;
  #retransmitAt: Micros | null = null;
  /** When the timer in the event queue fires. */
  #timerAt: Micros | null = null;
  #timeouts = 0;
  /** When the newest packet that was acknowledged was sent. */
  #newestAcked: Micros = -1;

  constructor(ends: FlowEnds, queue: EventQueue, link: Link) {
    this.#ends = ends;
    this.#queue = queue;
    this.#link = link;
    this.#receiver = new ReceiveSide({
      transport: ends.transport,
      maxAckDelay: ends.maxAckDelay,
      now: () => ends.now(),
      receiverOpen: () => ends.receiverOpen(),
      deliver: (chunk) => ends.deliver(chunk),
      at: (time, run) => queue.add(time, run),
      defers: (run) => ends.receiverDefers(0, run),
      sendAck: (acked, newestArrived) => this.#sendAck(acked, newestArrived),
      isNews: (newestArrived) => newestArrived > this.#newestAcked && this.#outstanding.size > 0,
    });
  }

  /** When the oldest chunk that is not acknowledged was first sent. */
  oldestSentAt(): Micros | null {
    for (const chunk of this.#outstanding) return chunk.firstSentAt;
    return null;
  }

  /** What was sent and not delivered, also if it was acknowledged and waits for what comes before it. */
  *outstanding(): Iterable<Chunk> {
    yield* this.#outstanding;
    yield* this.#withheld;
    for (const chunk of this.#receiver.waiting()) if (chunk.acked) yield chunk;
  }

  /** The receiver sends something: an acknowledgement that is due goes along. */
  acknowledge(): void {
    this.#receiver.acknowledge();
  }

  /** A packet without data came from the sender; the next acknowledgement covers it too. */
  noteArrival(sentAt: Micros): void {
    this.#receiver.noteArrival(sentAt);
  }

  send(
    stream: number,
    bytes: number,
    content: { readonly packet?: Packet; readonly message?: Message | null; readonly fin?: boolean },
    onComplete: ((result: number) => void) | null = null,
  ): void {
    const state = this.#streamOf(stream);
    const chunk: Chunk = {
      stream,
      index: state.nextIndex++,
      bytes,
      packet: content.packet ?? null,
      message: content.message ?? null,
      fin: content.fin ?? false,
      offset: state.sentBytes,
      firstSentAt: this.#ends.now(),
      lastSentAt: this.#ends.now(),
      arrived: false,
      delivered: false,
      acked: false,
      aborted: false,
      onComplete,
    };
    state.sentBytes += bytes;
    this.#unackedBytes += bytes;
    if (onComplete) {
      if (this.#unackedBytes <= SEND_BUFFER_BYTES) this.#completeSoon(chunk, 0);
      else this.#blocked.push(chunk);
    }
    if (this.#fitsWindow(chunk)) this.#transmitFirst(chunk);
    else this.#withheld.push(chunk);
  }

  /** Aborts a stream: unfinished writes end with `result`, what is under way is dropped, order starts anew. */
  resetStream(stream: number, result: number): void {
    for (const chunk of this.outstanding()) {
      if (chunk.stream !== stream) continue;
      chunk.aborted = true;
      if (!chunk.acked) this.#unackedBytes -= chunk.bytes;
    }
    for (const chunk of this.#outstanding) if (chunk.aborted) this.#outstanding.delete(chunk);
    this.#withheld = this.#withheld.filter((chunk) => !chunk.aborted);
    for (const chunk of this.#blocked) if (chunk.stream === stream) this.#completeSoon(chunk, result);
    this.#blocked = this.#blocked.filter((chunk) => chunk.stream !== stream);
    const state = this.#streamOf(stream);
    this.#receiver.resetStream(stream, state.nextIndex, state.sentBytes);
  }

  #streamOf(stream: number): SendStream {
    let state = this.#streams.get(stream);
    if (!state) {
      state = { nextIndex: 0, sentBytes: 0 };
      this.#streams.set(stream, state);
    }
    return state;
  }

  /** QUIC: a chunk starts only inside the window; a large one is let through whole. */
  #fitsWindow(chunk: Chunk): boolean {
    if (this.#ends.transport === 'tcp') return true;
    return chunk.offset < this.#receiver.deliveredBytes(chunk.stream) + STREAM_WINDOW_BYTES;
  }

  #completeSoon(chunk: Chunk, result: number): void {
    const { onComplete } = chunk;
    if (!onComplete) return;
    chunk.onComplete = null;
    this.#queue.add(this.#ends.now() + SEND_COMPLETE_DELAY, () => {
      if (this.#ends.senderOpen()) onComplete(result);
    });
  }

  #transmitFirst(chunk: Chunk): void {
    chunk.firstSentAt = this.#ends.now();
    this.#outstanding.add(chunk);
    this.#transmit(chunk);
    this.#armRetransmit();
  }

  #transmit(chunk: Chunk): void {
    const now = this.#ends.now();
    chunk.lastSentAt = now;
    this.#ends.onTransmit();
    const packetNumber = this.#nextPacket++;
    if (this.#ends.transport === 'tcp' && this.#link.isHolding) {
      this.#ends.hold(() => this.#arrive(chunk, packetNumber));
      return;
    }
    if (!this.#ends.connects()) return;
    const bytes = chunk.bytes + PACKET_OVERHEAD_BYTES;
    const travel = this.#link.travelTime(this.#ends.from, bytes, now);
    if (travel === null) return;
    const arrive = (): void => {
      if (!this.#ends.receiverDefers(bytes, arrive)) this.#arrive(chunk, packetNumber);
    };
    this.#queue.add(now + travel, arrive);
  }

  #arrive(chunk: Chunk, packetNumber: number): void {
    if (chunk.aborted) return;
    if (!this.#ends.receiverOpen()) {
      // The end closed a moment ago; its driver may still want to know of a FIN.
      if (chunk.fin) this.#ends.deliver(chunk);
      return;
    }
    this.#ends.onArrival();
    this.#receiver.arrive(chunk, packetNumber);
  }

  #sendAck(acked: readonly Chunk[], newestArrived: Micros): boolean {
    if (!this.#ends.connects()) return false;
    const now = this.#ends.now();
    const travel = this.#link.travelTime(this.#ends.from === 'bridge' ? 'broker' : 'bridge', ACK_BYTES, now);
    if (travel === null) return false;
    const arrive = (): void => {
      if (this.#ends.senderDefers(ACK_BYTES, arrive)) return;
      if (this.#ends.senderOpen()) this.#onAckReceived(acked, newestArrived, now);
    };
    this.#queue.add(now + travel, arrive);
    return true;
  }

  #onAckReceived(acked: readonly Chunk[], newestArrived: Micros, sentAt: Micros): void {
    this.#newestAcked = Math.max(this.#newestAcked, newestArrived);
    for (const chunk of acked) {
      if (chunk.acked || !this.#outstanding.delete(chunk)) continue;
      chunk.acked = true;
      this.#unackedBytes -= chunk.bytes;
    }
    this.#timeouts = 0;
    this.#retransmitAt = null;
    this.#retransmitOvertaken();
    this.#releaseWithheld();
    this.#armRetransmit();
    this.#completeUnblocked();
    this.#ends.onAck(sentAt);
  }

  /**
   * RFC 9002 §6.1: what was sent before something acknowledged is lost when it was sent nine eighths of a round trip ago.
   * @returns true if something was sent again
   */
  #retransmitOvertaken(): boolean {
    const lostIfBefore = this.#ends.now() - this.#lossDelay();
    let budget = RETRANSMIT_BATCH;
    for (const chunk of this.#outstanding) {
      if (budget === 0 || chunk.firstSentAt > this.#newestAcked) break;
      if (chunk.lastSentAt > this.#newestAcked || chunk.lastSentAt > lostIfBefore) continue;
      budget--;
      this.#transmit(chunk);
    }
    return budget < RETRANSMIT_BATCH;
  }

  #lossDelay(): Micros {
    return Math.floor((this.#link.roundTrip * 9) / 8) + REORDER_MARGIN;
  }

  /** When the oldest chunk that was overtaken counts as lost; null: none was overtaken. */
  #overtakenDeadline(): Micros | null {
    for (const chunk of this.#outstanding) {
      if (chunk.firstSentAt > this.#newestAcked) return null;
      if (chunk.lastSentAt <= this.#newestAcked) return chunk.lastSentAt + this.#lossDelay();
    }
    return null;
  }

  #releaseWithheld(): void {
    if (this.#withheld.length === 0) return;
    const waiting = this.#withheld;
    this.#withheld = [];
    for (const chunk of waiting) {
      if (this.#fitsWindow(chunk)) this.#transmitFirst(chunk);
      else this.#withheld.push(chunk);
    }
  }

  #completeUnblocked(): void {
    if (this.#blocked.length === 0) return;
    const still: Chunk[] = [];
    for (const chunk of this.#blocked) {
      if (this.#unackedBytes <= SEND_BUFFER_BYTES) this.#completeSoon(chunk, 0);
      else still.push(chunk);
    }
    this.#blocked = still;
  }

  /** RFC 9002 §6.2.1: the receiver may keep back its acknowledgement for max_ack_delay, so that comes on top. */
  #retransmitDelay(): Micros {
    const { transport, maxAckDelay } = this.#ends;
    const measured = Math.floor(this.#link.roundTrip * 1.5) + RETRANSMIT_MARGIN;
    const delay = Math.max(RETRANSMIT_MIN[transport], measured) * (1 << Math.min(this.#timeouts, DOUBLINGS_MAX));
    return Math.min(delay, Math.max(RETRANSMIT_MAX[transport], measured)) + (transport === 'quic' ? maxAckDelay : 0);
  }

  /** One live entry of the event queue at a time; what fires too early goes to sleep again. */
  #armRetransmit(): void {
    if (this.#retransmitAt !== null || this.#outstanding.size === 0) return;
    const probeAt = this.#ends.now() + this.#retransmitDelay();
    this.#retransmitAt = Math.min(probeAt, this.#overtakenDeadline() ?? probeAt);
    this.#sleepUntilRetransmit();
  }

  #sleepUntilRetransmit(): void {
    const at = this.#retransmitAt;
    if (at === null || (this.#timerAt !== null && this.#timerAt <= at)) return;
    this.#timerAt = at;
    const fire = (): void => {
      if (!this.#ends.senderDefers(0, fire)) this.#onRetransmitTimer(at);
    };
    this.#queue.add(Math.max(at, this.#ends.now()), fire);
  }

  #onRetransmitTimer(at: Micros): void {
    if (this.#timerAt !== at) return;
    this.#timerAt = null;
    if (this.#retransmitAt === null) return;
    if (this.#retransmitAt > this.#ends.now()) {
      this.#sleepUntilRetransmit();
      return;
    }
    this.#retransmitAt = null;
    this.#retransmit();
  }

  #retransmit(): void {
    if (!this.#ends.senderOpen() || this.#outstanding.size === 0) return;
    if (this.#retransmitOvertaken()) {
      this.#armRetransmit();
      return;
    }
    // What a proxy keeps was acknowledged by it.
    const held = this.#ends.transport === 'tcp' && this.#link.isHolding;
    const base = Math.floor(this.#link.roundTrip * 1.5);
    let budget = held ? 0 : RETRANSMIT_BATCH;
    let oldest: Chunk | null = null;
    for (const chunk of this.#outstanding) {
      if (budget === 0 || this.#ends.now() - chunk.lastSentAt < base) break;
      budget--;
      this.#transmit(chunk);
      oldest ??= chunk;
    }
    // RFC 9002 §6.2.4: a probe is two packets.
    if (oldest && budget === RETRANSMIT_BATCH - 1 && this.#ends.transport === 'quic') this.#transmit(oldest);
    this.#timeouts++;
    this.#armRetransmit();
  }
}
