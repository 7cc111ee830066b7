/** The broker's process: it can be stopped in its tracks (SIGSTOP); what comes meanwhile waits in the socket buffer. */

/** Linux' default receive buffer (net.core.rmem_default). */
const SOCKET_BUFFER_BYTES = 212_992;
/** Timers and the like that become due during a pause, and stimuli. */
const WAITING_MAX = 1_000_000;

export class BrokerProcess {
  #paused = false;
  #waiting: (() => void)[] = [];
  #waitingBytes = 0;

  get isPaused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const waiting = this.#waiting;
    this.#forget();
    for (const run of waiting) run();
  }

  kill(): void {
    this.#paused = false;
    this.#forget();
  }

  /** Runs now, or at the end of the pause. `bytes` beyond the socket buffer are dropped. */
  run(bytes: number, run: () => void): void {
    if (!this.defers(bytes, run)) run();
  }

  /** During a pause `run` is kept for its end, or dropped if `bytes` do not fit into the socket buffer. False: there is no pause. */
  defers(bytes: number, run: () => void): boolean {
    if (!this.#paused) return false;
    if (bytes > 0 && this.#waitingBytes + bytes > SOCKET_BUFFER_BYTES) return true;
    if (this.#waiting.length >= WAITING_MAX) return true;
    this.#waitingBytes += bytes;
    this.#waiting.push(run);
    return true;
  }

  #forget(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
