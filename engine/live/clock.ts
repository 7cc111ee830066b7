/** The run's clock: real time since the start, in the machines' microseconds. */

import { performance } from 'node:perf_hooks';
import type { Micros } from '../types.ts';

export class RunClock {
  readonly #speed: number;
  #startedAtMs = performance.now();

  /** @param speed machine seconds per real second */
  constructor(speed: number) {
    this.#speed = speed;
  }

  /** Sets machine time to zero. */
  restart(): void {
    this.#startedAtMs = performance.now();
  }

  /** Machine time, an integer that never goes back. */
  now(): Micros {
    return Math.floor((performance.now() - this.#startedAtMs) * 1000 * this.#speed);
  }

  /** Machine time that so many real milliseconds are. */
  span(realMs: number): Micros {
    return Math.round(realMs * 1000 * this.#speed);
  }

  /** Real milliseconds that a span of machine time takes. */
  realMs(span: Micros): number {
    return span / 1000 / this.#speed;
  }
}
