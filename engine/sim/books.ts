/**
 * What became of every message, by direction. A delivery outweighs a loss that was noted earlier.
 *
 * Messages whose fate is settled are kept for a while, to know a duplicate or a late delivery when it comes, and then only counted:
 * {@link SETTLED_MAX} later ones have to be settled first. A delivery of one that is counted only is a duplicate, whatever became of
 * it; at 35 messages a second that is half an hour later.
 */

import type { Message, Qos } from '../types.ts';
import type { DirectionSummary } from './options.ts';

export const SETTLED_MAX = 65_536;

interface Entry {
  readonly qos: Qos;
  delivered: boolean;
  lostReason: string | null;
}

type Counts = Record<Qos, number>;

export class Books {
  readonly #entries = new Map<number, Entry>();
  /** Sequence numbers of the settled ones, oldest first, as a ring. */
  readonly #settled: number[] = [];
  #oldest = 0;
  /** Forgotten ones have at most this sequence number. */
  #forgottenUpTo = -1;
  #duplicates = 0;
  readonly #offered: Counts = { 0: 0, 1: 0, 2: 0 };
  readonly #delivered: Counts = { 0: 0, 1: 0, 2: 0 };
  readonly #lost: Counts = { 0: 0, 1: 0, 2: 0 };
  readonly #reasons = new Map<string, number>();

  offered(message: Message): void {
    if (this.#entries.has(message.seq)) throw new RangeError(`message ${message.seq} was offered twice`);
    this.#entries.set(message.seq, { qos: message.qos, delivered: false, lostReason: null });
    this.#offered[message.qos]++;
  }

  delivered(message: Message): void {
    const entry = this.#entryOf(message, 'delivered');
    if (!entry || entry.delivered) {
      this.#duplicates++;
      return;
    }
    if (entry.lostReason === null) this.#settle(message.seq);
    else this.#countLoss(entry.qos, entry.lostReason, -1);
    entry.delivered = true;
    this.#delivered[entry.qos]++;
  }

  lost(message: Message, reason: string): void {
    const entry = this.#entryOf(message, 'lost');
    if (!entry || entry.lostReason !== null) return;
    if (!entry.delivered) {
      this.#settle(message.seq);
      this.#countLoss(entry.qos, reason, 1);
      entry.lostReason = reason;
    }
  }

  summary(): DirectionSummary {
    const total = (counts: Counts): number => counts[0] + counts[1] + counts[2];
    const lostByReason = Object.fromEntries(
      [...this.#reasons].filter(([, count]) => count > 0).sort(([left], [right]) => (left < right ? -1 : 1)),
    );
    return {
      offered: { ...this.#offered },
      delivered: { ...this.#delivered },
      lost: { ...this.#lost },
      lostByReason,
      duplicates: this.#duplicates,
      held: total(this.#offered) - total(this.#delivered) - total(this.#lost),
    };
  }

  /** Sequence numbers neither delivered nor lost. */
  held(): readonly number[] {
    const list: number[] = [];
    for (const [seq, entry] of this.#entries) {
      if (!entry.delivered && entry.lostReason === null) list.push(seq);
    }
    return list;
  }

  #entryOf(message: Message, what: string): Entry | null {
    const entry = this.#entries.get(message.seq);
    if (entry) return entry;
    if (message.seq > this.#forgottenUpTo) throw new RangeError(`message ${message.seq} was ${what} but never offered`);
    return null;
  }

  #countLoss(qos: Qos, reason: string, by: number): void {
    this.#lost[qos] += by;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + by);
  }

  #settle(seq: number): void {
    if (this.#settled.length < SETTLED_MAX) {
      this.#settled.push(seq);
      return;
    }
    const forgotten = this.#settled[this.#oldest]!;
    this.#settled[this.#oldest] = seq;
    this.#oldest = (this.#oldest + 1) % SETTLED_MAX;
    this.#entries.delete(forgotten);
    if (forgotten > this.#forgottenUpTo) this.#forgottenUpTo = forgotten;
  }
}
