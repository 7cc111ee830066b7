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

/** What is known of a message, as one small integer: its QoS, whether it was delivered, and the number of the reason if it was lost. */
const QOS_MASK = 3;
const DELIVERED = 4;
const REASON_SHIFT = 3;

type Counts = Record<Qos, number>;

export class Books {
  readonly #entries = new Map<number, number>();
  /** Sequence numbers of the settled ones, oldest first, as a ring. */
  readonly #settled: number[] = [];
  #oldest = 0;
  /** Forgotten ones have at most this sequence number. */
  #forgottenUpTo = -1;
  #duplicates = 0;
  readonly #offered: Counts = { 0: 0, 1: 0, 2: 0 };
  readonly #delivered: Counts = { 0: 0, 1: 0, 2: 0 };
  readonly #lost: Counts = { 0: 0, 1: 0, 2: 0 };
  /** Reasons in the order in which they came up, and messages lost for each. */
  readonly #reasons: string[] = [];
  readonly #lostFor: number[] = [];

  offered(message: Message): void {
    if (this.#entries.has(message.seq)) throw new RangeError(`message ${message.seq} was offered twice`);
    this.#entries.set(message.seq, message.qos);
    this.#offered[message.qos]++;
  }

  delivered(message: Message): void {
    const entry = this.#entryOf(message, 'delivered');
    if (entry === undefined || (entry & DELIVERED) !== 0) {
      this.#duplicates++;
      return;
    }
    const reason = entry >> REASON_SHIFT;
    if (reason === 0) this.#settle(message.seq);
    else this.#countLoss(entry, reason, -1);
    this.#entries.set(message.seq, entry | DELIVERED);
    this.#delivered[(entry & QOS_MASK) as Qos]++;
  }

  lost(message: Message, reason: string): void {
    const entry = this.#entryOf(message, 'lost');
    if (entry === undefined || entry >> REASON_SHIFT !== 0 || (entry & DELIVERED) !== 0) return;
    const number = this.#numberOf(reason);
    this.#settle(message.seq);
    this.#countLoss(entry, number, 1);
    this.#entries.set(message.seq, entry | (number << REASON_SHIFT));
  }

  summary(): DirectionSummary {
    const total = (counts: Counts): number => counts[0] + counts[1] + counts[2];
    const lostByReason = Object.fromEntries(
      this.#reasons
        .map((reason, index): [string, number] => [reason, this.#lostFor[index]!])
        .filter(([, count]) => count > 0)
        .sort(([left], [right]) => (left < right ? -1 : 1)),
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
      if (entry <= QOS_MASK) list.push(seq);
    }
    return list;
  }

  #entryOf(message: Message, what: string): number | undefined {
    const entry = this.#entries.get(message.seq);
    if (entry === undefined && message.seq > this.#forgottenUpTo) {
      throw new RangeError(`message ${message.seq} was ${what} but never offered`);
    }
    return entry;
  }

  /** From 1: 0 stands for none. */
  #numberOf(reason: string): number {
    const known = this.#reasons.indexOf(reason);
    if (known >= 0) return known + 1;
    this.#lostFor.push(0);
    return this.#reasons.push(reason);
  }

  #countLoss(entry: number, reason: number, by: number): void {
    this.#lost[(entry & QOS_MASK) as Qos] += by;
    this.#lostFor[reason - 1]! += by;
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
