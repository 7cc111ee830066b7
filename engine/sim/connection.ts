/** One transport connection between bridge and broker: two flows, closes, and the timers of either end. */

import { MILLISECOND, SECOND, seconds } from '../time.ts';
import type { CloseCause, Endpoint, Micros } from '../types.ts';
import type { EventQueue } from './event-queue.ts';
import { type Chunk, Flow, NO_STREAM } from './flow.ts';
import type { Link } from './link.ts';

const PING_BYTES = 1;
/** msquic's default, which the broker leaves alone. */
const BROKER_DISCONNECT_TIMEOUT = 16 * SECOND;
/** Linux gives up a TCP connection after about this long without acknowledgement (tcp_retries2 = 15). */
const TCP_GIVE_UP = 924 * SECOND;
/** A FIN that comes this shortly after we closed is still reported. */
const LATE_FIN: Micros = 2 * MILLISECOND;
const TCP_CLOSE_RETRIES = 10;

export interface ConnectionSettings {
  readonly transport: 'quic' | 'tcp';
  readonly disconnectTimeoutS: number;
  readonly keepaliveS: number;
  readonly idleTimeoutS: number; // 0: none; the smaller of the two ends'
}

export interface ConnectionUser {
  now(): Micros;
  deliver(to: Endpoint, chunk: Chunk): void;
  closed(at: Endpoint, cause: CloseCause): void;
  /** The chunk can no longer arrive; an end is gone. */
  abandoned(from: Endpoint, chunk: Chunk): void;
}

interface End {
  open: boolean;
  closedAt: Micros;
  /** Last time something was received, or sent after a reception. */
  activeAt: Micros;
  sentSinceReceived: boolean;
  disconnectCheckPending: boolean;
}

export class Connection {
  readonly id: number;
  readonly #settings: ConnectionSettings;
  readonly #user: ConnectionUser;
  readonly #queue: EventQueue;
  readonly #link: Link;
  readonly #ends: Record<Endpoint, End>;
  readonly #flows: Record<Endpoint, Flow>;

  constructor(id: number, settings: ConnectionSettings, user: ConnectionUser, queue: EventQueue, link: Link) {
    this.id = id;
    this.#settings = settings;
    this.#user = user;
    this.#queue = queue;
    this.#link = link;
    this.#ends = { bridge: newEnd(user.now()), broker: newEnd(user.now()) };
    this.#flows = { bridge: this.#newFlow('bridge'), broker: this.#newFlow('broker') };
    this.#watchIdle('bridge');
    this.#watchIdle('broker');
    this.#watchKeepalive();
  }

  isOpen(end: Endpoint): boolean {
    return this.#ends[end].open;
  }

  /** The direction that `from` sends in. */
  flow(from: Endpoint): Flow {
    return this.#flows[from];
  }

  send(from: Endpoint, send: (flow: Flow) => void): void {
    if (!this.#ends[from].open) return;
    this.#noteSend(from);
    send(this.#flows[from]);
    this.#watchAcks(from);
  }

  /** `end` closes the connection with an application code and forgets it; the peer hears of it if the datagram arrives. */
  close(end: Endpoint, code: number): void {
    if (!this.#shut(end)) return;
    this.#tellPeer(end, code, 0);
  }

  #tellPeer(end: Endpoint, code: number, attempt: number): void {
    const peer = other(end);
    const travel = this.#link.travelTime();
    const { transport } = this.#settings;
    if (travel === null) {
      // A TCP FIN is sent again; QUIC's CONNECTION_CLOSE is not.
      if (transport === 'quic' || attempt >= TCP_CLOSE_RETRIES) return;
      this.#queue.add(this.#user.now() + 2 ** attempt * SECOND, () => this.#tellPeer(end, code, attempt + 1));
      return;
    }
    this.#queue.add(this.#user.now() + travel, () => {
      this.#end(peer, transport === 'quic' ? { kind: 'peer', code } : { kind: 'peer-fin' });
    });
  }

  #end(end: Endpoint, cause: CloseCause): void {
    if (this.#shut(end)) this.#user.closed(end, cause);
  }

  #shut(end: Endpoint): boolean {
    const state = this.#ends[end];
    if (!state.open) return false;
    state.open = false;
    state.closedAt = this.#user.now();
    for (const from of ['bridge', 'broker'] as const) {
      for (const chunk of this.#flows[from].outstanding()) {
        if (!chunk.delivered) this.#user.abandoned(from, chunk);
      }
    }
    return true;
  }

  #newFlow(from: Endpoint): Flow {
    const to = other(from);
    return new Flow(
      {
        transport: this.#settings.transport,
        now: () => this.#user.now(),
        senderOpen: () => this.#ends[from].open,
        receiverOpen: () => this.#ends[to].open,
        onArrival: () => this.#noteReceive(to),
        onAck: () => this.#noteReceive(from),
        deliver: (chunk) => this.#deliver(to, chunk),
      },
      this.#queue,
      this.#link,
    );
  }

  #deliver(to: Endpoint, chunk: Chunk): void {
    const end = this.#ends[to];
    if (chunk.fin) {
      const justClosed = !end.open && this.#user.now() - end.closedAt <= LATE_FIN;
      if (end.open || justClosed) this.#user.closed(to, { kind: 'peer-fin' });
      return;
    }
    this.#user.deliver(to, chunk);
  }

  #noteReceive(end: Endpoint): void {
    const state = this.#ends[end];
    state.activeAt = this.#user.now();
    state.sentSinceReceived = false;
  }

  /** RFC 9000 §10.1: the first ack-eliciting packet after a reception restarts the idle timer, further ones do not. */
  #noteSend(end: Endpoint): void {
    const state = this.#ends[end];
    if (state.sentSinceReceived) return;
    state.sentSinceReceived = true;
    state.activeAt = this.#user.now();
  }

  #watchIdle(end: Endpoint): void {
    const { transport, idleTimeoutS } = this.#settings;
    if (transport === 'tcp' || idleTimeoutS === 0) return;
    const state = this.#ends[end];
    const due = state.activeAt + seconds(idleTimeoutS);
    this.#queue.add(due, () => {
      if (!state.open) return;
      if (state.activeAt + seconds(idleTimeoutS) > this.#user.now()) return this.#watchIdle(end);
      this.#end(end, { kind: 'idle' });
    });
  }

  /** QUIC PING frames of the bridge after `quic_keepalive` without activity. */
  #watchKeepalive(): void {
    const { transport, keepaliveS } = this.#settings;
    if (transport === 'tcp' || keepaliveS === 0) return;
    const state = this.#ends.bridge;
    const due = state.activeAt + seconds(keepaliveS);
    this.#queue.add(Math.max(due, this.#user.now() + MILLISECOND), () => {
      if (!state.open) return;
      const idleSince = state.activeAt + seconds(keepaliveS) <= this.#user.now();
      if (idleSince && this.#flows.bridge.oldestSentAt() === null) {
        this.send('bridge', (flow) => flow.send(NO_STREAM, PING_BYTES, {}));
        state.activeAt = this.#user.now();
      }
      this.#rewatchKeepalive(state);
    });
  }

  #rewatchKeepalive(state: End): void {
    const { keepaliveS } = this.#settings;
    const due = state.activeAt + seconds(keepaliveS);
    if (due > this.#user.now()) {
      this.#watchKeepalive();
      return;
    }
    // Something is outstanding; the disconnect timeout will speak. Look again in a second.
    this.#queue.add(this.#user.now() + SECOND, () => {
      if (state.open) this.#watchKeepalive();
    });
  }

  /** The path is dead when the oldest outstanding data has waited for the disconnect timeout. */
  #watchAcks(end: Endpoint): void {
    const state = this.#ends[end];
    if (state.disconnectCheckPending) return;
    const oldest = this.#flows[end].oldestSentAt();
    if (oldest === null) return;
    state.disconnectCheckPending = true;
    this.#queue.add(oldest + this.#disconnectTimeout(end), () => {
      state.disconnectCheckPending = false;
      if (!state.open) return;
      const still = this.#flows[end].oldestSentAt();
      if (still === null || still + this.#disconnectTimeout(end) > this.#user.now()) return this.#watchAcks(end);
      this.#end(end, this.#settings.transport === 'quic' ? { kind: 'timeout' } : { kind: 'reset' });
    });
  }

  #disconnectTimeout(end: Endpoint): Micros {
    if (this.#settings.transport === 'tcp') return TCP_GIVE_UP;
    return end === 'bridge' ? seconds(this.#settings.disconnectTimeoutS) : BROKER_DISCONNECT_TIMEOUT;
  }
}

function newEnd(now: Micros): End {
  return {
    open: true,
    closedAt: 0,
    activeAt: now,
    sentSinceReceived: false,
    disconnectCheckPending: false,
  };
}

export function other(end: Endpoint): Endpoint {
  return end === 'bridge' ? 'broker' : 'bridge';
}
