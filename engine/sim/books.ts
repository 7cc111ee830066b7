/** What became of every message, by direction. A delivery outweighs a loss that was noted earlier. */

import type { Message, Qos } from '../types.ts';
import type { DirectionSummary } from './options.ts';

interface Entry {
  readonly qos: Qos;
  delivered: boolean;
  lostReason: string | null;
}

export class Books {
  readonly #entries = new Map<number, Entry>();
  #duplicates = 0;

  offered(message: Message): void {
    if (this.#entries.has(message.seq)) throw new RangeError(`message ${message.seq} was offered twice`);
    this.#entries.set(message.seq, { qos: message.qos, delivered: false, lostReason: null });
  }

  delivered(message: Message): void {
    const entry = this.#entries.get(message.seq);
    if (!entry) throw new RangeError(`message ${message.seq} was delivered but never offered`);
    if (entry.delivered) this.#duplicates++;
    entry.delivered = true;
  }

  lost(message: Message, reason: string): void {
    const entry = this.#entries.get(message.seq);
    if (!entry) throw new RangeError(`message ${message.seq} was lost but never offered`);
    entry.lostReason ??= reason;
  }

  summary(): DirectionSummary {
    const offered: Record<Qos, number> = { 0: 0, 1: 0, 2: 0 };
    const delivered: Record<Qos, number> = { 0: 0, 1: 0, 2: 0 };
    const lost: Record<Qos, number> = { 0: 0, 1: 0, 2: 0 };
    const reasons = new Map<string, number>();
    let held = 0;
    for (const entry of this.#entries.values()) {
      offered[entry.qos]++;
      if (entry.delivered) delivered[entry.qos]++;
      else if (entry.lostReason === null) held++;
      else {
        lost[entry.qos]++;
        reasons.set(entry.lostReason, (reasons.get(entry.lostReason) ?? 0) + 1);
      }
    }
    const lostByReason = Object.fromEntries([...reasons].sort(([left], [right]) => (left < right ? -1 : 1)));
    return { offered, delivered, lost, lostByReason, duplicates: this.#duplicates, held };
  }

  /** Sequence numbers neither delivered nor lost. */
  held(): readonly number[] {
    const list: number[] = [];
    for (const [seq, entry] of this.#entries) {
      if (!entry.delivered && entry.lostReason === null) list.push(seq);
    }
    return list;
  }
}
