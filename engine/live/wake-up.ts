/** One timer that is set again and again: wakes its owner at a machine time, as exactly as Node allows. */

import type { Micros } from '../types.ts';
import type { RunClock } from './clock.ts';

/** `setTimeout` overflows at 2^31 ms; waking up early only sets the timer again. */
const LONGEST_SLEEP_MS = 60_000;

export class WakeUp {
  readonly #clock: RunClock;
  readonly #run: () => void;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;

  constructor(clock: RunClock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Replaces the time set before. The owner may be woken early and sets it again then; null: not at all. */
  set(at: Micros | null): void {
    this.cancel();
    if (at === null) return;
    const sleepMs = this.#clock.realMs(at - this.#clock.now());
    // A timer of less than a millisecond would be rounded up to one.
    if (sleepMs < 1) this.#immediate = setImmediate(this.#wake);
    else this.#timer = setTimeout(this.#wake, Math.min(Math.floor(sleepMs), LONGEST_SLEEP_MS));
  }

  cancel(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#immediate) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }

  readonly #wake = (): void => {
    this.#timer = null;
    this.#immediate = null;
    this.#run();
  };
}
