/** Feeds one machine: inputs one at a time, deadlines on the real clock, outputs carried out before the next input. */

import type { Micros } from '../types.ts';
import type { RunClock } from './clock.ts';
import { Fifo } from './fifo.ts';
import { WakeUp } from './wake-up.ts';

/** Inputs waiting for a machine. More mean that the run cannot keep up and is stopped. */
export const INPUTS_MAX = 100_000;
/** Inputs handled in one turn of Node's event loop, so that sockets get theirs. */
const INPUTS_PER_TURN_MAX = 1_000;

interface Machine<Input, Output> {
  handle(now: Micros, input: Input): readonly Output[];
  nextDeadline(): Micros | null;
}

export interface MachineLoopOptions<Input, Output> {
  readonly machine: Machine<Input, Output>;
  readonly clock: RunClock;
  /** The `deadline` input. */
  readonly deadline: Input;
  /** What the machine must know before it looks at its deadlines. */
  readonly beforeDeadline?: () => readonly Input[];
  readonly carryOut: (at: Micros, output: Output) => void;
  /** Asked before every `handle`; false: the run is over. */
  readonly mayHandle: () => boolean;
  readonly overflow: () => void;
  readonly crashed: (error: unknown) => void;
}

export class MachineLoop<Input, Output> {
  readonly #options: MachineLoopOptions<Input, Output>;
  readonly #inputs = new Fifo<Input>();
  readonly #wakeUp: WakeUp;
  #running = false;
  #stopped = false;
  #paused = false;

  constructor(options: MachineLoopOptions<Input, Output>) {
    this.#options = options;
    this.#wakeUp = new WakeUp(options.clock, () => this.#run());
  }

  /** An input that comes while another is handled waits for its turn: machines are not re-entrant. */
  feed(input: Input): void {
    if (this.#stopped) return;
    if (this.#inputs.length >= INPUTS_MAX) {
      this.#options.overflow();
      return;
    }
    this.#inputs.push(input);
    if (!this.#running && !this.#paused) this.#run();
  }

  /** Inputs wait from here on. */
  pause(): void {
    this.#paused = true;
    this.#wakeUp.cancel();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#running) this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#inputs.clear();
    this.#wakeUp.cancel();
  }

  #run(): void {
    this.#running = true;
    try {
      for (let count = 0; count < INPUTS_PER_TURN_MAX && this.#handleNext(); count++);
    } catch (error) {
      this.#options.crashed(error);
    } finally {
      this.#running = false;
    }
    if (this.#stopped || this.#paused) return;
    this.#wakeUp.set(this.#inputs.length > 0 ? 0 : this.#options.machine.nextDeadline());
  }

  /** What is due by the clock goes before what came from outside. @returns false: nothing to do now. */
  #handleNext(): boolean {
    if (this.#stopped) return false;
    const { machine, clock, deadline, beforeDeadline, mayHandle } = this.#options;
    const now = clock.now();
    const dueAt = machine.nextDeadline();
    const isDue = dueAt !== null && dueAt <= now;
    if (!isDue && this.#inputs.length === 0) return false;
    if (!mayHandle()) return false;
    if (isDue) for (const input of beforeDeadline?.() ?? []) if (!this.#handle(now, input)) return false;
    return this.#handle(now, isDue ? deadline : this.#inputs.shift()!);
  }

  /** @returns false: stopped meanwhile. */
  #handle(now: Micros, input: Input): boolean {
    const { machine, carryOut } = this.#options;
    for (const output of machine.handle(now, input)) {
      if (this.#stopped) return false;
      carryOut(now, output);
    }
    return true;
  }
}
