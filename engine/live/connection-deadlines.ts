/** The timers of a connection that quiche does not have: handshake, disconnect, keepalive, an idle timeout of its own. Real ms. */

import type { CloseCause } from '../types.ts';
import type { QuicTimeouts } from './quic-settings.ts';

export class ConnectionDeadlines {
  readonly #timeouts: QuicTimeouts;
  readonly #bornAtMs: number;
  #established = false;
  /** Last datagram in either direction. */
  #activeAtMs: number;
  #receivedAtMs: number;
  /** First ack-eliciting datagram since the peer was last heard. */
  #unansweredSinceMs: number | null = null;
  /** Last datagram from the peer, or the first ack-eliciting one after it (RFC 9000 §10.1). */
  #idleSinceMs: number;
  #ownIdleMs = Infinity;

  constructor(timeouts: QuicTimeouts, nowMs: number) {
    this.#timeouts = timeouts;
    this.#bornAtMs = nowMs;
    this.#activeAtMs = nowMs;
    this.#receivedAtMs = nowMs;
    this.#idleSinceMs = nowMs;
  }

  get receivedAtMs(): number {
    return this.#receivedAtMs;
  }

  /** Since when the peer owes an answer; null: it does not. */
  get unansweredSinceMs(): number | null {
    return this.#unansweredSinceMs;
  }

  /** This end gives up after so long without activity, if that is sooner than what the handshake agreed on. */
  limitIdle(idleMs: number): void {
    this.#ownIdleMs = idleMs;
  }

  noteEstablished(): void {
    this.#established = true;
  }

  noteReceived(nowMs: number): void {
    this.#activeAtMs = nowMs;
    this.#receivedAtMs = nowMs;
    this.#idleSinceMs = nowMs;
    this.#unansweredSinceMs = null;
  }

  noteSent(nowMs: number, elicitsAnswer: boolean): void {
    this.#activeAtMs = nowMs;
    if (!elicitsAnswer || this.#unansweredSinceMs !== null) return;
    this.#unansweredSinceMs = nowMs;
    this.#idleSinceMs = nowMs;
  }

  /** The earliest of them; Infinity: none runs. */
  next(): number {
    return Math.min(this.#handshakeDueAt(), this.#disconnectDueAt(), this.#keepaliveDueAt(), this.#idleDueAt());
  }

  /** Why the connection is to be given up now, or null. */
  expired(nowMs: number): CloseCause | null {
    if (this.#handshakeDueAt() <= nowMs) return { kind: 'handshake-timeout' };
    if (this.#disconnectDueAt() <= nowMs) return { kind: 'timeout' };
    return this.#idleDueAt() <= nowMs ? { kind: 'idle' } : null;
  }

  #idleDueAt(): number {
    return this.#established ? this.#idleSinceMs + this.#ownIdleMs : Infinity;
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
