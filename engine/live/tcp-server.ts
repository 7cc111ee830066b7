/** The listening end over TCP or TLS. */

import { appendFileSync } from 'node:fs';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Address } from './address.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { ServerTls } from './tls-options.ts';
import type { TransportUser } from './transport.ts';

export interface TcpServerOptions {
  /** Null: plain TCP. */
  readonly tls: ServerTls | null;
  /** Connections at a time; further ones are closed at once. */
  readonly connectionsMax: number;
  /** TLS: from the SYN to the end of the handshake. */
  readonly handshakeMs: number;
  readonly accepts: (client: Address) => boolean;
  /** A new connection; `established` of the returned user follows. */
  readonly connection: (connection: TcpConnection, client: Address) => TransportUser;
  readonly crashed: (error: unknown) => void;
}

/** Connections that wait to be accepted by the process. */
const BACKLOG = 1_024;

export class TcpServer {
  readonly #options: TcpServerOptions;
  readonly #connections = new Set<TcpConnection>();
  /** All sockets, those in the TLS handshake too. */
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #paused = false;

  constructor(options: TcpServerOptions) {
    this.#options = options;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** @param address port 0: any. @returns the address in use; rejects with the system's error. */
  listen({ host, port }: Address): Promise<Address> {
    const server = this.#createServer();
    server.on('connection', (socket: Socket) => this.#track(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: BACKLOG, exclusive: true }, () => {
        server.off('error', reject);
        // An error of accept() (no file handle left): the client will try again.
        server.on('error', () => {});
        this.#server = server;
        const bound = server.address() as { address: string; port: number };
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  #createServer(): Server {
    const { tls, handshakeMs } = this.#options;
    if (!tls) return createTcpServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    const server = createTlsServer(
      {
        key: tls.privateKeyPem,
        cert: tls.certificatePem,
        handshakeTimeout: handshakeMs,
        ALPNProtocols: ['mqtt'],
        ...(tls.clientCaPem === null ? {} : { ca: tls.clientCaPem, requestCert: true, rejectUnauthorized: true }),
      },
      (socket) => this.#accept(socket),
    );
    const { keylogFile } = tls;
    if (keylogFile !== null) server.on('keylog', (line) => appendFileSync(keylogFile, line, { mode: 0o600 }));
    // Not at once: the alert that tells the client why has yet to leave.
    server.on('tlsClientError', (_error, socket) => setImmediate(() => socket.destroy()));
    return server;
  }

  #track(socket: Socket): void {
    // A client that goes away before it was accepted must not end the process.
    socket.on('error', () => {});
    if (this.#sockets.size >= this.#options.connectionsMax) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #accept(socket: Socket): void {
    const client = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    if (socket.destroyed || !this.#options.accepts(client)) {
      socket.destroy();
      return;
    }
    let user: TransportUser | null = null;
    const connection = new TcpConnection(
      socket,
      {
        established: () => user?.established(),
        data: (stream, bytes) => user?.data(stream, bytes),
        finished: (stream) => user?.finished(stream),
        streamAborted: (stream) => user?.streamAborted(stream),
        closed: (cause, failure) => user?.closed(cause, failure),
      },
      this.#options.crashed,
    );
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
    user = this.#options.connection(connection, client);
    connection.establish();
    if (this.#paused) connection.pause();
  }

  pause(): void {
    this.#paused = true;
    for (const connection of this.#connections) connection.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const connection of this.#connections) connection.resume();
  }

  /** As if the process had been killed: no connection gets a word, the port is free. */
  abort(): void {
    for (const connection of this.#connections) connection.abort();
    this.close();
  }

  /** No new connections; the old ones are left to their end. */
  closePort(): void {
    this.#server?.close();
    this.#server = null;
  }

  /** Closes everything at once. Can listen again. */
  close(): void {
    this.closePort();
    for (const connection of this.#connections) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
    this.#connections.clear();
  }
}
