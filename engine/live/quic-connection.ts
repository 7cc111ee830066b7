/** One QUIC connection over quiche: streams, timers, close. The endpoint that owns it moves the datagrams. */

import { performance } from 'node:perf_hooks';
import type { native } from '@matrixai/quic';
import type { CloseCause, StreamIndex } from '../types.ts';
import type { Address } from './address.ts';
import { ConnectionDeadlines } from './connection-deadlines.ts';
import type { Quiche } from './quic-library.ts';
import { DATAGRAM_BYTES, PENDING_BYTES_MAX, type QuicTimeouts } from './quic-settings.ts';
import { StreamNumbers } from './stream-numbers.ts';
import { type OnTaken, StreamWriter } from './stream-writer.ts';
import {
  type Failure,
  type FailureReason,
  quicFailure,
  type TransportConnection,
  type TransportStats,
  type TransportUser,
} from './transport.ts';

export type NativeConnection = native.Connection;

export interface QuicConnectionOwner {
  /** The buffer is not touched again. */
  send(datagram: Buffer, to: Address): void;
  /** Nothing will be sent any more; the connection can be forgotten. */
  over(): void;
  /** A callback of the user threw. */
  crashed(error: unknown): void;
}

/** nng code of a write whose stream was aborted. */
const STREAM_CANCELLED = 20;
/** nng code of a write that found no room: as if the connection had been aborted. */
const NO_ROOM = 18;
/** Application code of a stream that we abort. */
const STREAM_ABORT_CODE = 0;
const READ_CHUNK_BYTES = 65_536;
/** Work of one turn; what is left comes in the next one, so that timers and the other end get theirs. */
const READS_PER_TURN_MAX = 256;
const DATAGRAMS_PER_TURN_MAX = 256;
/** Longest wait for a closed connection to drain (3 probe timeouts, tens of ms on loopback). */
const DRAIN_MS_MAX = 1_000;
/** What the socket of a stopped process holds at most. */
const PAUSED_DATAGRAMS_MAX = 3_000;
/** quiche's timers have millisecond resolution; waking up early would find nothing to do. */
const TIMER_SLACK_MS = 1;
/** `setTimeout` overflows at 2^31 ms; waking up early only sets the timer again. */
const LONGEST_SLEEP_MS = 60_000;
/** max_ack_delay of the peer (RFC 9000 §18.2) and some more: what has not come by then beyond a round trip was not owed. */
const LATE_ANSWER_MS = 30;

const GIVEN_UP_BECAUSE: Readonly<Record<string, FailureReason>> = {
  'handshake-timeout': 'handshake-timeout',
  idle: 'idle-timeout',
};

/** Read and send scratch space. One thread, and nothing keeps it across calls. */
const scratch = Buffer.alloc(READ_CHUNK_BYTES);

export class QuicConnection implements TransportConnection {
  readonly #quiche: Quiche;
  #native: NativeConnection;
  readonly #deadlines: ConnectionDeadlines;
  readonly #user: TransportUser;
  readonly #owner: QuicConnectionOwner;
  readonly #numbers = new StreamNumbers();
  readonly #writers = new Map<number, StreamWriter>();
  /** What is sent next asks for an acknowledgement. */
  #elicitsAnswer = true;
  /** A datagram of the peer came since the last turn. */
  #answered = false;
  #established = false;
  /** The peer has sent something that is of this connection. */
  #heard = false;
  /** Who repeats the first try: quiche, or the owner by {@link beginAgain}. */
  readonly #repeatsItself: boolean;
  /** `ended`: the user knows or closed it itself; `over`: forgotten. */
  #state: 'open' | 'ended' | 'over' = 'open';
  #endedAtMs = 0;
  #turn: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #nativeDueAtMs = Infinity;
  #versionRefused = false;
  #paused = false;
  readonly #waiting: { readonly datagram: Buffer; readonly from: Address; readonly to: Address }[] = [];

  constructor(
    quiche: Quiche,
    connection: NativeConnection,
    timeouts: QuicTimeouts,
    user: TransportUser,
    owner: QuicConnectionOwner,
  ) {
    this.#quiche = quiche;
    this.#native = connection;
    this.#repeatsItself = timeouts.initialRttMs === undefined;
    this.#deadlines = new ConnectionDeadlines(timeouts, performance.now());
    this.#user = user;
    this.#owner = owner;
    this.wake();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isEstablished(): boolean {
    return this.#established;
  }

  /** @returns false if the datagram is not one of this connection. */
  receive(datagram: Buffer, from: Address, to: Address): boolean {
    if (this.#state === 'over') return false;
    if (this.#paused) {
      if (this.#waiting.length < PAUSED_DATAGRAMS_MAX) this.#waiting.push({ datagram, from, to });
      return true;
    }
    let understood = true;
    try {
      this.#native.recv(datagram, { from, to });
      this.#heard = true;
      this.#deadlines.noteReceived(performance.now());
      this.#answered = true;
    } catch (error) {
      // Not decryptable, or a protocol error that quiche answers with a close of its own; the turn finds out.
      understood = false;
      // A Version Negotiation packet without a version of ours ends the dial (RFC 9000 §6.2); quiche leaves that to us.
      if (error instanceof Error && error.message === 'UnknownVersion') this.#versionRefused = true;
    }
    this.wake();
    return understood;
  }

  /**
   * The first try again, in a new handshake: quiche has its own first timeout and none of its settings changes that.
   * @returns false: not any more, the peer has been heard or it is over.
   */
  beginAgain(connection: () => NativeConnection): boolean {
    if (this.#heard || this.#state !== 'open') return false;
    this.#native = connection();
    this.#elicitsAnswer = true;
    this.wake();
    return true;
  }

  /** As if the process had been stopped (SIGSTOP): what arrives waits in the socket, no timer runs. */
  pause(): void {
    this.#paused = true;
    if (this.#turn) clearImmediate(this.#turn);
    if (this.#timer) clearTimeout(this.#timer);
    this.#turn = null;
    this.#timer = null;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    for (const { datagram, from, to } of this.#waiting.splice(0)) this.receive(datagram, from, to);
    this.wake();
  }

  stats(): TransportStats | null {
    if (this.#state === 'over') return null;
    const path = this.#native.pathStats().find(({ active }) => active);
    if (!path) return null;
    return {
      rttMs: path.rtt,
      cwndBytes: path.cwnd,
      sent: path.sent,
      received: path.recv,
      lost: path.lost,
      retransmitted: path.retrans,
      sentBytes: path.sentBytes,
      receivedBytes: path.recvBytes,
    };
  }

  /** Once a turn, and only if a writer waits for it: quiche makes its statistics anew for every call. */
  #noteAnswer(): void {
    if (!this.#answered) return;
    this.#answered = false;
    const now = performance.now();
    let roundTripMs: number | null = null;
    for (const writer of this.#writers.values()) {
      if (!writer.awaitsAnswer) continue;
      roundTripMs ??= this.#native.pathStats()[0]?.rtt ?? 0;
      writer.noteAnswer(now, roundTripMs);
    }
  }

  /**
   * Queues bytes; they leave in the next turn. `onTaken` is called in a later turn, or never if the connection ends first.
   */
  write(stream: StreamIndex, bytes: Uint8Array, onTaken: OnTaken): void {
    if (this.#state !== 'open') return;
    const writer = this.#writerOf(this.#numbers.idOf(stream));
    if (writer.finished || writer.pendingBytes + bytes.length > PENDING_BYTES_MAX) {
      setImmediate(() => this.#guard(() => this.isOpen && onTaken(NO_ROOM)));
      return;
    }
    writer.write(bytes, onTaken);
    this.wake();
  }

  /** FIN on our direction of the stream, after what was written. */
  finish(stream: StreamIndex): void {
    if (this.#state !== 'open') return;
    this.#writerOf(this.#numbers.idOf(stream)).finish();
    this.wake();
  }

  /** Client only: aborts both directions; the index means a new stream from here on. Unfinished writes end with 20. */
  resetStream(stream: StreamIndex): void {
    if (this.#state !== 'open') return;
    const id = this.#numbers.idOf(stream);
    this.#shutStream(id);
    this.#numbers.reopen(stream);
    this.#failWrites(id);
    this.wake();
  }

  /** Ends the connection with an application code at once. Unsent data is dropped, as msquic does. */
  close(code: number): void {
    if (this.#state !== 'open') return;
    this.#end();
    try {
      this.#native.close(true, code, new Uint8Array(0));
    } catch {
      // It was closed already.
    }
    this.#transmit();
    this.wake();
  }

  limitIdle(idleMs: number): void {
    this.#deadlines.limitIdle(idleMs);
    this.wake();
  }

  owesAnswer(forMs: number): boolean {
    const since = this.#deadlines.unansweredSinceMs;
    return since !== null && performance.now() - since > forMs;
  }

  /** The first datagram was not to be accepted: its alert leaves, such as the one for ALPN, if quiche made one. */
  refuse(): void {
    const alert = this.#native.localError() ? this.#sendOne() : null;
    if (alert) this.#owner.send(alert.datagram, alert.to);
    this.destroy();
  }

  /** Forgets everything without a word to the peer. */
  destroy(): void {
    this.#state = 'over';
    if (this.#turn) clearImmediate(this.#turn);
    if (this.#timer) clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#writers.clear();
  }

  /** One turn for any number of datagrams and writes of the same burst. */
  wake(): void {
    if (this.#turn || this.#paused || this.#state === 'over') return;
    this.#turn = setImmediate(() => {
      this.#turn = null;
      this.#guard(() => this.#runTurn());
    });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#owner.crashed(error);
    }
  }

  #runTurn(): void {
    if (this.#state === 'open' && !this.#established && this.#native.isEstablished()) {
      this.#established = true;
      this.#deadlines.noteEstablished();
      this.#user.established();
    }
    this.#noteAnswer();
    if (this.#state === 'open') this.#read();
    if (this.#state === 'open') this.#flush();
    this.#transmit();
    if (this.#state === 'open') this.#completeWrites();
    if (this.#state === 'open') this.#checkEnd();
    if (this.#state === 'ended' && this.#isDrained()) this.#forget();
    if (this.#state !== 'over') this.#armTimer();
  }

  #read(): void {
    let reads = 0;
    for (const id of this.#native.readable()) {
      while (this.#state === 'open') {
        if (++reads > READS_PER_TURN_MAX) {
          this.wake();
          return;
        }
        if (!this.#readOnce(id)) break;
      }
    }
  }

  /** @returns whether there may be more on this stream. */
  #readOnce(id: number): boolean {
    let result: [number, boolean] | null;
    try {
      result = this.#native.streamRecv(id, scratch);
    } catch {
      this.#onStreamAborted(id);
      return false;
    }
    if (!result) return false;
    const [length, fin] = result;
    const stream = this.#numbers.indexOf(id);
    if (stream === null) return !fin;
    if (length > 0) this.#user.data(stream, Buffer.from(scratch.subarray(0, length)));
    if (fin) this.#user.finished(stream);
    return !fin;
  }

  #onStreamAborted(id: number): void {
    this.#shutStream(id);
    this.#failWrites(id);
    const stream = this.#numbers.indexOf(id);
    if (stream !== null) this.#user.streamAborted(stream);
  }

  #writerOf(id: number): StreamWriter {
    let writer = this.#writers.get(id);
    if (!writer) {
      writer = new StreamWriter();
      this.#writers.set(id, writer);
    }
    return writer;
  }

  #shutStream(id: number): void {
    const { Read, Write } = this.#quiche.Shutdown;
    for (const direction of [Read, Write]) {
      try {
        this.#native.streamShutdown(id, direction, STREAM_ABORT_CODE);
      } catch {
        // Never used, or finished already.
      }
    }
    this.#elicitsAnswer = true;
  }

  #failWrites(id: number): void {
    const writer = this.#writers.get(id);
    this.#writers.delete(id);
    for (const onTaken of writer?.abort() ?? []) onTaken(STREAM_CANCELLED);
  }

  #flush(): void {
    const now = performance.now();
    for (const [id, writer] of this.#writers) {
      try {
        writer.flush((bytes, fin) => this.#take(id, bytes, fin), now);
      } catch {
        // The peer stopped it, or it is gone.
        this.#onStreamAborted(id);
        if (this.#state !== 'open') return;
      }
    }
  }

  #take(id: number, bytes: Uint8Array, fin: boolean): number {
    let taken: number | null;
    try {
      taken = this.#native.streamSend(id, bytes, fin);
    } catch (error) {
      // The peer will allow more streams when old ones are done.
      if (error instanceof Error && error.message === 'StreamLimit') return 0;
      throw error;
    }
    if (taken !== null) this.#elicitsAnswer = true;
    return taken ?? 0;
  }

  #transmit(): void {
    for (let count = 0; count < DATAGRAMS_PER_TURN_MAX; count++) {
      const sent = this.#sendOne();
      if (sent === null) {
        this.#elicitsAnswer = false;
        return;
      }
      this.#owner.send(sent.datagram, sent.to);
      this.#deadlines.noteSent(performance.now(), this.#elicitsAnswer);
    }
    this.wake();
  }

  #sendOne(): { readonly datagram: Buffer; readonly to: Address } | null {
    // The socket keeps it until it has left. Nothing of it is read that quiche did not write.
    const datagram = Buffer.allocUnsafe(DATAGRAM_BYTES);
    try {
      const sent = this.#native.send(datagram);
      return sent && { datagram: datagram.subarray(0, sent[0]), to: sent[1].to };
    } catch {
      return null; // It is closed; checkEnd tells why.
    }
  }

  #completeWrites(): void {
    for (const writer of this.#writers.values()) {
      for (const onTaken of writer.takeCompleted()) {
        onTaken(0);
        if (this.#state !== 'open') return;
      }
    }
  }

  #checkEnd(): void {
    const end = this.#endOf();
    if (!end) return;
    this.#end();
    this.#user.closed(...end);
  }

  #endOf(): [CloseCause, Failure] | null {
    const peer = this.#native.peerError();
    if (peer) {
      const detail = reasonText(peer);
      if (!peer.isApp) return [{ kind: 'reset' }, quicFailure(peer.errorCode, detail)];
      return [
        { kind: 'peer', code: peer.errorCode },
        { reason: 'application-closed', detail },
      ];
    }
    if (this.#versionRefused && !this.#established) {
      return [{ kind: 'local' }, { reason: 'version-unsupported', detail: '' }];
    }
    if (this.#native.isTimedOut()) {
      const kind = this.#established ? 'idle' : 'handshake-timeout';
      return [{ kind }, { reason: this.#established ? 'idle-timeout' : 'handshake-timeout', detail: '' }];
    }
    // A protocol or TLS error that we found.
    const local = this.#native.localError();
    if (local) return [{ kind: 'local' }, quicFailure(local.errorCode, reasonText(local))];
    if (!this.#native.isClosed() && !this.#native.isDraining()) return null;
    return [{ kind: 'reset' }, { reason: 'reset', detail: '' }];
  }

  #end(): void {
    this.#state = 'ended';
    this.#endedAtMs = performance.now();
    this.#writers.clear();
  }

  #isDrained(): boolean {
    return this.#native.isClosed() || performance.now() - this.#endedAtMs >= DRAIN_MS_MAX;
  }

  #forget(): void {
    this.destroy();
    this.#owner.over();
  }

  /** Server only: its place in the handshake goes to another. Nobody is told. */
  abandon(): void {
    this.#forget();
  }

  #armTimer(): void {
    if (this.#timer) clearTimeout(this.#timer);
    const now = performance.now();
    const nativeMs = this.#heard || this.#repeatsItself ? this.#native.timeout() : null;
    this.#nativeDueAtMs = nativeMs === null ? Infinity : now + nativeMs;
    const ownDueAtMs = this.#state === 'open' ? this.#deadlines.next() : this.#endedAtMs + DRAIN_MS_MAX;
    const dueAtMs = Math.min(this.#nativeDueAtMs, ownDueAtMs, this.#allAnsweredAtMs());
    if (dueAtMs === Infinity) return;
    const sleepMs = Math.min(Math.max(0, dueAtMs - now), LONGEST_SLEEP_MS) + TIMER_SLACK_MS;
    this.#timer = setTimeout(() => this.#guard(() => this.#onTimer()), sleepMs);
  }

  /**
   * When silence of the peer means that it has acknowledged everything: else the library would send a probe, which it would answer.
   * The guess by round trips (`noteAnswer`) can take the last acknowledgement for an earlier one.
   */
  #allAnsweredAtMs(): number {
    if (this.#state !== 'open' || this.#deadlines.unansweredSinceMs !== null) return Infinity;
    if (![...this.#writers.values()].some((writer) => writer.isWaiting)) return Infinity;
    const roundTripMs = this.#native.pathStats()[0]?.rtt ?? 0;
    return this.#deadlines.receivedAtMs + roundTripMs + LATE_ANSWER_MS;
  }

  #onTimer(): void {
    this.#timer = null;
    const now = performance.now();
    if (this.#allAnsweredAtMs() <= now) for (const writer of this.#writers.values()) writer.noteAllAnswered();
    if (this.#state === 'open') {
      const cause = this.#deadlines.expired(now);
      if (cause) {
        this.#giveUp(cause, { reason: GIVEN_UP_BECAUSE[cause.kind] ?? 'no-answer', detail: '' });
        return;
      }
      if (this.#deadlines.wantsPing(now)) this.#ping(now);
    }
    if (this.#nativeDueAtMs <= now) {
      this.#native.onTimeout();
      // It may be a probe.
      this.#elicitsAnswer = true;
    }
    this.#runTurn();
  }

  #ping(nowMs: number): void {
    this.#native.sendAckEliciting();
    this.#elicitsAnswer = true;
    // Counts as sent, so that a full congestion window does not make it spin.
    this.#deadlines.noteSent(nowMs, true);
  }

  /** The peer does not answer: no close frame would reach it. */
  #giveUp(cause: CloseCause, failure: Failure): void {
    this.#end();
    this.#user.closed(cause, failure);
    this.#forget();
  }

  /** As if the path had told that nobody is there. */
  unreachable(): void {
    if (this.#state === 'open' && !this.#established)
      this.#giveUp({ kind: 'unreachable' }, { reason: 'refused', detail: '' });
  }
}

function reasonText({ reason }: { readonly reason: Uint8Array }): string {
  return Buffer.from(reason).toString('utf8');
}
