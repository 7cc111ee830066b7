/**
 * FNV-1a over the records of a trace, as two 32-bit lanes (64-bit integers would be slow). Names of events and fields go in as
 * their own hash, which is remembered: they come again and again.
 */

import type { FieldValue, SimRecord } from '../types.ts';

const PRIME = 0x01000193;
const START_LOW = 0x811c9dc5;
const START_HIGH = 0x050c5d1f;
const UINT32 = 0x1_0000_0000;
/** Names remembered, in one lane; further ones are hashed anew each time. */
const NAMES_MAX = 4_096;
/** What stands for a kind of value, so that 1, '1' and true differ. */
const NUMBER = 0x4e;
const TEXT = 0x54;
const OTHER = 0x4f;

/** Field names of the last record of an event, in order, and their hashes: those of the next one are mostly the same. */
interface LastFields {
  readonly names: string[];
  readonly hashes: number[];
}

export class TraceHash {
  #low = START_LOW | 0;
  #high = START_HIGH | 0;
  readonly #names = new Map<string, number>();
  readonly #lastFields = new Map<string, LastFields>();

  add({ at, endpoint, severity, event, clientId, peer, fields }: SimRecord): void {
    this.#number(at);
    this.#name(endpoint);
    this.#name(severity);
    this.#name(event);
    this.#text(clientId ?? '');
    this.#text(peer ?? '');
    if (fields === null) return;
    const { names, hashes } = this.#lastFieldsOf(event);
    let index = 0;
    for (const name in fields) {
      if (names[index] !== name) {
        names[index] = name;
        hashes[index] = this.#hashOf(name);
      }
      const hash = hashes[index++]!;
      this.#mix(hash, hash);
      this.#value(fields[name]!);
    }
  }

  #lastFieldsOf(event: string): LastFields {
    let last = this.#lastFields.get(event);
    if (last === undefined) {
      last = { names: [], hashes: [] };
      if (this.#lastFields.size < NAMES_MAX) this.#lastFields.set(event, last);
    }
    return last;
  }

  digest(): string {
    return hex(this.#high) + hex(this.#low);
  }

  #value(value: FieldValue): void {
    if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number' && Number.isSafeInteger(value)) this.#number(value);
    else {
      this.#mix(OTHER, OTHER);
      this.#text(typeof value === 'boolean' || value === null ? String(value) : JSON.stringify(value));
    }
  }

  #number(value: number): void {
    this.#mix(NUMBER, NUMBER);
    this.#mix(value | 0, Math.floor(value / UINT32) | 0);
  }

  #name(name: string): void {
    const hash = this.#hashOf(name);
    this.#mix(hash, hash);
  }

  #hashOf(name: string): number {
    let hash = this.#names.get(name);
    if (hash === undefined) {
      hash = START_LOW | 0;
      for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), PRIME);
      if (this.#names.size < NAMES_MAX) this.#names.set(name, hash);
    }
    return hash;
  }

  #text(text: string): void {
    let low = this.#low;
    let high = this.#high;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      low = Math.imul(low ^ unit, PRIME);
      high = Math.imul(high ^ (unit + index), PRIME);
    }
    this.#low = low;
    this.#high = high;
    // Also the separator, so that 'ab','c' and 'a','bc' differ.
    this.#mix(TEXT, text.length);
  }

  /** Word by word, with a shift between, or the upper bits of a word would reach only the upper bits of the lane. */
  #mix(low: number, high: number): void {
    const first = Math.imul(this.#low ^ low, PRIME);
    const second = Math.imul(this.#high ^ high, PRIME);
    this.#low = first ^ (first >>> 15);
    this.#high = second ^ (second >>> 13) ^ (first >>> 7);
  }
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
