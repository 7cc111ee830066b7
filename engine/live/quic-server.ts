/** The listening end: one UDP socket for all connections, told apart by connection id. */

import { randomBytes } from 'node:crypto';
import type { Address } from './address.ts';
import { QuicConnection } from './quic-connection.ts';
import type { Quiche } from './quic-library.ts';
import {
  CONNECTION_ID_BYTES,
  CONNECTIONS_MAX,
  INITIAL_DATAGRAM_BYTES_MIN,
  type NativeConfig,
  type QuicTimeouts,
} from './quic-settings.ts';
import type { TransportUser } from './transport.ts';
import { UdpPort } from './udp-port.ts';

/** RFC 8999 §5.1 */
const LONG_HEADER = 0x80;

export interface QuicServerOptions {
  readonly quiche: Quiche;
  readonly config: NativeConfig;
  readonly timeouts: QuicTimeouts;
  /** Secrets of all connections are appended to it; null: none are written. */
  readonly keylogFile?: string | null;
  /** Connections at a time. Default {@link CONNECTIONS_MAX}. */
  readonly connectionsMax?: number;
  /** Whether a client that sends from this address may connect now. */
  readonly accepts: (client: Address) => boolean;
  /** A new connection, its handshake just done; `established` of the returned user follows. */
  readonly connection: (connection: QuicConnection, client: Address) => TransportUser;
  /** A callback threw. */
  readonly crashed: (error: unknown) => void;
}

export class QuicServer {
  readonly #options: QuicServerOptions;
  /** By connection id: the server's own and the one of the client's first datagram, which a late Initial still carries. */
  readonly #byId = new Map<string, QuicConnection>();
  readonly #connections = new Set<QuicConnection>();
  #port: UdpPort | null = null;
  #local: Address = { host: '', port: 0 };
  #paused = false;

  constructor(options: QuicServerOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** @param address port 0: any. @returns the address in use; rejects with the system's error. */
  async listen(address: Address): Promise<Address> {
    const udp = new UdpPort(address.host, {
      received: (datagram, from) => this.#receive(datagram, from),
      failed: () => {}, // A lost datagram.
    });
    this.#port = udp;
    try {
      this.#local = await udp.bind(address);
    } catch (error) {
      udp.close();
      this.#port = null;
      throw error;
    }
    return this.#local;
  }

  /** As if the process had been stopped (SIGSTOP). New clients get no answer until {@link resume}. */
  pause(): void {
    this.#paused = true;
    for (const connection of this.#connections) connection.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const connection of this.#connections) connection.resume();
  }

  /** Closes the socket and forgets all connections without a word to the peers. Can listen again. */
  close(): void {
    for (const connection of this.#connections) connection.destroy();
    this.#connections.clear();
    this.#byId.clear();
    this.#port?.close();
    this.#port = null;
  }

  #receive(datagram: Buffer, from: Address): void {
    if (isShort(datagram)) {
      this.#byId.get(shortKey(datagram))?.receive(datagram, from, this.#local);
      return;
    }
    const header = parseHeader(this.#options.quiche, datagram);
    if (!header) return;
    const known = this.#byId.get(key(header.dcid));
    if (known) known.receive(datagram, from, this.#local);
    else if (this.#mayAnswer(header, datagram)) this.#welcome(header, datagram, from);
  }

  /** RFC 9000 §5.2.2, §6.1: only a full-size first datagram gets an answer, so that nobody is flooded by way of us. */
  #mayAnswer(header: Header, datagram: Buffer): boolean {
    if (this.#paused || datagram.length < INITIAL_DATAGRAM_BYTES_MIN) return false;
    return header.ty === this.#options.quiche.Type.Initial && header.version !== 0;
  }

  #welcome(header: Header, datagram: Buffer, from: Address): void {
    const { quiche, accepts, connectionsMax = CONNECTIONS_MAX } = this.#options;
    if (!quiche.versionIsSupported(header.version)) this.#offerVersions(header, from);
    else if (accepts(from) && this.#hasRoom(connectionsMax)) this.#accept(header.dcid, datagram, from);
  }

  /** A first datagram costs its sender nothing, so that handshakes nobody goes on with must not keep others out. */
  #hasRoom(connectionsMax: number): boolean {
    if (this.#connections.size < connectionsMax) return true;
    for (const connection of this.#connections) {
      if (connection.isEstablished || !connection.isOpen) continue;
      connection.abandon();
      return true;
    }
    return false;
  }

  #offerVersions(header: Header, from: Address): void {
    const packet = Buffer.alloc(INITIAL_DATAGRAM_BYTES_MIN);
    const length = this.#options.quiche.negotiateVersion(header.scid, header.dcid, packet);
    this.#port?.send(packet.subarray(0, length), from);
  }

  #accept(firstId: Uint8Array, datagram: Buffer, from: Address): void {
    const { quiche, config, timeouts, keylogFile, crashed } = this.#options;
    const id = randomBytes(CONNECTION_ID_BYTES);
    const keys = [key(id), key(firstId)];
    const native = quiche.Connection.accept(id, null, { ...this.#local }, { ...from }, config);
    if (keylogFile) native.setKeylog(keylogFile);
    let user: TransportUser | null = null;
    const connection: QuicConnection = new QuicConnection(
      quiche,
      native,
      timeouts,
      {
        established: () => {
          user = this.#options.connection(connection, from);
          user.established();
        },
        data: (stream, bytes) => user?.data(stream, bytes),
        finished: (stream) => user?.finished(stream),
        streamAborted: (stream) => user?.streamAborted(stream),
        closed: (cause, failure) => user?.closed(cause, failure),
      },
      {
        // A client behind a NAT can change its address meanwhile.
        send: (reply, to) => this.#port?.send(reply, to),
        over: () => this.#forget(connection, keys),
        crashed,
      },
    );
    // What quiche refuses at once is told why and leaves nothing behind; the rest ends with the handshake timeout.
    if (!connection.receive(datagram, from, this.#local)) {
      connection.refuse();
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

/** RFC 8999 §5.2: the connection id stands right behind the first byte; an established connection has such packets only. */
function isShort(datagram: Buffer): boolean {
  return datagram.length > 0 && (datagram[0]! & LONG_HEADER) === 0;
}

function shortKey(datagram: Buffer): string {
  return datagram.toString('latin1', 1, 1 + CONNECTION_ID_BYTES);
}

/** One character a byte. */
function key(id: Uint8Array): string {
  return Buffer.from(id).toString('latin1');
}
