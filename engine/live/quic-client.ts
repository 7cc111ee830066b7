/** The dialling end: one UDP socket for one connection, as msquic has it. */

import { randomBytes } from 'node:crypto';
import type { StreamIndex } from '../types.ts';
import { QuicConnection, type QuicConnectionUser } from './quic-connection.ts';
import type { Quiche } from './quic-library.ts';
import { CONNECTION_ID_BYTES, type NativeConfig, type QuicTimeouts } from './quic-settings.ts';
import type { OnTaken } from './stream-writer.ts';
import { type DatagramLink, LOOPBACK, UdpPort } from './udp-port.ts';

/** Must be in the certificate as a DNS name: BoringSSL does not look at IP addresses here. */
const SERVER_NAME = 'localhost';

export interface QuicClientOptions {
  readonly quiche: Quiche;
  readonly config: NativeConfig;
  readonly timeouts: QuicTimeouts;
  readonly link: DatagramLink;
  /** UDP port on 127.0.0.1. */
  readonly serverPort: number;
  /** The socket is open; called before anything is sent. */
  readonly onOpen?: (localPort: number) => void;
  readonly user: QuicConnectionUser;
  /** A callback threw, or the system has no socket left. */
  readonly crashed: (error: unknown) => void;
}

export class QuicClient {
  readonly #options: QuicClientOptions;
  readonly #port: UdpPort;
  #connection: QuicConnection | null = null;
  #closed = false;

  /** Dials at once; the outcome comes as `established` or `closed`. */
  constructor(options: QuicClientOptions) {
    this.#options = options;
    this.#port = new UdpPort(options.link, {
      received: (datagram, fromPort) => this.#connection?.receive(datagram, fromPort, this.#port.number),
      failed: (error) => this.#onSocketError(error),
    });
    this.#open().catch((error: unknown) => {
      // Closing the socket half-way through is not a failure.
      if (!this.#closed) options.crashed(error);
    });
  }

  get isOpen(): boolean {
    return !this.#closed && (this.#connection?.isOpen ?? true);
  }

  /** The socket is closed. */
  get isDestroyed(): boolean {
    return this.#closed;
  }

  async #open(): Promise<void> {
    const { quiche, config, timeouts, serverPort, user, onOpen, crashed } = this.#options;
    const localPort = await this.#port.bind(0);
    if (this.#closed) return;
    await this.#port.connect(serverPort);
    if (this.#closed) return;
    onOpen?.(localPort);
    const native = quiche.Connection.connect(
      SERVER_NAME,
      randomBytes(CONNECTION_ID_BYTES),
      { host: LOOPBACK, port: localPort },
      { host: LOOPBACK, port: serverPort },
      config,
    );
    this.#connection = new QuicConnection(quiche, native, timeouts, user, {
      send: (datagram) => this.#port.send(datagram, serverPort),
      over: () => this.destroy(),
      crashed,
    });
  }

  /** The kernel tells of an ICMP "port unreachable" on a connected socket. Everything else is a lost datagram. */
  #onSocketError(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNREFUSED') this.#connection?.unreachable();
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

  /** Ends the connection, or the dial. `closed` is not called. */
  close(code: number): void {
    if (this.#connection) this.#connection.close(code);
    else this.destroy();
  }

  /** Closes the socket at once. */
  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection?.destroy();
    this.#port.close();
  }
}
