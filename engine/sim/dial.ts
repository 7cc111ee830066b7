/** Opening a connection: Initial or SYN, their retransmission, refusal and timeout. */

import { MILLISECOND, milliseconds, SECOND, seconds } from '../time.ts';
import type { BridgeSettings, CloseCause, Micros } from '../types.ts';
import type { EventQueue } from './event-queue.ts';
import type { Link } from './link.ts';

/** RFC 9002 §6.2: the first probe timeout is three initial round trips; it doubles. Measured: 2.4, 4.8, 9.6 s at 800 ms. */
const PROBE_ROUND_TRIPS = 3;
const HANDSHAKE_WORK: Micros = 5 * MILLISECOND;
const QUIC_ROUND_TRIPS = 1.5;
const TCP_ROUND_TRIPS = 1;
const TCP_FIRST_RETRY: Micros = 1 * SECOND;
const TCP_GIVE_UP: Micros = 127 * SECOND;

export interface DialUser {
  now(): Micros;
  /** `listening`, or what a datagram to the port meets. */
  broker(): 'listening' | 'silent' | 'refused';
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
    this.#attempt(quic ? PROBE_ROUND_TRIPS * milliseconds(settings.quicInitialRttMs) : TCP_FIRST_RETRY);
  }

  cancel(): void {
    this.#over = true;
  }

  #attempt(retryAfter: Micros): void {
    if (this.#over) return;
    const there = this.#link.travelTime();
    const back = this.#link.travelTime();
    const broker = this.#user.broker();
    if (there !== null && back !== null && broker === 'refused') {
      this.#queue.add(this.#user.now() + there + back, () => this.#fail({ kind: 'unreachable' }));
      return;
    }
    if (there !== null && back !== null && broker === 'listening') {
      const roundTrips = this.#transport === 'quic' ? QUIC_ROUND_TRIPS : TCP_ROUND_TRIPS;
      const work = this.#transport === 'quic' ? HANDSHAKE_WORK : 0;
      this.#queue.add(this.#user.now() + Math.round((there + back) * roundTrips) + work, () => this.#succeed());
      return;
    }
    this.#queue.add(this.#user.now() + Math.max(retryAfter, MILLISECOND), () => this.#attempt(retryAfter * 2));
  }

  #succeed(): void {
    if (this.#over) return;
    // The broker may have stopped meanwhile.
    if (this.#user.broker() !== 'listening') return;
    this.#over = true;
    this.#user.connected();
  }

  #fail(cause: CloseCause): void {
    if (this.#over) return;
    this.#over = true;
    this.#user.failed(cause);
  }
}
