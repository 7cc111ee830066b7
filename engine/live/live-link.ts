/** The network between the two sockets: the simulator's link, carried out on real datagrams with plain timers. */

import { Link } from '../sim/link.ts';
import type { LinkSettings } from '../sim/options.ts';
import type { Rng, Stimulus } from '../types.ts';
import type { RunClock } from './clock.ts';

/** Loopback adds its own delay. */
const NO_IMPAIRMENT: LinkSettings = { delayMs: 0, jitterMs: 0, loss: 0 };
/** Datagrams under way; a full link drops, as a router does. */
export const DATAGRAMS_UNDER_WAY_MAX = 10_000;

export class LiveLink {
  readonly #link: Link;
  readonly #clock: RunClock;
  readonly #underWay = new Set<NodeJS.Timeout>();

  constructor(settings: LinkSettings | undefined, rng: Rng, clock: RunClock) {
    this.#link = new Link(settings ?? NO_IMPAIRMENT, rng);
    this.#clock = clock;
  }

  get isDown(): boolean {
    return this.#link.isDown;
  }

  change(change: Extract<Stimulus, { kind: 'network' }>): void {
    this.#link.change(change);
  }

  /** Calls `deliver` when a datagram sent now arrives: at once, later or never. */
  carry(deliver: () => void): void {
    const travel = this.#link.travelTime();
    if (travel === null) return;
    const travelMs = Math.round(this.#clock.realMs(travel));
    if (travelMs === 0) {
      deliver();
      return;
    }
    if (this.#underWay.size >= DATAGRAMS_UNDER_WAY_MAX) return;
    const timer = setTimeout(() => {
      this.#underWay.delete(timer);
      if (!this.#link.isDown) deliver();
    }, travelMs);
    this.#underWay.add(timer);
  }

  close(): void {
    for (const timer of this.#underWay) clearTimeout(timer);
    this.#underWay.clear();
  }
}
