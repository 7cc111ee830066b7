/** One TCP or TLS connection behind the interface of all transports: one stream, number 0. */

import type { Socket } from 'node:net';
import type { CloseCause, StreamIndex } from '../types.ts';
import { PENDING_BYTES_MAX } from './quic-settings.ts';
import type { OnTaken } from './stream-writer.ts';
import {
  causeOf,
  type Failure,
  socketFailure,
  type TransportConnection,
  type TransportStats,
  type TransportUser,
} from './transport.ts';

/** nng code of a write that found no room: as if the connection had been aborted. */
const NO_ROOM = 18;
/** After our FIN the peer has this long for its own. */
const LINGER_MS = 5_000;
const FINISHED: Failure = { reason: 'peer-finished', detail: '' };

export class TcpConnection implements TransportConnection {
  readonly #socket: Socket;
  readonly #user: TransportUser;
  readonly #crashed: (error: unknown) => void;
  #state: 'open' | 'ended' = 'open';
  #established = false;
  #finished = false;
  #linger: NodeJS.Timeout | null = null;
  #error: NodeJS.ErrnoException | null = null;

  /** @param socket made with `allowHalfOpen` */
  constructor(socket: Socket, user: TransportUser, crashed: (error: unknown) => void) {
    this.#socket = socket;
    this.#user = user;
    this.#crashed = crashed;
    // MQTT packets are small and wait for answers (Nagle's algorithm would add a delayed acknowledgement to each).
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#guard(() => this.#user.data(0, bytes)));
    socket.on('end', () => this.#guard(() => this.#onFinished()));
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => this.#onClose());
  }

  /** After an error, such as an alert of TLS, the end of the stream is only its consequence. */
  #onFinished(): void {
    if (this.#error) this.#socket.destroy();
    else this.#user.finished(0);
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isEstablished(): boolean {
    return this.#established;
  }

  /** The handshake, TLS included, is done. */
  establish(): void {
    if (this.#state !== 'open') return;
    this.#established = true;
    this.#guard(() => this.#user.established());
  }

  #guard(run: () => void): void {
    if (this.#state !== 'open') return;
    try {
      run();
    } catch (error) {
      this.#crashed(error);
    }
  }

  write(_stream: StreamIndex, bytes: Uint8Array, onTaken: OnTaken): void {
    if (this.#state !== 'open') return;
    if (this.#finished || this.#socket.writableLength + bytes.length > PENDING_BYTES_MAX) {
      setImmediate(() => this.#guard(() => onTaken(NO_ROOM)));
      return;
    }
    this.#socket.write(bytes, (error) => {
      if (!error) this.#guard(() => onTaken(0));
    });
  }

  finish(_stream: StreamIndex): void {
    if (this.#state !== 'open' || this.#finished) return;
    this.#finished = true;
    this.#socket.end();
    this.#linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }

  /** What was written still leaves, then FIN; a peer that does not answer it is left after {@link LINGER_MS}. */
  close(_code: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#socket.resume();
    this.#socket.end(() => this.#socket.destroySoon());
    this.#linger ??= setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }

  /** Ends it because of what this side found out; `closed` follows at once. */
  fail(failure: Failure, cause: CloseCause = causeOf(failure, this.#established)): void {
    this.#guard(() => {
      this.#state = 'ended';
      this.#socket.destroy();
      this.#user.closed(cause, failure);
    });
  }

  destroy(): void {
    this.#state = 'ended';
    if (this.#linger) clearTimeout(this.#linger);
    this.#socket.destroy();
  }

  /** As if the process had died: unsent data is gone, the peer gets a RST. */
  abort(): void {
    this.#state = 'ended';
    if (this.#linger) clearTimeout(this.#linger);
    this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  stats(): TransportStats | null {
    const { bytesWritten, bytesRead } = this.#socket;
    return {
      rttMs: null,
      cwndBytes: null,
      sent: null,
      received: null,
      lost: null,
      retransmitted: null,
      sentBytes: bytesWritten,
      receivedBytes: bytesRead,
    };
  }

  #onClose(): void {
    if (this.#linger) clearTimeout(this.#linger);
    const failure = this.#error ? socketFailure(this.#error) : FINISHED;
    this.fail(failure);
  }
}
