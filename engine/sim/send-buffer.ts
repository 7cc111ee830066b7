/** What the sender has taken from its user: a write completes when it is copied, or waits until enough is acknowledged. */

import type { Micros } from '../types.ts';
import type { Chunk } from './chunk.ts';
import type { EventQueue } from './event-queue.ts';

/**
 * msquic completes a send when it is copied, up to this much unacknowledged on the connection (quicdef.h: ideal send buffer;
 * incident 17: with 8 kB messages at 35 Hz the first write to wait does so 0.45 s after the link broke, which is 16 messages).
 */
const SEND_BUFFER_BYTES = 131_072;
const SEND_COMPLETE_DELAY: Micros = 100;

export interface SendBufferUser {
  now(): Micros;
  senderOpen(): boolean;
}

export class SendBuffer {
  readonly #user: SendBufferUser;
  readonly #queue: EventQueue;
  /** Waiting for SEND_COMPLETE until there is room. */
  #blocked: Chunk[] = [];
  #unackedBytes = 0;

  constructor(user: SendBufferUser, queue: EventQueue) {
    this.#user = user;
    this.#queue = queue;
  }

  take(chunk: Chunk): void {
    this.#unackedBytes += chunk.bytes;
    if (!chunk.onComplete) return;
    if (this.#unackedBytes <= SEND_BUFFER_BYTES) this.#completeSoon(chunk, 0);
    else this.#blocked.push(chunk);
  }

  /** Acknowledged, or given up. */
  release(chunk: Chunk): void {
    this.#unackedBytes -= chunk.bytes;
  }

  completeUnblocked(): void {
    if (this.#blocked.length === 0 || this.#unackedBytes > SEND_BUFFER_BYTES) return;
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const chunk of blocked) this.#completeSoon(chunk, 0);
  }

  /** Writes to the stream that wait end with `result`. */
  cancel(stream: number, result: number): void {
    for (const chunk of this.#blocked) if (chunk.stream === stream) this.#completeSoon(chunk, result);
    this.#blocked = this.#blocked.filter((chunk) => chunk.stream !== stream);
  }

  #completeSoon(chunk: Chunk, result: number): void {
    const { onComplete } = chunk;
    if (!onComplete) return;
    chunk.onComplete = null;
    this.#queue.add(this.#user.now() + SEND_COMPLETE_DELAY, () => {
      if (this.#user.senderOpen()) onComplete(result);
    });
  }
}
