/** Binary heap of things to do, earliest first; ties run in the order they were added. */

import type { Micros } from '../types.ts';

/** More entries than this mean that something schedules without end. */
export const EVENT_QUEUE_MAX = 1_000_000;

export interface Event {
  readonly at: Micros;
  readonly order: number;
  readonly run: () => void;
}

export class EventQueue {
  readonly #heap: Event[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  get full(): boolean {
    return this.#heap.length >= EVENT_QUEUE_MAX;
  }

  peekTime(): Micros | null {
    return this.#heap[0]?.at ?? null;
  }

  add(at: Micros, run: () => void): void {
    const heap = this.#heap;
    const event: Event = { at, order: this.#order++, run };
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  take(): Event | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last) return null;
    if (heap.length > 0) this.#sinkFromTop(last);
    return first;
  }

  #sinkFromTop(event: Event): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, event)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = event;
  }
}

function isBefore(left: Event, right: Event): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
