/**
 * Congestion control of one direction: CUBIC (RFC 9438) with slow start and recovery periods (RFC 9002 §7), which is the default of
 * msquic and of Linux' TCP. Whole bytes and microseconds; divisions are rounded down, so every platform agrees.
 */

import { MILLISECOND } from '../time.ts';
import type { Micros } from '../types.ts';

/** RFC 9000 §14: what every path carries. */
export const DATAGRAM_BYTES = 1_200;
/** msquic's InitialWindowPackets, and Linux' initial window. */
export const INITIAL_WINDOW_PACKETS = 10;
/** RFC 9002 §7.2. */
const MINIMUM_WINDOW_BYTES = 2 * DATAGRAM_BYTES;
/** RFC 5681 §3.1: after a retransmission timeout. */
const LOSS_WINDOW_BYTES = DATAGRAM_BYTES;
/** RFC 9438 §4.6: β = 0.7. */
const REDUCED_TENTHS = 7;
/** RFC 9438 §4.7: (1 + β) / 2. */
const CONVERGENCE_HUNDREDTHS = 85;
/** RFC 9438 §4.1: C = 0.4, bytes a cubic second. */
const GROWTH_BYTES = 480;
const CUBIC_MS = 1_000_000_000;
/** RFC 9438 §4.3: 3 (1 − β) / (1 + β) = 9 / 17. */
const FRIENDLY = { numerator: 9, denominator: 17 };
/** Cubed, more milliseconds than this are no whole number in a double any more; the window is at its limit long before. */
const CUBIC_SPAN_MS = 200_000;
/** What a path of any kind may hold. */
const WINDOW_MAX_BYTES = 67_108_864;
const NEVER: Micros = -1;

export class Congestion {
  #window: number;
  #slowStartUntil = WINDOW_MAX_BYTES;
  #inFlight = 0;
  /** Losses of what was sent until then belong to the event that is known already. */
  #recoveryFrom: Micros = NEVER;
  /** Window before the last reduction. */
  #windowMax = 0;
  #plateauMs = 0;
  /** Window that Reno would have. */
  #friendly = 0;

  constructor(initialWindowPackets: number = INITIAL_WINDOW_PACKETS) {
    this.#window = initialWindowPackets * DATAGRAM_BYTES;
  }

  get windowBytes(): number {
    return this.#window;
  }

  /** One more packet may go out; a large one goes out whole. */
  get allows(): boolean {
    return this.#inFlight < this.#window;
  }

  sent(bytes: number): void {
    this.#inFlight += bytes;
  }

  /** A stream was aborted; what it had under way counts no longer. */
  forgotten(bytes: number): void {
    this.#inFlight -= bytes;
  }

  acked(bytes: number, sentAt: Micros, now: Micros, roundTrip: Micros): void {
    // RFC 9002 §7.8: a window that is not used does not grow.
    const used = this.#inFlight * 2 >= this.#window;
    this.#inFlight -= bytes;
    if (!used || sentAt <= this.#recoveryFrom || this.#window >= WINDOW_MAX_BYTES) return;
    if (this.#window < this.#slowStartUntil) this.#window += bytes;
    else this.#avoid(bytes, now + roundTrip - this.#recoveryFrom);
  }

  lost(bytes: number, sentAt: Micros, now: Micros): void {
    this.#inFlight -= bytes;
    if (sentAt <= this.#recoveryFrom) return;
    this.#reduce(now);
    this.#window = this.#slowStartUntil;
  }

  /** RFC 9002 §7.6, RFC 9438 §4.8: nothing came back for long; the path is probed anew from the smallest window. */
  collapse(transport: 'quic' | 'tcp', now: Micros): void {
    if (this.#recoveryFrom !== now) this.#reduce(now);
    // What is sent in this instant is sent into the new window.
    this.#recoveryFrom = now - 1;
    this.#window = transport === 'quic' ? MINIMUM_WINDOW_BYTES : LOSS_WINDOW_BYTES;
  }

  #reduce(now: Micros): void {
    this.#recoveryFrom = now;
    const shrinking = this.#window < this.#windowMax;
    this.#windowMax = shrinking ? Math.floor((this.#window * CONVERGENCE_HUNDREDTHS) / 100) : this.#window;
    this.#slowStartUntil = Math.max(Math.floor((this.#window * REDUCED_TENTHS) / 10), MINIMUM_WINDOW_BYTES);
    this.#friendly = this.#slowStartUntil;
    const fall = Math.max(0, this.#windowMax - this.#slowStartUntil);
    this.#plateauMs = cubeRoot(Math.floor((fall * CUBIC_MS) / GROWTH_BYTES));
  }

  /** Congestion avoidance, `elapsed` after the reduction and one round trip ahead (RFC 9438 §4.2, §4.3). */
  #avoid(bytes: number, elapsed: Micros): void {
    const fromPlateau = Math.floor(elapsed / MILLISECOND) - this.#plateauMs;
    const span = Math.max(-CUBIC_SPAN_MS, Math.min(CUBIC_SPAN_MS, fromPlateau));
    const cubic = this.#windowMax + Math.floor(((span * span * span) / CUBIC_MS) * GROWTH_BYTES);
    this.#friendly += Math.floor((FRIENDLY.numerator * DATAGRAM_BYTES * bytes) / (FRIENDLY.denominator * this.#window));
    const target = Math.min(cubic, this.#window + (this.#window >> 1));
    if (target > this.#window) this.#window += Math.floor(((target - this.#window) * bytes) / this.#window);
    this.#window = Math.min(Math.max(this.#window, this.#friendly), WINDOW_MAX_BYTES);
  }
}

/** The largest whole number whose cube is not above `value`, which is a whole number of 0 or more. */
export function cubeRoot(value: number): number {
  let low = 0;
  let high = CUBIC_SPAN_MS;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (middle * middle * middle <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
