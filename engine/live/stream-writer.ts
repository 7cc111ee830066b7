/** What waits to be written to one stream, and when each write counts as taken over. */

import { Fifo } from './fifo.ts';

/**
 * msquic completes a write when it has copied it, as long as no more than this is unacknowledged on the stream
 * (nanomq-bridge-model §1.1).
 */
export const SEND_BUFFER_BYTES = 131_072;
/** Flights younger than this are one, so that their number is bounded by the round trip. */
const FLIGHT_MS = 1;
/** Small writes go to the QUIC library together: each call of it costs more than the copy. */
const TOGETHER_BYTES = 65_536;
const together = Buffer.allocUnsafe(TOGETHER_BYTES);

/** `result` 0: taken over; else the nng code the write failed with. */
export type OnTaken = (result: number) => void;

/** Takes bytes of one stream: returns how many, 0 if it is blocked. */
export type TakeBytes = (bytes: Uint8Array, fin: boolean) => number;

interface PendingWrite {
  /** Offset in the stream of the first byte after it. */
  readonly end: number;
  readonly onTaken: OnTaken;
}

/** Bytes given to the QUIC library at a time. */
interface Flight {
  readonly atMs: number;
  end: number;
}

export class StreamWriter {
  readonly #queue = new Fifo<Uint8Array>();
  readonly #writes = new Fifo<PendingWrite>();
  readonly #flights: Flight[] = [];
  #writtenEnd = 0;
  #takenEnd = 0;
  #ackedEnd = 0;
  #finish: 'no' | 'wanted' | 'done' = 'no';

  /** Something was sent that may be unacknowledged yet. */
  get awaitsAnswer(): boolean {
    return this.#flights.length > 0;
  }

  get pendingBytes(): number {
    return this.#writtenEnd - this.#takenEnd;
  }

  /** Nothing can be written after {@link finish}. */
  get finished(): boolean {
    return this.#finish !== 'no';
  }

  write(bytes: Uint8Array, onTaken: OnTaken): void {
    this.#queue.push(bytes);
    this.#writtenEnd += bytes.length;
    this.#writes.push({ end: this.#writtenEnd, onTaken });
  }

  /** FIN after everything written so far. */
  finish(): void {
    if (this.#finish === 'no') this.#finish = 'wanted';
  }

  /** Hands over as much as the QUIC library takes. */
  flush(take: TakeBytes, nowMs: number): void {
    while (this.#queue.length > 0) {
      const bytes = this.#next();
      const taken = take(bytes, false);
      this.#noteTaken(taken, nowMs);
      this.#drop(taken);
      if (taken < bytes.length) return;
    }
    if (this.#finish !== 'wanted') return;
    take(new Uint8Array(0), true);
    this.#finish = 'done';
  }

  /** The first write, or as many as fit into {@link together}; valid until the next call. */
  #next(): Uint8Array {
    const first = this.#queue.at(0)!;
    let length = 0;
    for (let index = 0; ; index++) {
      const bytes = this.#queue.at(index);
      if (!bytes || length + bytes.length > TOGETHER_BYTES) return index > 1 ? together.subarray(0, length) : first;
      together.set(bytes, length);
      length += bytes.length;
    }
  }

  #drop(taken: number): void {
    let left = taken;
    for (let head = this.#queue.at(0); head; head = this.#queue.at(0)) {
      if (left < head.length) {
        if (left > 0) this.#queue.replaceFirst(head.subarray(left));
        return;
      }
      left -= head.length;
      this.#queue.shift();
    }
  }

  #noteTaken(bytes: number, nowMs: number): void {
    if (bytes === 0) return;
    this.#takenEnd += bytes;
    const last = this.#flights.at(-1);
    if (last && nowMs - last.atMs < FLIGHT_MS) last.end = this.#takenEnd;
    else this.#flights.push({ atMs: nowMs, end: this.#takenEnd });
  }

  /**
   * The peer answered something. quiche does not tell what is acknowledged; whatever left at least half a round trip ago
   * counts as acknowledged, which is exact while nothing arrives and a round trip optimistic otherwise.
   */
  noteAnswer(nowMs: number, roundTripMs: number): void {
    while (this.#flights[0] && nowMs - this.#flights[0].atMs >= roundTripMs / 2) {
      this.#ackedEnd = this.#flights.shift()!.end;
    }
  }

  /** The peer owes nothing any more. */
  noteAllAnswered(): void {
    this.#flights.length = 0;
    this.#ackedEnd = this.#takenEnd;
  }

  /** A write waits for an acknowledgement. */
  get isWaiting(): boolean {
    return this.#writes.length > 0 && this.#flights.length > 0;
  }

  /** The writes that are taken over by now, removed from the list. */
  takeCompleted(): OnTaken[] {
    const completed: OnTaken[] = [];
    for (let write = this.#writes.at(0); write && this.#isTaken(write); write = this.#writes.at(0)) {
      completed.push(write.onTaken);
      this.#writes.shift();
    }
    return completed;
  }

  #isTaken(write: PendingWrite): boolean {
    return write.end - this.#ackedEnd <= SEND_BUFFER_BYTES;
  }

  /** The stream is gone: the callbacks of all unfinished writes. */
  abort(): OnTaken[] {
    const callbacks = Array.from(this.#writes, (write) => write.onTaken);
    this.#writes.clear();
    this.#queue.clear();
    this.#flights.length = 0;
    this.#takenEnd = this.#writtenEnd;
    return callbacks;
  }
}
