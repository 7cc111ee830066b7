/** One UDP socket on 127.0.0.1 behind the link. A datagram that cannot be sent counts as lost. */

import { createSocket, type Socket } from 'node:dgram';

export const LOOPBACK = '127.0.0.1';
/** Bursts of a bridge overrun the default receive buffer (measured: 441 datagrams lost against 1). */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** What a datagram passes on its way out. */
export interface DatagramLink {
  readonly isDown: boolean;
  carry(deliver: () => void): void;
}

export interface UdpPortUser {
  /** The buffer belongs to the receiver, who may write into it. */
  received(datagram: Buffer, fromPort: number): void;
  /** The socket failed, e.g. `ECONNREFUSED` on a connected one. It stays open. */
  failed(error: NodeJS.ErrnoException): void;
}

export class UdpPort {
  readonly #socket: Socket;
  readonly #link: DatagramLink;
  readonly #user: UdpPortUser;
  #bound = false;
  #connected = false;
  #closed = false;

  constructor(link: DatagramLink, user: UdpPortUser) {
    this.#link = link;
    this.#user = user;
    // The address is always a literal: no look-up, so that sending is synchronous.
    this.#socket = createSocket({ type: 'udp4', lookup: (_host, _options, done) => done(null, LOOPBACK, 4) });
    this.#socket.on('message', (datagram, from) => {
      if (from.address === LOOPBACK && !link.isDown && !this.#closed) user.received(datagram, from.port);
    });
    this.#socket.on('error', (error) => {
      // Before it is bound, `bind` tells.
      if (this.#bound && !this.#closed) user.failed(error);
    });
  }

  /** Own port; only after {@link bind}. */
  get number(): number {
    return this.#socket.address().port;
  }

  /** @param port 0: any. @returns the port; rejects with the system's error, e.g. `EADDRINUSE`. */
  bind(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address: LOOPBACK, port, exclusive: true }, () => {
        this.#socket.off('error', reject);
        this.#bound = true;
        this.#socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
        resolve(this.number);
      });
    });
  }

  /** Talks to one port only from here on, and hears of it when nobody listens there. */
  connect(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the socket was closed meanwhile'));
      this.#socket.connect(port, LOOPBACK, (error?: Error) => {
        if (error) return reject(error);
        this.#connected = true;
        resolve();
      });
    });
  }

  /** The buffer must not be changed afterwards. */
  send(datagram: Buffer, toPort: number): void {
    this.#link.carry(() => {
      if (this.#closed) return;
      const onSent = (error: Error | null): void => {
        if (error && !this.#closed) this.#user.failed(error);
      };
      if (this.#connected) this.#socket.send(datagram, onSent);
      else this.#socket.send(datagram, toPort, LOOPBACK, onSent);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
