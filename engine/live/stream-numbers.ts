/** Stream index of the machines ↔ QUIC stream id. */

import type { StreamIndex } from '../types.ts';

/** RFC 9000 §2.1: bidirectional streams of the client have ids 0, 4, 8, … */
const ID_STEP = 4;
/** Control stream and four data streams have fixed ids from the start (nanomq-bridge-model §1.1). */
const FIRST_STREAMS = 5;

export class StreamNumbers {
  readonly #ids = new Map<StreamIndex, number>();
  readonly #indexes = new Map<number, StreamIndex>();
  readonly #abandoned = new Set<number>();
  #nextOrdinal = FIRST_STREAMS;

  idOf(index: StreamIndex): number {
    return this.#ids.get(index) ?? index * ID_STEP;
  }

  /** Null: a stream that we gave up, or not one of the client's bidirectional streams. */
  indexOf(id: number): StreamIndex | null {
    if (id % ID_STEP !== 0 || this.#abandoned.has(id)) return null;
    return this.#indexes.get(id) ?? id / ID_STEP;
  }

  /** Client only: the index gets the next unused id; what still comes on the old one is nobody's. */
  reopen(index: StreamIndex): void {
    const old = this.idOf(index);
    this.#abandoned.add(old);
    this.#indexes.delete(old);
    const id = this.#nextOrdinal++ * ID_STEP;
    this.#ids.set(index, id);
    this.#indexes.set(id, index);
  }
}
