/** Chunks that were sent and not acknowledged: which of them are under way and which are lost (RFC 9002 §6), and the congestion window. */

import { MILLISECOND } from '../time.ts';
import type { Micros } from '../types.ts';
import type { Chunk } from './chunk.ts';
import type { Congestion } from './congestion.ts';

/** Jitter below this never looks like a loss. */
const REORDER_MARGIN: Micros = 1 * MILLISECOND;

export interface OutstandingUser {
  now(): Micros;
  /** Of a packet that waits nowhere. */
  pathRoundTrip(): Micros;
}

export class Outstanding implements Iterable<Chunk> {
  readonly #user: OutstandingUser;
  readonly #congestion: Congestion;
  /** In the order in which they were first sent. */
  readonly #chunks = new Set<Chunk>();
  /** How many of them are taken for lost. */
  #lost = 0;
  /** When the newest packet that was acknowledged was sent. */
  #newestAcked: Micros = -1;
  #smoothed: Micros = 0;

  constructor(user: OutstandingUser, congestion: Congestion) {
    this.#user = user;
    this.#congestion = congestion;
  }

  get size(): number {
    return this.#chunks.size;
  }

  /** The congestion window has room, and nothing lost waits for it. */
  get allowsNew(): boolean {
    return this.#lost === 0 && this.#congestion.allows;
  }

  /** Queues on the way included, as far as acknowledgements have shown (RFC 9002 §5.3). */
  get roundTrip(): Micros {
    return Math.max(this.#user.pathRoundTrip(), this.#smoothed);
  }

  get hasLost(): boolean {
    return this.#lost > 0;
  }

  [Symbol.iterator](): Iterator<Chunk> {
    return this.#chunks.values();
  }

  /** When the oldest was first sent. */
  oldestSentAt(): Micros | null {
    for (const chunk of this.#chunks) return chunk.firstSentAt;
    return null;
  }

  /** An acknowledgement of what was sent then would be news. */
  isNews(newestArrived: Micros): boolean {
    return newestArrived > this.#newestAcked && this.#chunks.size > 0;
  }

  /** Sent, for the first time or again. `counts`: against the congestion window. */
  sent(chunk: Chunk, counts: boolean): void {
    this.#chunks.add(chunk);
    if (chunk.lost) this.#lost--;
    chunk.lost = false;
    if (counts && !chunk.inFlight) this.#congestion.sent(chunk.bytes);
    if (!counts && chunk.inFlight) this.#congestion.forgotten(chunk.bytes);
    chunk.inFlight = counts;
  }

  /** What was sent before the newest that arrived is overtaken if it is not acknowledged. */
  heardOf(newestArrived: Micros, heldFor: Micros): void {
    if (newestArrived <= this.#newestAcked) return;
    this.#newestAcked = newestArrived;
    const sample = this.#user.now() - newestArrived - heldFor;
    this.#smoothed = this.#smoothed === 0 ? sample : Math.floor((7 * this.#smoothed + sample) / 8);
  }

  /** False: it was acknowledged before, or given up. */
  acked(chunk: Chunk): boolean {
    if (!this.#chunks.delete(chunk)) return false;
    chunk.acked = true;
    if (chunk.inFlight) this.#congestion.acked(chunk.bytes, chunk.lastSentAt, this.#user.now(), this.roundTrip);
    if (chunk.lost) this.#lost--;
    return true;
  }

  giveUp(chunk: Chunk): void {
    if (!this.#chunks.delete(chunk)) return;
    if (chunk.inFlight) this.#congestion.forgotten(chunk.bytes);
    if (chunk.lost) this.#lost--;
  }

  /**
   * RFC 9002 §6.1: what was sent before something acknowledged is lost when it was sent nine eighths of a round trip ago.
   * @returns true if something was
   */
  loseOvertaken(): boolean {
    const before = this.#lost;
    const now = this.#user.now();
    const lostIfBefore = now - this.#lossDelay();
    for (const chunk of this.#chunks) {
      if (chunk.firstSentAt > this.#newestAcked) break;
      if (chunk.lost || chunk.lastSentAt > this.#newestAcked || chunk.lastSentAt > lostIfBefore) continue;
      if (chunk.inFlight) this.#congestion.lost(chunk.bytes, chunk.lastSentAt, now);
      this.#lose(chunk);
    }
    return this.#lost > before;
  }

  /** RFC 5681 §3.1, RFC 6675 §5.1: after TCP's retransmission timeout everything counts as lost. */
  loseAll(): void {
    for (const chunk of this.#chunks) {
      if (chunk.lost) continue;
      if (chunk.inFlight) this.#congestion.forgotten(chunk.bytes);
      this.#lose(chunk);
    }
  }

  /** When the oldest chunk that was overtaken counts as lost; null: none was overtaken. */
  overtakenDeadline(): Micros | null {
    for (const chunk of this.#chunks) {
      if (chunk.firstSentAt > this.#newestAcked) return null;
      if (!chunk.lost && chunk.lastSentAt <= this.#newestAcked) return chunk.lastSentAt + this.#lossDelay();
    }
    return null;
  }

  /** Lost ones, oldest first, as long as the congestion window has room; each is to be sent before the next is asked for. */
  *toSendAgain(): Iterable<Chunk> {
    for (const chunk of this.#chunks) {
      if (this.#lost === 0 || !this.#congestion.allows) return;
      if (chunk.lost) yield chunk;
    }
  }

  #lose(chunk: Chunk): void {
    chunk.inFlight = false;
    chunk.lost = true;
    this.#lost++;
  }

  #lossDelay(): Micros {
    return Math.floor((this.roundTrip * 9) / 8) + REORDER_MARGIN;
  }
}
