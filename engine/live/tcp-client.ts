/** The dialling end over TCP or TLS. */

import { appendFileSync } from 'node:fs';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { StreamIndex } from '../types.ts';
import type { Address } from './address.ts';
import type { OnTaken } from './stream-writer.ts';
import { TcpConnection } from './tcp-connection.ts';
import { authorities, type ClientTls } from './tls-options.ts';
import type { ClientTransport, TransportStats, TransportUser } from './transport.ts';

export interface TcpClientOptions {
  readonly server: Address;
  /** Null: plain TCP. */
  readonly tls: ClientTls | null;
  /** From the SYN to the end of the last handshake. */
  readonly handshakeMs: number;
  /** The socket is connected; called before `established`. */
  readonly onOpen?: (localPort: number) => void;
  /** Settles when what stands behind the peer is there: a proxy accepts before it has dialled. Rejects: refused. */
  readonly reached?: (localPort: number) => Promise<void>;
  readonly user: TransportUser;
  readonly crashed: (error: unknown) => void;
}

const ALPN = ['mqtt'];

export class TcpClient implements ClientTransport {
  readonly #connection: TcpConnection;
  readonly #timer: NodeJS.Timeout;
  #destroyed = false;

  /** Dials at once; the outcome comes as `established` or `closed`. */
  constructor({ server, tls, handshakeMs, onOpen, reached, user, crashed }: TcpClientOptions) {
    const socket = tls ? dialTls(server, tls) : connectTcp({ ...server, allowHalfOpen: true });
    this.#connection = new TcpConnection(socket, user, crashed);
    this.#timer = setTimeout(() => this.#connection.fail({ reason: 'handshake-timeout', detail: '' }), handshakeMs);
    const opened = (): Promise<void> | undefined => {
      onOpen?.(socket.localPort ?? 0);
      return reached?.(socket.localPort ?? 0);
    };
    socket.once('connect', () => {
      const ready = opened();
      if (tls) ready?.catch(() => this.unreachable());
      else if (ready)
        ready.then(
          () => this.#establish(),
          () => this.unreachable(),
        );
      else this.#establish();
    });
    if (tls) socket.once('secureConnect', () => this.#onSecure(socket as TLSSocket));
    socket.once('close', () => {
      this.#destroyed = true;
      clearTimeout(this.#timer);
    });
  }

  #establish(): void {
    clearTimeout(this.#timer);
    this.#connection.establish();
  }

  /** A server that knows ALPN and has no `mqtt` refuses; one that does not know it says nothing, which is fine. */
  #onSecure({ alpnProtocol }: TLSSocket): void {
    if (alpnProtocol && alpnProtocol !== ALPN[0]) this.#connection.fail({ reason: 'alpn-refused', detail: '' });
    else this.#establish();
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get isDestroyed(): boolean {
    return this.#destroyed;
  }

  write(stream: StreamIndex, bytes: Uint8Array, onTaken: OnTaken): void {
    this.#connection.write(stream, bytes, onTaken);
  }

  finish(stream: StreamIndex): void {
    this.#connection.finish(stream);
  }

  /** There is one stream only; the machine resets none over TCP. */
  resetStream(_stream: StreamIndex): void {}

  stats(): TransportStats | null {
    return this.#connection.stats();
  }

  unreachable(): void {
    if (!this.#connection.isEstablished) this.#connection.fail({ reason: 'refused', detail: '' });
  }

  close(code: number): void {
    clearTimeout(this.#timer);
    if (this.#connection.isEstablished) this.#connection.close(code);
    else this.destroy();
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#connection.destroy();
  }
}

function dialTls(server: Address, tls: ClientTls): Socket {
  const name = tls.serverName ?? server.host;
  const socket = connectTls({
    ...server,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: tls.verify,
    ca: authorities(tls),
    ...(tls.certificatePem === null ? {} : { cert: tls.certificatePem }),
    ...(tls.privateKeyPem === null ? {} : { key: tls.privateKeyPem }),
    ALPNProtocols: ALPN,
  });
  const { keylogFile } = tls;
  if (keylogFile !== null) socket.on('keylog', (line: Buffer) => appendFileSync(keylogFile, line, { mode: 0o600 }));
  return socket;
}
