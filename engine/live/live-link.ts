/** The network between two sockets: the simulator's link, carried out with plain timers. */

import { Link } from '../sim/link.ts';
import type { LinkSettings } from '../sim/options.ts';
import type { Endpoint, Micros, NetworkChange, Rng } from '../types.ts';
import type { RunClock } from './clock.ts';

/** Loopback adds its own delay. */
const NO_IMPAIRMENT: LinkSettings = { delayMs: 0, jitterMs: 0, loss: 0 };
/** Datagrams under way; a full link drops, as a router does. */
export const DATAGRAMS_UNDER_WAY_MAX = 10_000;

export class LiveLink {
  readonly #link: Link;
  readonly #clock: RunClock;
  readonly #underWay = new Set<NodeJS.Timeout>();
  readonly #listeners = new Set<() => void>();

  constructor(settings: LinkSettings | undefined, rng: Rng, clock: RunClock) {
    this.#link = new Link(settings ?? NO_IMPAIRMENT, rng);
    this.#clock = clock;
  }

  change(change: NetworkChange): void {
    this.#link.change(change);
    for (const listener of this.#listeners) listener();
  }

  /** Told of every change; @returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Nothing that `from` sends arrives now. */
  isBlocked(from: Endpoint): boolean {
    return this.#link.isHolding || this.#link.isDownFrom(from);
  }

  /** Machine time from sending to arrival; null: lost. */
  travelTime(from: Endpoint, bytes: number): Micros | null {
    return this.#link.travelTime(from, bytes, this.#clock.now());
  }

  /** Calls `deliver` when a datagram sent now arrives: at once, later or never. */
  carry(from: Endpoint, bytes: number, deliver: () => void): void {
    const travel = this.travelTime(from, bytes);
    if (travel === null) return;
    const travelMs = Math.round(this.#clock.realMs(travel));
    if (travelMs === 0) {
      deliver();
      return;
    }
    if (this.#underWay.size >= DATAGRAMS_UNDER_WAY_MAX) return;
    const timer = setTimeout(() => {
      this.#underWay.delete(timer);
      if (!this.#link.isDownFrom(from)) deliver();
    }, travelMs);
    this.#underWay.add(timer);
  }

  close(): void {
    for (const timer of this.#underWay) clearTimeout(timer);
    this.#underWay.clear();
    this.#listeners.clear();
  }
}
