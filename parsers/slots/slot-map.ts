/** A map whose keys are the texts of some slots of a line: looked up by the bytes, without making a string of them. */
import { LF, textOf } from './ascii.ts';

interface Entry<T> {
  readonly key: string; // each text with a line feed behind it
  readonly value: T;
  readonly next: Entry<T> | undefined; // of the same hash
}

export class SlotMap<T> {
  private readonly entries = new Map<number, Entry<T>>();
  private last: Entry<T> | undefined;
  size = 0;

  /** Value for the text of these slots; undefined if there is none. */
  get(bytes: Buffer, from: Int32Array, to: Int32Array, slots: readonly number[]): T | undefined {
    const { last } = this;
    if (last !== undefined && isKey(last.key, bytes, from, to, slots)) return last.value;
    let entry = this.entries.get(hashOf(bytes, from, to, slots));
    while (entry !== undefined && !isKey(entry.key, bytes, from, to, slots)) entry = entry.next;
    if (entry === undefined) return undefined;
    this.last = entry;
    return entry.value;
  }

  /** Adds a value for a key that has none. */
  add(bytes: Buffer, from: Int32Array, to: Int32Array, slots: readonly number[], value: T): void {
    const hash = hashOf(bytes, from, to, slots);
    const key = slots.map((slot) => `${textOf(bytes, from[slot]!, to[slot]!)}\n`).join('');
    this.last = { key, value, next: this.entries.get(hash) };
    this.entries.set(hash, this.last);
    this.size += 1;
  }

  clear(): void {
    this.entries.clear();
    this.last = undefined;
    this.size = 0;
  }
}

function hashOf(bytes: Uint8Array, from: Int32Array, to: Int32Array, slots: readonly number[]): number {
  let hash = 0x811c9dc5 | 0;
  for (let s = 0; s < slots.length; s++) {
    const end = to[slots[s]!]!;
    for (let i = from[slots[s]!]!; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    hash = Math.imul(hash ^ LF, 0x01000193);
  }
  return hash;
}

function isKey(key: string, bytes: Uint8Array, from: Int32Array, to: Int32Array, slots: readonly number[]): boolean {
  let at = 0;
  for (let s = 0; s < slots.length; s++) {
    const start = from[slots[s]!]!;
    const length = to[slots[s]!]! - start;
    // No slot holds a line feed, so texts of other lengths differ here.
    if (key.charCodeAt(at + length) !== LF) return false;
    for (let i = 0; i < length; i++) if (key.charCodeAt(at + i) !== bytes[start + i]) return false;
    at += length + 1;
  }
  return at === key.length;
}
