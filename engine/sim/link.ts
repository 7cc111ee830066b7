/** The network between the two: delay, jitter, loss, up or down. */

import { milliseconds } from '../time.ts';
import type { Micros, Rng, Stimulus } from '../types.ts';
import type { LinkSettings } from './options.ts';

const LOSS_PARTS = 1_000_000;

export class Link {
  readonly #rng: Rng;
  #down = false;
  #delay: Micros;
  #jitter: Micros;
  #lossParts: number;

  constructor(settings: LinkSettings, rng: Rng) {
    this.#rng = rng;
    this.#delay = milliseconds(settings.delayMs);
    this.#jitter = milliseconds(settings.jitterMs);
    this.#lossParts = Math.round(settings.loss * LOSS_PARTS);
  }

  get isDown(): boolean {
    return this.#down;
  }

  /** Round trip as an endpoint would have measured it. */
  get roundTrip(): Micros {
    return 2 * this.#delay + this.#jitter;
  }

  get delay(): Micros {
    return this.#delay;
  }

  change(change: Extract<Stimulus, { kind: 'network' }>): void {
    if (change.down !== undefined) this.#down = change.down;
    if (change.delayMs !== undefined) this.#delay = milliseconds(change.delayMs);
    if (change.jitterMs !== undefined) this.#jitter = milliseconds(change.jitterMs);
    if (change.loss !== undefined) this.#lossParts = Math.round(change.loss * LOSS_PARTS);
  }

  /** Travel time of one datagram sent now; null: it is lost. */
  travelTime(): Micros | null {
    if (this.#down) return null;
    if (this.#lossParts > 0 && this.#rng.int(1, LOSS_PARTS) <= this.#lossParts) return null;
    if (this.#jitter === 0) return this.#delay;
    return Math.max(0, this.#delay + this.#rng.int(-this.#jitter, this.#jitter));
  }
}
