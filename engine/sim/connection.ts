/** One transport connection between bridge and broker: two flows, closes, and the timers of either end. */

import { MILLISECOND, milliseconds, SECOND, seconds } from '../time.ts';
import type { CloseCause, Endpoint, Micros } from '../types.ts';
import { type Chunk, NO_STREAM } from './chunk.ts';
import type { EventQueue } from './event-queue.ts';
import { Flow } from './flow.ts';
import type { Link } from './link.ts';

const PING_BYTES = 1;
const CLOSE_BYTES = 60;
/** RFC 9000 §18.2, and msquic's own on the broker's side. */
const BROKER_MAX_ACK_DELAY: Micros = 25 * MILLISECOND;
/** msquic's default, which the broker leaves alone. */
const BROKER_DISCONNECT_TIMEOUT = 16 * SECOND;
/** Linux gives up a TCP connection after about this long without acknowledgement (tcp_retries2 = 15). */
const TCP_GIVE_UP = 924 * SECOND;
/** A FIN that comes this shortly after we closed is still reported. */
const LATE_FIN: Micros = 2 * MILLISECOND;
const TCP_CLOSE_RETRIES = 10;
/** RFC 9000 §10.2, and msquic's own: closing lasts three probe timeouts without an answer, draining two round trips. */
const CLOSING_PROBE_TIMEOUTS = 3;
const DRAINING_MIN: Micros = 15 * MILLISECOND;

export interface ConnectionSettings {
  readonly transport: 'quic' | 'tcp';
  readonly disconnectTimeoutS: number;
  /** Seconds without activity after which that end sends a PING; 0: never. */
  readonly keepaliveS: Readonly<Record<Endpoint, number>>;
  readonly idleTimeoutS: number; // 0: none; the smaller of the two ends'
  /** max_ack_delay of the bridge's end. */
  readonly maxAckDelayMs: number;
  /** Congestion window at the start, of either end. Absent: 10. */
  readonly initialWindowPackets?: number;
}

export interface ConnectionUser {
  now(): Micros;
  /** The broker's process stands still: `run` waits until it goes on, with `bytes` in its socket buffer. False: it runs. */
  brokerDefers(bytes: number, run: () => void): boolean;
  /** A proxy keeps it until the link holds nothing back any more. */
  hold(run: () => void): void;
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
  /** An end may be more impatient than the two agreed on. */
  ownIdleTimeout: Micros | null;
  /** Received, and no MQTT packet: headers, acknowledgements, PINGs, what came twice. */
  overheadBytes: number;
  /** QUIC: when the closing or draining state ends (RFC 9000 §10.2). */
  shutDownAt: Micros;
}

export class Connection {
  readonly id: number;
  readonly #settings: ConnectionSettings;
  readonly #user: ConnectionUser;
  readonly #queue: EventQueue;
  readonly #link: Link;
  readonly #ends: Record<Endpoint, End>;
  readonly #flows: Record<Endpoint, Flow>;
  /** TCP after the bridge's port changed. */
  #unmapped = false;

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
    this.#watchKeepalive('bridge');
    this.#watchKeepalive('broker');
  }

  isOpen(end: Endpoint): boolean {
    return this.#ends[end].open;
  }

  /** Over QUIC an end that was closed stays for a while, so that late packets find it. */
  isShuttingDown(end: Endpoint): boolean {
    return this.#user.now() < this.#ends[end].shutDownAt;
  }

  /** Bytes that `end` received besides MQTT packets since this was asked last. */
  takeOverhead(end: Endpoint): number {
    const { overheadBytes } = this.#ends[end];
    this.#ends[end].overheadBytes = 0;
    return overheadBytes;
  }

  /** The direction that `from` sends in. */
  flow(from: Endpoint): Flow {
    return this.#flows[from];
  }

  send(from: Endpoint, send: (flow: Flow) => void): void {
    if (!this.#ends[from].open) return;
    if (this.#unmapped && from === 'bridge') this.#resetSoon();
    this.#noteSend(from);
    send(this.#flows[from]);
    this.#watchAcks(from);
  }

  /** The end's process is gone: QUIC says nothing, the kernel ends a TCP connection. */
  vanish(end: Endpoint): void {
    if (!this.#shut(end)) return;
    if (this.#settings.transport === 'tcp') this.#tellPeer(end, 0, 0);
  }

  /**
   * The bridge's packets come from another port. QUIC takes the connection along (RFC 9000 §9); to the broker a TCP segment from
   * there belongs to no connection and is answered with a reset, and its own go nowhere.
   */
  rebind(): void {
    if (this.#settings.transport === 'tcp') this.#unmapped = true;
  }

  /** `end` closes the connection with an application code and forgets it; the peer hears of it if the datagram arrives. */
  close(end: Endpoint, code: number): void {
    if (!this.#shut(end)) return;
    if (this.#settings.transport === 'quic') {
      this.#ends[end].shutDownAt = this.#user.now() + CLOSING_PROBE_TIMEOUTS * this.#probeTimeout();
    }
    this.#tellPeer(end, code, 0);
  }

  /** RFC 9002 §6.2.1. */
  #probeTimeout(): Micros {
    return this.#link.roundTrip + BROKER_MAX_ACK_DELAY + MILLISECOND;
  }

  /** The peer heard of the close: it drains, and its own CONNECTION_CLOSE ends the closing state of the end that closed. */
  #answerClose(peer: Endpoint): void {
    const now = this.#user.now();
    const closed = this.#ends[other(peer)];
    if (this.#ends[peer].open) this.#ends[peer].shutDownAt = now + Math.max(DRAINING_MIN, 2 * this.#link.roundTrip);
    const travel = this.#link.travelTime(peer, CLOSE_BYTES, now);
    if (travel !== null) closed.shutDownAt = Math.min(closed.shutDownAt, now + travel);
  }

  #tellPeer(end: Endpoint, code: number, attempt: number): void {
    const peer = other(end);
    const { transport } = this.#settings;
    const arrive = (): void => {
      if (transport === 'quic') this.#answerClose(peer);
      this.#end(peer, transport === 'quic' ? { kind: 'peer', code } : { kind: 'peer-fin' });
    };
    if (transport === 'tcp' && this.#link.isHolding) {
      this.#user.hold(arrive);
      return;
    }
    const travel = this.#unmapped ? null : this.#link.travelTime(end, CLOSE_BYTES, this.#user.now());
    if (travel === null) {
      // A TCP FIN is sent again; QUIC's CONNECTION_CLOSE is not.
      if (transport === 'quic' || attempt >= TCP_CLOSE_RETRIES) return;
      this.#queue.add(this.#user.now() + (1 << attempt) * SECOND, () => this.#tellPeer(end, code, attempt + 1));
      return;
    }
    this.#queue.add(this.#user.now() + travel, () => this.#at(peer, CLOSE_BYTES, arrive));
  }

  #defers(end: Endpoint, bytes: number, run: () => void): boolean {
    return end === 'broker' && this.#user.brokerDefers(bytes, run);
  }

  #at(end: Endpoint, bytes: number, run: () => void): void {
    if (!this.#defers(end, bytes, run)) run();
  }

  #resetSoon(): void {
    this.#queue.add(this.#user.now() + this.#link.roundTrip, () => this.#end('bridge', { kind: 'reset' }));
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
        from,
        transport: this.#settings.transport,
        maxAckDelay: to === 'bridge' ? milliseconds(this.#settings.maxAckDelayMs) : BROKER_MAX_ACK_DELAY,
        initialWindowPackets: this.#settings.initialWindowPackets,
        now: () => this.#user.now(),
        receiverDefers: (bytes, run) => this.#defers(to, bytes, run),
        senderDefers: (bytes, run) => this.#defers(from, bytes, run),
        connects: () => !this.#unmapped,
        hold: (run) => this.#user.hold(run),
        onTransmit: () => this.#flows[to].acknowledge(),
        senderOpen: () => this.#ends[from].open,
        receiverOpen: () => this.#ends[to].open,
        onArrival: (overheadBytes) => this.#noteReceive(to, overheadBytes),
        onAck: (sentAt, bytes) => {
          this.#noteReceive(from, bytes);
          // The acknowledgement was a packet of the other direction.
          this.#flows[to].noteArrival(sentAt);
        },
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

  #noteReceive(end: Endpoint, overheadBytes: number): void {
    const state = this.#ends[end];
    state.overheadBytes += overheadBytes;
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

  /** QUIC: `end` gives up after so long without activity, if that is sooner than what was agreed at the handshake. */
  limitIdle(end: Endpoint, timeout: Micros): void {
    this.#ends[end].ownIdleTimeout = timeout;
    this.#watchIdle(end);
  }

  #idleTimeout(end: Endpoint): Micros | null {
    const { idleTimeoutS } = this.#settings;
    const own = this.#ends[end].ownIdleTimeout;
    if (idleTimeoutS === 0) return own;
    return own === null ? seconds(idleTimeoutS) : Math.min(own, seconds(idleTimeoutS));
  }

  #watchIdle(end: Endpoint): void {
    const timeout = this.#idleTimeout(end);
    if (this.#settings.transport === 'tcp' || timeout === null) return;
    const state = this.#ends[end];
    const look = (): void => {
      if (!state.open) return;
      const now = this.#idleTimeout(end) ?? timeout;
      if (state.activeAt + now > this.#user.now()) this.#watchIdle(end);
      else this.#end(end, { kind: 'idle' });
    };
    this.#queue.add(Math.max(state.activeAt + timeout, this.#user.now()), () => this.#at(end, 0, look));
  }

  /** QUIC PING frames after the end's keepalive without activity. */
  #watchKeepalive(end: Endpoint): void {
    const { transport, keepaliveS } = this.#settings;
    if (transport === 'tcp' || keepaliveS[end] === 0) return;
    const state = this.#ends[end];
    const due = state.activeAt + seconds(keepaliveS[end]);
    const look = (): void => {
      if (!state.open) return;
      const idleSince = state.activeAt + seconds(keepaliveS[end]) <= this.#user.now();
      if (idleSince && this.#flows[end].oldestSentAt() === null) {
        this.send(end, (flow) => flow.send(NO_STREAM, PING_BYTES, {}));
        state.activeAt = this.#user.now();
      }
      this.#rewatchKeepalive(end);
    };
    this.#queue.add(Math.max(due, this.#user.now() + MILLISECOND), () => this.#at(end, 0, look));
  }

  #rewatchKeepalive(end: Endpoint): void {
    const state = this.#ends[end];
    if (state.activeAt + seconds(this.#settings.keepaliveS[end]) > this.#user.now()) {
      this.#watchKeepalive(end);
      return;
    }
    // Something is outstanding; the disconnect timeout will speak. Look again in a second.
    this.#queue.add(this.#user.now() + SECOND, () => {
      if (state.open) this.#watchKeepalive(end);
    });
  }

  /** The path is dead when the oldest outstanding data has waited for the disconnect timeout. */
  #watchAcks(end: Endpoint): void {
    const state = this.#ends[end];
    if (state.disconnectCheckPending) return;
    const oldest = this.#flows[end].oldestSentAt();
    if (oldest === null) return;
    state.disconnectCheckPending = true;
    const look = (): void => {
      state.disconnectCheckPending = false;
      if (!state.open) return;
      const still = this.#flows[end].oldestSentAt();
      if (still === null || still + this.#disconnectTimeout(end) > this.#user.now()) this.#watchAcks(end);
      else this.#end(end, this.#settings.transport === 'quic' ? { kind: 'timeout' } : { kind: 'reset' });
    };
    this.#queue.add(Math.max(oldest + this.#disconnectTimeout(end), this.#user.now()), () => this.#at(end, 0, look));
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
    ownIdleTimeout: null,
    overheadBytes: 0,
    shutDownAt: 0,
  };
}

export function other(end: Endpoint): Endpoint {
  return end === 'bridge' ? 'broker' : 'bridge';
}
