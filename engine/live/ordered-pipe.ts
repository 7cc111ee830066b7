/** Bytes of one direction of a TCP connection over an impaired link: late, but in order and complete. */

import type { Endpoint } from '../types.ts';
import type { LiveLink } from './live-link.ts';

/** Bytes held; the sender is paused above it. */
export const HELD_BYTES_MAX = 4 * 1024 * 1024;
/** Linux: the least retransmission timeout; it doubles. */
const RTO_MS = 200;
const RTO_MS_MAX = 120_000;

interface Chunk {
  readonly bytes: Buffer;
  readonly sentAtMs: number;
  dueAtMs: number | null; // null: lost or blocked, waits for a retransmission
}

export interface PipeOptions {
  readonly from: Endpoint;
  readonly link: LiveLink;
  readonly speed: number;
  readonly deliver: (bytes: Buffer) => void;
  /** All that was pushed before `end` was delivered. */
  readonly ended: () => void;
}

export class OrderedPipe {
  readonly #options: PipeOptions;
  readonly #chunks: Chunk[] = [];
  readonly #unsubscribe: () => void;
  #heldBytes = 0;
  #ending = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: PipeOptions) {
    this.#options = options;
    this.#unsubscribe = options.link.onChange(() => this.#move());
  }

  get isFull(): boolean {
    return this.#heldBytes > HELD_BYTES_MAX;
  }

  push(bytes: Buffer): void {
    const now = performance.now();
    this.#chunks.push({ bytes, sentAtMs: now, dueAtMs: this.#dueAt(bytes.length, now) });
    this.#heldBytes += bytes.length;
    this.#move();
  }

  end(): void {
    this.#ending = true;
    this.#move();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#unsubscribe();
    this.#chunks.length = 0;
  }

  #dueAt(bytes: number, nowMs: number): number | null {
    const { link, from, speed } = this.#options;
    const travel = link.isBlocked(from) ? null : link.travelTime(from, bytes);
    return travel === null ? null : nowMs + travel / 1000 / speed;
  }

  /** Delivers what is due, in order, and waits for the next. */
  #move(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const { link, from, deliver, ended } = this.#options;
    for (let head = this.#chunks[0]; head; head = this.#chunks[0]) {
      const now = performance.now();
      if (link.isBlocked(from)) return; // The change that ends it calls again.
      head.dueAtMs ??= this.#retransmittedAt(head, now);
      if (head.dueAtMs > now) {
        this.#timer = setTimeout(() => this.#move(), Math.ceil(head.dueAtMs - now));
        return;
      }
      this.#chunks.shift();
      this.#heldBytes -= head.bytes.length;
      deliver(head.bytes);
    }
    if (!this.#ending) return;
    this.#ending = false;
    ended();
  }

  /** RFC 6298 §5.5: the timeout doubles each time; a retransmission can be lost again. */
  #retransmittedAt({ bytes, sentAtMs }: Chunk, nowMs: number): number {
    const { speed } = this.#options;
    let at = sentAtMs;
    for (let rto = RTO_MS; ; rto = Math.min(2 * rto, RTO_MS_MAX)) {
      at += rto / speed;
      if (at < nowMs) continue;
      const due = this.#dueAt(bytes.length, at);
      if (due !== null) return due;
    }
  }
}
