/** The impairment proxy for TCP: accepts at once, dials the target when the link lets a SYN through. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../types.ts';
import { type Address, LOOPBACK } from './address.ts';
import { OrderedPipe } from './ordered-pipe.ts';
import type { ImpairmentProxy, ProxyOptions } from './proxy.ts';

const LEGS_MAX = 64;
/** Encoded length of a SYN, for a limited rate. */
const SYN_BYTES = 60;

interface Leg {
  readonly client: Socket;
  upstream: Socket | null;
  readonly pipes: OrderedPipe[];
  readonly reached: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
  /** Its owner asked for it. A stranger's leg leads nowhere. */
  claimed: boolean;
  /** A NAT forgot it: nothing passes any more. */
  cut: boolean;
}

export class TcpProxy implements ImpairmentProxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #legs = new Map<number, Leg>();
  readonly #clientPorts = new Map<number, number>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  listen(): Promise<Address> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: LOOPBACK, port: 0 }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => {});
        const { address, port } = this.#server.address() as { address: string; port: number };
        resolve({ host: address, port });
      });
    });
  }

  clientPortOf(upstreamPort: number): number | null {
    return this.#clientPorts.get(upstreamPort) ?? null;
  }

  /** The client can ask before the proxy has heard of its connection. */
  async reached(clientPort: number): Promise<void> {
    for (let turn = 0; turn < 1_000 && !this.#legs.has(clientPort); turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const leg = this.#legs.get(clientPort);
    if (!leg) throw new Error('the connection ended before the proxy accepted it');
    if (!leg.claimed) this.#dialWhenOpen(leg, clientPort);
    leg.claimed = true;
    return leg.reached;
  }

  rebind(): void {
    for (const leg of this.#legs.values()) leg.cut = true;
  }

  close(): void {
    this.#server.close();
    for (const leg of this.#legs.values()) this.#drop(leg, false);
    this.#legs.clear();
  }

  #accept(client: Socket): void {
    const port = client.remotePort ?? 0;
    client.on('error', () => {});
    if (this.#legs.size >= LEGS_MAX) {
      client.destroy();
      return;
    }
    client.setNoDelay(true);
    const { promise, resolve, reject } = withResolvers();
    promise.catch(() => {}); // Nobody has to ask.
    const leg: Leg = {
      client,
      upstream: null,
      pipes: [],
      reached: promise,
      resolve,
      reject,
      claimed: false,
      cut: false,
    };
    this.#legs.set(port, leg);
    const uplink = this.#pipe(leg, 'bridge', client, () => leg.upstream);
    client.once('close', () => {
      uplink.close();
      this.#drop(leg, false);
      this.#legs.delete(port);
    });
  }

  /** A SYN that meets an outage is sent again; here it goes out when the outage ends. */
  #dialWhenOpen(leg: Leg, clientPort: number): void {
    const { link } = this.#options;
    const tryDial = (): void => {
      if (leg.client.destroyed) {
        stop();
        return;
      }
      if (link.isBlocked('bridge') || link.isBlocked('broker')) return;
      stop();
      link.carry('bridge', SYN_BYTES, () => link.carry('broker', SYN_BYTES, () => this.#dial(leg, clientPort)));
    };
    const stop = link.onChange(() => tryDial());
    tryDial();
  }

  #dial(leg: Leg, clientPort: number): void {
    if (leg.client.destroyed) return;
    const upstream = connect({ ...this.#options.target, allowHalfOpen: true });
    leg.upstream = upstream;
    upstream.setNoDelay(true);
    upstream.on('error', () => {});
    // The target can accept before we hear of it; the system chose our port when the SYN left, one tick from here.
    process.nextTick(() => this.#clientPorts.set(upstream.localPort ?? 0, clientPort));
    upstream.once('connect', () => {
      // It outlives the socket: the last bytes and the FIN may still be on their way when both ends have said good-bye.
      this.#pipe(leg, 'broker', upstream, () => leg.client);
      leg.resolve();
    });
    upstream.once('close', (hadError) => {
      leg.reject(new Error('the target cannot be reached'));
      if (leg.cut) return;
      if (hadError) this.#drop(leg, true);
    });
  }

  #pipe(leg: Leg, from: Endpoint, source: Socket, sink: () => Socket | null): OrderedPipe {
    const waiting: Buffer[] = [];
    const flush = (): void => {
      for (const bytes of waiting.splice(0)) sink()?.write(bytes);
    };
    const pipe = new OrderedPipe({
      from,
      link: this.#options.link,
      speed: this.#options.speed,
      deliver: (bytes) => {
        if (leg.cut) return;
        const target = sink();
        if (target) target.write(bytes);
        else waiting.push(bytes);
        if (!pipe.isFull) source.resume();
      },
      ended: () => {
        flush();
        if (!leg.cut) sink()?.end();
      },
    });
    if (from === 'bridge') leg.reached.then(flush, () => {});
    leg.pipes.push(pipe);
    source.on('data', (bytes: Buffer) => {
      if (leg.cut) return;
      pipe.push(bytes);
      if (pipe.isFull) source.pause();
    });
    source.on('end', () => pipe.end());
    return pipe;
  }

  #drop(leg: Leg, reset: boolean): void {
    for (const pipe of leg.pipes) pipe.close();
    leg.upstream?.destroy();
    if (reset && !leg.client.destroyed) leg.client.resetAndDestroy();
    else leg.client.destroy();
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}
