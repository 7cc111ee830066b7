/** The dialling end: one UDP socket for one connection, as msquic has it. */

import { randomBytes } from 'node:crypto';
import type { StreamIndex } from '../types.ts';
import { type Address, isLoopback, LOOPBACK, resolveHost } from './address.ts';
import { LiveError } from './errors.ts';
import { type NativeConnection, QuicConnection } from './quic-connection.ts';
import type { Quiche } from './quic-library.ts';
import { CONNECTION_ID_BYTES, type NativeConfig, type QuicTimeouts } from './quic-settings.ts';
import type { OnTaken } from './stream-writer.ts';
import { type ClientTls, serverNameFor } from './tls-options.ts';
import type { ClientTransport, TransportStats, TransportUser } from './transport.ts';
import { UdpPort } from './udp-port.ts';

export interface QuicClientOptions {
  readonly quiche: Quiche;
  /** Of `clientConfig` with the same `tls`. */
  readonly config: NativeConfig;
  readonly tls: ClientTls;
  readonly timeouts: QuicTimeouts;
  readonly server: Address;
  /** The socket is open; called before anything is sent. */
  readonly onOpen?: (localPort: number) => void;
  readonly user: TransportUser;
  /** A callback threw, or the system has no socket left. */
  readonly crashed: (error: unknown) => void;
}

/** RFC 9002 §6.2.2 */
const PROBE_ROUND_TRIPS = 3;
const REPEAT_MS_MIN = 1;
const REPEAT_MS_MAX = 3_600_000;

export class QuicClient implements ClientTransport {
  readonly #options: QuicClientOptions;
  #port: UdpPort | null = null;
  #connection: QuicConnection | null = null;
  #closed = false;
  #repeater: NodeJS.Timeout | null = null;

  /** Dials at once; the outcome comes as `established` or `closed`. */
  constructor(options: QuicClientOptions) {
    this.#options = options;
    this.#open().catch((error: unknown) => this.#onOpenFailed(error));
  }

  get isOpen(): boolean {
    return !this.#closed && (this.#connection?.isOpen ?? true);
  }

  get isDestroyed(): boolean {
    return this.#closed;
  }

  async #open(): Promise<void> {
    const { quiche, config, tls, timeouts, server, user, onOpen, crashed } = this.#options;
    const peer = await resolveHost(server);
    if (this.#closed) return;
    const port = new UdpPort(peer.host, {
      received: (datagram, from) => this.#connection?.receive(datagram, from, local),
      failed: (error) => this.#onSocketError(error),
    });
    this.#port = port;
    const any = peer.host.includes(':') ? '::' : '0.0.0.0';
    let local = await port.bind({ host: isLoopback(peer.host) && any === '0.0.0.0' ? LOOPBACK : any, port: 0 });
    if (this.#closed) return;
    local = await port.connect(peer);
    if (this.#closed) return;
    onOpen?.(local.port);
    const name = serverNameFor(tls, server.host);
    const connect = (): NativeConnection => {
      const id = randomBytes(CONNECTION_ID_BYTES);
      const native = quiche.Connection.connect(name, id, { ...local }, { ...peer }, config);
      if (tls.keylogFile !== null) native.setKeylog(tls.keylogFile);
      return native;
    };
    this.#connection = new QuicConnection(quiche, connect(), timeouts, user, {
      send: (datagram) => port.send(datagram, peer),
      over: () => this.destroy(),
      crashed,
    });
    if (timeouts.initialRttMs !== undefined) this.#repeat(connect, PROBE_ROUND_TRIPS * timeouts.initialRttMs);
  }

  #repeat(connect: () => NativeConnection, afterMs: number): void {
    const sleepMs = Math.min(Math.max(afterMs, REPEAT_MS_MIN), REPEAT_MS_MAX);
    this.#repeater = setTimeout(() => {
      if (this.#connection?.beginAgain(connect)) this.#repeat(connect, 2 * sleepMs);
    }, sleepMs);
  }

  #onOpenFailed(error: unknown): void {
    // Closing the socket half-way through is not a failure.
    if (this.#closed) return;
    if (error instanceof LiveError) {
      this.destroy();
      this.#options.user.closed({ kind: 'unreachable' }, { reason: 'unreachable', detail: error.message });
      return;
    }
    this.#options.crashed(error);
  }

  /** The kernel tells of an ICMP "port unreachable" on a connected socket. Everything else is a lost datagram. */
  #onSocketError(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNREFUSED') this.unreachable();
  }

  unreachable(): void {
    this.#connection?.unreachable();
  }

  write(stream: StreamIndex, bytes: Uint8Array, onTaken: OnTaken): void {
    this.#connection?.write(stream, bytes, onTaken);
  }

  finish(stream: StreamIndex): void {
    this.#connection?.finish(stream);
  }

  resetStream(stream: StreamIndex): void {
    this.#connection?.resetStream(stream);
  }

  stats(): TransportStats | null {
    return this.#connection?.stats() ?? null;
  }

  owesAnswer(forMs: number): boolean {
    return this.#connection?.owesAnswer(forMs) ?? false;
  }

  /** Ends the connection, or the dial. `closed` is not called. */
  close(code: number): void {
    if (this.#connection) this.#connection.close(code);
    else this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#repeater) clearTimeout(this.#repeater);
    this.#connection?.destroy();
    this.#port?.close();
  }
}
