/**
 * One direction of a connection: chunks (one a packet) on streams, acknowledgement, retransmission, flow and congestion control. Streams are
 * independent of each other; within a stream order is kept (QUIC). TCP uses one stream, so a lost chunk holds back the rest.
 */

import { MILLISECOND, SECOND } from '../time.ts';
import type { Endpoint, Message, Micros, Packet } from '../types.ts';
import { type Chunk, NO_STREAM } from './chunk.ts';
import { Congestion } from './congestion.ts';
import type { EventQueue } from './event-queue.ts';
import type { Link } from './link.ts';
import { Outstanding } from './outstanding.ts';
import { ReceiveSide } from './receive-side.ts';
import { SendBuffer } from './send-buffer.ts';

/** msquic's stream receive window; the receiver grants more as it reads. */
const STREAM_WINDOW_BYTES = 65_536;
/** msquic's connection window. Five streams with windows of their own reach it only with packets that are larger than those. */
const CONNECTION_WINDOW_BYTES = 16_777_216;
const RETRANSMIT_MARGIN: Micros = 25 * MILLISECOND;
const RETRANSMIT_MIN: Readonly<Record<'quic' | 'tcp', Micros>> = { quic: 30 * MILLISECOND, tcp: 200 * MILLISECOND };
/** Measured (incident 17): after 10 s without a link data flows again within half a second, so msquic's probes do not back off far. */
const RETRANSMIT_MAX: Readonly<Record<'quic' | 'tcp', Micros>> = { quic: 500 * MILLISECOND, tcp: 120 * SECOND };
/** RFC 9002 §6.2.4: a probe is two packets. */
const PROBES = 2;
/** RFC 9002 §7.6.1: from so many probe timeouts in a row on, losses are persistent congestion. */
const PERSISTENT_TIMEOUTS = 3;
/** IP, UDP or TCP, and QUIC headers around the chunk. */
const PACKET_OVERHEAD_BYTES = 50;
const ACK_BYTES = 80;
/** Of these IP and UDP, which the transport does not count as received. */
const DATAGRAM_HEADER_BYTES = 28;
const DOUBLINGS_MAX = 20;

export interface FlowEnds {
  readonly from: Endpoint;
  readonly transport: 'quic' | 'tcp';
  /** max_ack_delay of the receiver. */
  readonly maxAckDelay: Micros;
  readonly initialWindowPackets?: number;
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
  /** Something of this direction reached the receiver; so many bytes of it are no new packet. */
  onArrival(overheadBytes: number): void;
  /** An acknowledgement that was sent at that time reached the sender, in so many bytes. */
  onAck(sentAt: Micros, bytes: number): void;
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
  readonly #congestion: Congestion;
  readonly #outstanding: Outstanding;
  readonly #buffer: SendBuffer;
  readonly #streams = new Map<number, SendStream>();
  /** Waiting for the receiver's windows or the congestion window. */
  #withheld: Chunk[] = [];
  /** Sent for the first time and not delivered, for the connection's window. */
  #undeliveredBytes = 0;
  #nextPacket = 0;
  #retransmitAt: Micros | null = null;
  /** When the timer in the event queue fires. */
  #timerAt: Micros | null = null;
  #timeouts = 0;

  constructor(ends: FlowEnds, queue: EventQueue, link: Link) {
    this.#ends = ends;
    this.#queue = queue;
    this.#link = link;
    this.#congestion = new Congestion(ends.initialWindowPackets);
    this.#outstanding = new Outstanding(
      { now: () => ends.now(), pathRoundTrip: () => link.roundTrip },
      this.#congestion,
    );
    this.#buffer = new SendBuffer(ends, queue);
    this.#receiver = new ReceiveSide({
      transport: ends.transport,
      maxAckDelay: ends.maxAckDelay,
      now: () => ends.now(),
      receiverOpen: () => ends.receiverOpen(),
      deliver: (chunk) => {
        this.#undeliveredBytes -= chunk.bytes;
        ends.deliver(chunk);
      },
      at: (time, run) => queue.add(time, run),
      defers: (run) => ends.receiverDefers(0, run),
      sendAck: (acked, newestArrived, heldFor) => this.#sendAck(acked, newestArrived, heldFor),
      isNews: (newestArrived) => this.#outstanding.isNews(newestArrived),
    });
  }

  /** When the oldest chunk that is not acknowledged was first sent. */
  oldestSentAt(): Micros | null {
    return this.#outstanding.oldestSentAt();
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
      started: false,
      inFlight: false,
      lost: false,
      onComplete,
    };
    state.sentBytes += bytes;
    this.#buffer.take(chunk);
    if (this.#mayTransmit() && this.#fitsWindow(chunk)) this.#transmitFirst(chunk);
    else this.#withheld.push(chunk);
  }

  /** Aborts a stream: unfinished writes end with `result`, what is under way is dropped, order starts anew. */
  resetStream(stream: number, result: number): void {
    for (const chunk of [...this.outstanding()]) {
      if (chunk.stream !== stream) continue;
      chunk.aborted = true;
      if (!chunk.acked) this.#buffer.release(chunk);
      if (!chunk.delivered && chunk.started) this.#undeliveredBytes -= chunk.bytes;
      this.#outstanding.giveUp(chunk);
    }
    this.#withheld = this.#withheld.filter((chunk) => !chunk.aborted);
    this.#buffer.cancel(stream, result);
    const state = this.#streamOf(stream);
    this.#receiver.resetStream(stream, state.nextIndex, state.sentBytes);
    this.#transmitWaiting();
  }

  #streamOf(stream: number): SendStream {
    let state = this.#streams.get(stream);
    if (!state) {
      state = { nextIndex: 0, sentBytes: 0 };
      this.#streams.set(stream, state);
    }
    return state;
  }

  /** What a proxy keeps it acknowledges at once, so the congestion window does not count. */
  #mayTransmit(): boolean {
    return this.#outstanding.allowsNew || this.#isHeld();
  }

  #isHeld(): boolean {
    return this.#ends.transport === 'tcp' && this.#link.isHolding;
  }

  /** QUIC: a chunk starts only inside the windows of its stream and the connection; a large one is let through whole. */
  #fitsWindow(chunk: Chunk): boolean {
    if (this.#ends.transport === 'tcp' || chunk.stream === NO_STREAM) return true;
    if (this.#undeliveredBytes >= CONNECTION_WINDOW_BYTES) return false;
    return chunk.offset < this.#receiver.deliveredBytes(chunk.stream) + STREAM_WINDOW_BYTES;
  }

  #transmitFirst(chunk: Chunk): void {
    chunk.firstSentAt = this.#ends.now();
    chunk.started = true;
    if (chunk.stream !== NO_STREAM) this.#undeliveredBytes += chunk.bytes;
    this.#transmit(chunk);
    this.#armRetransmit();
  }

  #transmit(chunk: Chunk): void {
    const now = this.#ends.now();
    chunk.lastSentAt = now;
    this.#ends.onTransmit();
    const packetNumber = this.#nextPacket++;
    const held = this.#isHeld();
    this.#outstanding.sent(chunk, !held);
    if (held) {
      this.#ends.hold(() => this.#arrive(chunk, packetNumber, now));
      return;
    }
    if (!this.#ends.connects()) return;
    const bytes = chunk.bytes + PACKET_OVERHEAD_BYTES;
    const travel = this.#link.travelTime(this.#ends.from, bytes, now);
    if (travel === null) return;
    const arrive = (): void => {
      if (!this.#ends.receiverDefers(bytes, arrive)) this.#arrive(chunk, packetNumber, now);
    };
    this.#queue.add(now + travel, arrive);
  }

  #arrive(chunk: Chunk, packetNumber: number, sentAt: Micros): void {
    if (chunk.aborted) return;
    if (!this.#ends.receiverOpen()) {
      // The end closed a moment ago; its driver may still want to know of a FIN.
      if (chunk.fin) this.#ends.deliver(chunk);
      return;
    }
    const isNew = chunk.packet !== null && !chunk.arrived;
    this.#ends.onArrival(PACKET_OVERHEAD_BYTES - DATAGRAM_HEADER_BYTES + (isNew ? 0 : chunk.bytes));
    this.#receiver.arrive(chunk, packetNumber, sentAt);
  }

  #sendAck(acked: readonly Chunk[], newestArrived: Micros, heldFor: Micros): boolean {
    if (!this.#ends.connects()) return false;
    const now = this.#ends.now();
    const travel = this.#link.travelTime(this.#ends.from === 'bridge' ? 'broker' : 'bridge', ACK_BYTES, now);
    if (travel === null) return false;
    const arrive = (): void => {
      if (this.#ends.senderDefers(ACK_BYTES, arrive)) return;
      if (this.#ends.senderOpen()) this.#onAckReceived(acked, newestArrived, heldFor, now);
    };
    this.#queue.add(now + travel, arrive);
    return true;
  }

  #onAckReceived(acked: readonly Chunk[], newestArrived: Micros, heldFor: Micros, sentAt: Micros): void {
    this.#outstanding.heardOf(newestArrived, heldFor);
    for (const chunk of acked) if (this.#outstanding.acked(chunk)) this.#buffer.release(chunk);
    const persistent = this.#timeouts >= PERSISTENT_TIMEOUTS;
    this.#timeouts = 0;
    this.#retransmitAt = null;
    if (this.#outstanding.loseOvertaken() && persistent && this.#ends.transport === 'quic') {
      this.#congestion.collapse('quic', this.#ends.now());
    }
    this.#transmitWaiting();
    this.#armRetransmit();
    this.#buffer.completeUnblocked();
    this.#ends.onAck(sentAt, ACK_BYTES - DATAGRAM_HEADER_BYTES);
  }

  /** What is lost goes first, then what has not been sent at all. */
  #transmitWaiting(): void {
    if (this.#outstanding.hasLost) for (const chunk of this.#outstanding.toSendAgain()) this.#transmit(chunk);
    this.#releaseWithheld();
  }

  #releaseWithheld(): void {
    if (this.#withheld.length === 0 || !this.#mayTransmit()) return;
    const waiting = this.#withheld;
    this.#withheld = [];
    for (const chunk of waiting) {
      if (this.#mayTransmit() && this.#fitsWindow(chunk)) this.#transmitFirst(chunk);
      else this.#withheld.push(chunk);
    }
  }

  /** RFC 9002 §6.2.1: the receiver may keep back its acknowledgement for max_ack_delay, so that comes on top. */
  #retransmitDelay(): Micros {
    const { transport, maxAckDelay } = this.#ends;
    const measured = Math.floor(this.#outstanding.roundTrip * 1.5) + RETRANSMIT_MARGIN;
    const delay = Math.max(RETRANSMIT_MIN[transport], measured) * (1 << Math.min(this.#timeouts, DOUBLINGS_MAX));
    return Math.min(delay, Math.max(RETRANSMIT_MAX[transport], measured)) + (transport === 'quic' ? maxAckDelay : 0);
  }

  /** One live entry of the event queue at a time; what fires too early goes to sleep again. */
  #armRetransmit(): void {
    if (this.#retransmitAt !== null || this.#outstanding.size === 0) return;
    const probeAt = this.#ends.now() + this.#retransmitDelay();
    this.#retransmitAt = Math.min(probeAt, this.#outstanding.overtakenDeadline() ?? probeAt);
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
    if (this.#outstanding.loseOvertaken()) this.#transmitWaiting();
    else {
      this.#timeouts++;
      if (this.#ends.transport === 'quic') this.#probe();
      // What a proxy keeps was acknowledged by it.
      else if (!this.#isHeld()) this.#startAnew();
    }
    this.#armRetransmit();
  }

  /** RFC 9002 §6.2.4: whatever the congestion window says, the oldest two, or the oldest one twice. */
  #probe(): void {
    const base = Math.floor(this.#outstanding.roundTrip * 1.5);
    const probes: Chunk[] = [];
    for (const chunk of this.#outstanding) {
      if (probes.length === PROBES || this.#ends.now() - chunk.lastSentAt < base) break;
      probes.push(chunk);
    }
    if (probes.length === 0) return;
    for (let count = 0; count < PROBES; count++) this.#transmit(probes[count] ?? probes[0]!);
  }

  /** TCP's retransmission timeout. */
  #startAnew(): void {
    this.#outstanding.loseAll();
    this.#congestion.collapse('tcp', this.#ends.now());
    this.#transmitWaiting();
  }
}
