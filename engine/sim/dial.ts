/** Opening a connection: Initial or SYN, their retransmission, refusal and timeout. */

import { MILLISECOND, milliseconds, SECOND, seconds } from '../time.ts';
import type { BridgeSettings, CloseCause, Micros } from '../types.ts';
import type { EventQueue } from './event-queue.ts';
import type { Link } from './link.ts';

/** RFC 9002 §6.2: the first probe timeout is three initial round trips; it doubles. Measured: 2.4, 4.8, 9.6 s at 800 ms. */
const PROBE_ROUND_TRIPS = 3;
const HANDSHAKE_WORK: Micros = 5 * MILLISECOND;
const TCP_FIRST_RETRY: Micros = 1 * SECOND;
const TCP_GIVE_UP: Micros = 127 * SECOND;
/** RFC 9000 §14.1: an Initial fills a datagram of 1200 bytes; so does the answer. */
const DATAGRAM_BYTES: Readonly<Record<'quic' | 'tcp', number>> = { quic: 1_200, tcp: 60 };

export interface DialUser {
  now(): Micros;
  /** `listening`, or what a datagram to the port meets. */
  broker(): 'listening' | 'silent' | 'refused';
  /** Runs `arrival` at the broker: now, or when it goes on after a pause. */
  atBroker(arrival: () => void): void;
  connected(): void;
  failed(cause: CloseCause): void;
}

/** One attempt to connect. `cancel` makes it forget its user. */
export class Dial {
  readonly #user: DialUser;
  readonly #queue: EventQueue;
  readonly #link: Link;
  readonly #transport: 'quic' | 'tcp';
  #over = false;

  constructor(settings: BridgeSettings, user: DialUser, queue: EventQueue, link: Link) {
    this.#user = user;
    this.#queue = queue;
    this.#link = link;
    this.#transport = settings.transport;
    const quic = settings.transport === 'quic';
    const timeout = quic ? seconds(settings.quicHandshakeTimeoutS) : TCP_GIVE_UP;
    queue.add(user.now() + timeout, () => this.#fail({ kind: 'handshake-timeout' }));
    if (!quic && link.isHolding) this.#succeedAfter(link.roundTrip);
    else this.#attempt(quic ? PROBE_ROUND_TRIPS * milliseconds(settings.quicInitialRttMs) : TCP_FIRST_RETRY);
  }

  cancel(): void {
    this.#over = true;
  }

  #attempt(retryAfter: Micros): void {
    if (this.#over) return;
    const now = this.#user.now();
    const there = this.#link.travelTime('bridge', DATAGRAM_BYTES[this.#transport], now);
    if (there !== null) this.#queue.add(now + there, () => this.#user.atBroker(() => this.#arrive()));
    this.#queue.add(now + Math.max(retryAfter, MILLISECOND), () => this.#attempt(retryAfter * 2));
  }

  /** At the broker's port. The client is connected when the answer is back; its Finished goes with its first packet. */
  #arrive(): void {
    if (this.#over) return;
    const broker = this.#user.broker();
    if (broker === 'silent') return;
    const now = this.#user.now();
    const back = this.#link.travelTime('broker', DATAGRAM_BYTES[this.#transport], now);
    if (back === null) return;
    if (broker === 'refused') this.#queue.add(now + back, () => this.#fail({ kind: 'unreachable' }));
    else this.#succeedAfter(back + (this.#transport === 'quic' ? HANDSHAKE_WORK : 0));
  }

  #succeedAfter(delay: Micros): void {
    this.#queue.add(this.#user.now() + delay, () => {
      if (this.#over) return;
      // The broker may have stopped meanwhile; a proxy that holds back what it is given stays.
      if (this.#user.broker() !== 'listening' && !this.#link.isHolding) return;
      this.#over = true;
      this.#user.connected();
    });
  }

  #fail(cause: CloseCause): void {
    if (this.#over) return;
    this.#over = true;
    this.#user.failed(cause);
  }
}
