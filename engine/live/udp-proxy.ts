/** The impairment proxy for datagrams: one socket a client towards the target. */

import { type Address, isLoopback, LOOPBACK } from './address.ts';
import type { ImpairmentProxy, ProxyOptions } from './proxy.ts';
import { UdpPort } from './udp-port.ts';

/** Clients at a time; the one that came first is forgotten for a new one. */
const LEGS_MAX = 64;
/** Datagrams kept while the socket towards the target is being opened. */
const EARLY_MAX = 16;

interface Leg {
  readonly client: Address;
  port: UdpPort | null;
  readonly early: Buffer[];
}

export class UdpProxy implements ImpairmentProxy {
  readonly #options: ProxyOptions;
  readonly #front: UdpPort;
  readonly #legs = new Map<number, Leg>();
  readonly #clientPorts = new Map<number, number>();
  #closed = false;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#front = new UdpPort(LOOPBACK, {
      received: (datagram, from) => this.#fromClient(datagram, from),
      failed: () => {}, // A lost datagram.
    });
  }

  listen(): Promise<Address> {
    return this.#front.bind({ host: LOOPBACK, port: 0 });
  }

  clientPortOf(upstreamPort: number): number | null {
    return this.#clientPorts.get(upstreamPort) ?? null;
  }

  async reached(): Promise<void> {}

  rebind(): void {
    for (const leg of this.#legs.values()) this.#open(leg);
  }

  close(): void {
    this.#closed = true;
    this.#front.close();
    for (const leg of this.#legs.values()) leg.port?.close();
    this.#legs.clear();
  }

  #fromClient(datagram: Buffer, client: Address): void {
    let leg = this.#legs.get(client.port);
    if (!leg) {
      if (!this.#options.accepts(client.port)) return;
      this.#makeRoom();
      leg = { client, port: null, early: [] };
      this.#legs.set(client.port, leg);
      this.#open(leg);
    }
    if (leg.port) this.#forward(leg, leg.port, datagram);
    else if (leg.early.length < EARLY_MAX) leg.early.push(datagram);
  }

  #makeRoom(): void {
    for (const [port, leg] of this.#legs) {
      if (this.#legs.size < LEGS_MAX) return;
      leg.port?.close();
      this.#legs.delete(port);
    }
  }

  #forward(leg: Leg, port: UdpPort, datagram: Buffer): void {
    // After a rebind what is under way still leaves from the port of then, if that is open.
    this.#options.link.carry('bridge', datagram.length, () => (leg.port ?? port).send(datagram, this.#options.target));
  }

  /** A new socket towards the target; the old one is closed once it is there. */
  #open(leg: Leg): void {
    const { target, link, refused, crashed } = this.#options;
    const port = new UdpPort(target.host, {
      received: (datagram) => {
        link.carry('broker', datagram.length, () => this.#front.send(datagram, leg.client));
      },
      failed: (error) => {
        if (error.code === 'ECONNREFUSED') refused(leg.client.port);
      },
    });
    const opened = async (): Promise<void> => {
      await port.bind({ host: isLoopback(target.host) ? target.host : anyOf(target.host), port: 0 });
      const local = await port.connect(target);
      if (this.#closed || this.#legs.get(leg.client.port) !== leg) return port.close();
      leg.port?.close();
      leg.port = port;
      this.#clientPorts.set(local.port, leg.client.port);
      for (const datagram of leg.early.splice(0)) this.#forward(leg, port, datagram);
    };
    opened().catch((error: unknown) => {
      port.close();
      if (!this.#closed) crashed(error);
    });
  }
}

function anyOf(host: string): string {
  return host.includes(':') ? '::' : '0.0.0.0';
}
