/** One UDP socket. A datagram that cannot be sent counts as lost. */

import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Address } from './address.ts';

/** Bursts of a bridge overrun the default receive buffer (measured: 441 datagrams lost against 1). */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export interface UdpPortUser {
  /** The buffer belongs to the receiver, who may write into it. */
  received(datagram: Buffer, from: Address): void;
  /** The socket failed, e.g. `ECONNREFUSED` on a connected one. It stays open. */
  failed(error: NodeJS.ErrnoException): void;
}

export class UdpPort {
  readonly #socket: Socket;
  readonly #user: UdpPortUser;
  #bound = false;
  #connected = false;
  #closed = false;
  #local: Address | null = null;

  /** @param host any address of the family that will be used */
  constructor(host: string, user: UdpPortUser) {
    this.#user = user;
    const family = isIPv6(host) ? 6 : 4;
    // Addresses are always literals: no look-up, so that sending is synchronous.
    this.#socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      lookup: (literal, _options, done) => done(null, literal, family),
    });
    this.#socket.on('message', (datagram, { address, port }) => {
      if (!this.#closed) user.received(datagram, { host: address, port });
    });
    this.#socket.on('error', (error) => {
      // Before it is bound, `bind` tells.
      if (this.#bound && !this.#closed) user.failed(error);
    });
  }

  /** Own address; only after {@link bind}. After {@link connect} it is the one that the system chose. */
  get local(): Address {
    if (!this.#local) {
      const { address, port } = this.#socket.address();
      this.#local = { host: address, port };
    }
    return this.#local;
  }

  /** @param address port 0: any. @returns own address; rejects with the system's error, e.g. `EADDRINUSE`. */
  bind({ host, port }: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind({ address: host, port, exclusive: true }, () => {
        this.#socket.off('error', reject);
        if (this.#closed) return reject(new Error('the socket was closed meanwhile'));
        this.#bound = true;
        this.#socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
        resolve(this.local);
      });
    });
  }

  /** Talks to one address only from here on, and hears of it when nobody listens there. */
  connect({ host, port }: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the socket was closed meanwhile'));
      this.#socket.connect(port, host, (error?: Error) => {
        if (error || this.#closed) return reject(error ?? new Error('the socket was closed meanwhile'));
        this.#connected = true;
        this.#local = null;
        resolve(this.local);
      });
    });
  }

  /** The buffer must not be changed afterwards. */
  send(datagram: Uint8Array, to: Address): void {
    if (this.#closed) return;
    const onSent = (error: Error | null): void => {
      if (error && !this.#closed) this.#user.failed(error);
    };
    if (this.#connected) this.#socket.send(datagram, onSent);
    else this.#socket.send(datagram, to.port, to.host, onSent);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
