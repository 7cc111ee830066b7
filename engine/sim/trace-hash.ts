/** FNV-1a over the records of a trace, as two 32-bit lanes (64-bit integers would be slow). */

import type { SimRecord } from '../types.ts';

const PRIME = 0x01000193;
const START_LOW = 0x811c9dc5;
const START_HIGH = 0x050c5d1f;

export class TraceHash {
  #low = START_LOW | 0;
  #high = START_HIGH | 0;

  add(record: SimRecord): void {
    this.#text(String(record.at));
    this.#text(record.endpoint);
    this.#text(record.severity);
    this.#text(record.event);
    this.#text(record.clientId ?? '');
    this.#text(record.peer ?? '');
    for (const key in record.fields) {
      this.#text(key);
      this.#text(String(record.fields[key]));
    }
  }

  digest(): string {
    return hex(this.#high) + hex(this.#low);
  }

  #text(text: string): void {
    let low = this.#low;
    let high = this.#high;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      low = Math.imul(low ^ unit, PRIME);
      high = Math.imul(high ^ (unit + index), PRIME);
    }
    // A separator, so that 'ab','c' and 'a','bc' differ.
    this.#low = Math.imul(low ^ 0xff, PRIME);
    this.#high = Math.imul(high ^ 0xff, PRIME);
  }
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}
