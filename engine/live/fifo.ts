/** First in, first out, without moving what is left: `Array.shift` copies long arrays, so that a long queue gets slower and slower. */

/** Taken entries that are kept in front of the array at most; below it nothing is copied. */
const TAKEN_MIN = 1_024;

export class Fifo<Entry> {
  #entries: (Entry | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** The entry that many places behind the first one; undefined: there is none. */
  at(index: number): Entry | undefined {
    return this.#entries[this.#head + index];
  }

  replaceFirst(entry: Entry): void {
    if (this.length > 0) this.#entries[this.#head] = entry;
  }

  shift(): Entry | undefined {
    if (this.length === 0) return undefined;
    const entry = this.#entries[this.#head];
    this.#entries[this.#head++] = undefined;
    if (this.#head === this.#entries.length) this.clear();
    // Each entry is moved once at most, as half of the array is free.
    else if (this.#head >= TAKEN_MIN && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let index = this.#head; index < this.#entries.length; index++) yield this.#entries[index]!;
  }
}
