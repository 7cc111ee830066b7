/** The timers of a connection that quiche does not have: handshake, disconnect, keepalive. Real milliseconds. */

import type { CloseCause } from '../types.ts';
import type { QuicTimeouts } from './quic-settings.ts';

export class ConnectionDeadlines {
  readonly #timeouts: QuicTimeouts;
  readonly #bornAtMs: number;
  #established = false;
  /** Last datagram in either direction. */
  #activeAtMs: number;
  /** First ack-eliciting datagram since the peer was last heard. */
  #unansweredSinceMs: number | null = null;

  constructor(timeouts: QuicTimeouts, nowMs: number) {
    this.#timeouts = timeouts;
    this.#bornAtMs = nowMs;
    this.#activeAtMs = nowMs;
  }

  noteEstablished(): void {
    this.#established = true;
  }

  noteReceived(nowMs: number): void {
    this.#activeAtMs = nowMs;
    this.#unansweredSinceMs = null;
  }

  noteSent(nowMs: number, elicitsAnswer: boolean): void {
    this.#activeAtMs = nowMs;
    if (elicitsAnswer) this.#unansweredSinceMs ??= nowMs;
  }

  /** The earliest of them; Infinity: none runs. */
  next(): number {
    return Math.min(this.#handshakeDueAt(), this.#disconnectDueAt(), this.#keepaliveDueAt());
  }

  /** Why the connection is to be given up now, or null. */
  expired(nowMs: number): CloseCause | null {
    if (this.#handshakeDueAt() <= nowMs) return { kind: 'handshake-timeout' };
    return this.#disconnectDueAt() <= nowMs ? { kind: 'timeout' } : null;
  }

  wantsPing(nowMs: number): boolean {
    return this.#keepaliveDueAt() <= nowMs;
  }

  #handshakeDueAt(): number {
    return this.#established ? Infinity : this.#bornAtMs + this.#timeouts.handshakeMs;
  }

  #disconnectDueAt(): number {
    const { disconnectMs } = this.#timeouts;
    if (!this.#established || disconnectMs === 0 || this.#unansweredSinceMs === null) return Infinity;
    return this.#unansweredSinceMs + disconnectMs;
  }

  #keepaliveDueAt(): number {
    const { keepaliveMs } = this.#timeouts;
    return this.#established && keepaliveMs > 0 ? this.#activeAtMs + keepaliveMs : Infinity;
  }
}
