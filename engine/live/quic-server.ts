/** The listening end: one UDP socket for all connections, told apart by connection id. */

import { randomBytes } from 'node:crypto';
import { QuicConnection, type QuicConnectionUser } from './quic-connection.ts';
import type { Quiche } from './quic-library.ts';
import {
  CONNECTION_ID_BYTES,
  CONNECTIONS_MAX,
  INITIAL_DATAGRAM_BYTES_MIN,
  type NativeConfig,
  type QuicTimeouts,
} from './quic-settings.ts';
import { type DatagramLink, LOOPBACK, UdpPort } from './udp-port.ts';

export interface QuicServerOptions {
  readonly quiche: Quiche;
  readonly config: NativeConfig;
  readonly timeouts: QuicTimeouts;
  readonly link: DatagramLink;
  /** Whether a client that sends from this port may connect now. */
  readonly accepts: (clientPort: number) => boolean;
  /** A new connection, its handshake just done; `established` of the returned user follows. */
  readonly connection: (connection: QuicConnection, clientPort: number) => QuicConnectionUser;
  /** A callback threw. */
  readonly crashed: (error: unknown) => void;
}

export class QuicServer {
  readonly #options: QuicServerOptions;
  /** By connection id: the server's own and the one of the client's first datagram, which a late Initial still carries. */
  readonly #byId = new Map<string, QuicConnection>();
  readonly #connections = new Set<QuicConnection>();
  #port: UdpPort | null = null;
  #portNumber = 0;

  constructor(options: QuicServerOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** @param port 0: any. @returns the port; rejects with the system's error. */
  async listen(port: number): Promise<number> {
    const udp = new UdpPort(this.#options.link, {
      received: (datagram, fromPort) => this.#receive(datagram, fromPort),
      failed: () => {}, // A lost datagram.
    });
    this.#port = udp;
    try {
      this.#portNumber = await udp.bind(port);
    } catch (error) {
      udp.close();
      this.#port = null;
      throw error;
    }
    return this.#portNumber;
  }

  /** Closes the socket and forgets all connections without a word to the peers. Can listen again. */
  close(): void {
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
    this.#byId.clear();
    this.#port?.close();
    this.#port = null;
  }

  #receive(datagram: Buffer, fromPort: number): void {
    const header = parseHeader(this.#options.quiche, datagram);
    if (!header) return;
    const known = this.#byId.get(key(header.dcid));
    if (known) known.receive(datagram, fromPort, this.#portNumber);
    else if (this.#isAcceptable(header, datagram, fromPort)) this.#accept(header.dcid, datagram, fromPort);
  }

  #isAcceptable(header: Header, datagram: Buffer, fromPort: number): boolean {
    const { quiche, accepts } = this.#options;
    return (
      header.ty === quiche.Type.Initial &&
      datagram.length >= INITIAL_DATAGRAM_BYTES_MIN &&
      quiche.versionIsSupported(header.version) &&
      this.#connections.size < CONNECTIONS_MAX &&
      accepts(fromPort)
    );
  }

  #accept(firstId: Uint8Array, datagram: Buffer, fromPort: number): void {
    const { quiche, config, timeouts, crashed } = this.#options;
    const id = randomBytes(CONNECTION_ID_BYTES);
    const keys = [key(id), key(firstId)];
    const native = quiche.Connection.accept(id, null, here(this.#portNumber), here(fromPort), config);
    let user: QuicConnectionUser | null = null;
    const connection: QuicConnection = new QuicConnection(
      quiche,
      native,
      timeouts,
      {
        established: () => {
          user = this.#options.connection(connection, fromPort);
          user.established();
        },
        data: (stream, bytes) => user?.data(stream, bytes),
        finished: (stream) => user?.finished(stream),
        streamAborted: (stream) => user?.streamAborted(stream),
        closed: (cause) => user?.closed(cause),
      },
      {
        send: (reply) => this.#port?.send(reply, fromPort),
        over: () => this.#forget(connection, keys),
        crashed,
      },
    );
    // What quiche refuses at once leaves nothing behind; the rest ends with the handshake timeout.
    if (!connection.receive(datagram, fromPort, this.#portNumber)) {
      connection.destroy();
      return;
    }
    this.#connections.add(connection);
    for (const name of keys) this.#byId.set(name, connection);
  }

  #forget(connection: QuicConnection, keys: readonly string[]): void {
    this.#connections.delete(connection);
    for (const name of keys) this.#byId.delete(name);
  }
}

type Header = ReturnType<Quiche['Header']['fromSlice']>;

function parseHeader(quiche: Quiche, datagram: Buffer): Header | null {
  try {
    return quiche.Header.fromSlice(datagram, CONNECTION_ID_BYTES);
  } catch {
    return null;
  }
}

/** One character a byte. */
function key(id: Uint8Array): string {
  return Buffer.from(id).toString('latin1');
}

function here(port: number): { host: string; port: number } {
  return { host: LOOPBACK, port };
}
