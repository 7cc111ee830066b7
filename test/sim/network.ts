/** Two ends of one connection on a virtual clock, without machines. */
import type { Packet } from '../../engine/index.ts';
import { createRng } from '../../engine/rng.ts';
import { Connection, type ConnectionSettings } from '../../engine/sim/connection.ts';
import { EventQueue } from '../../engine/sim/event-queue.ts';
import { Link } from '../../engine/sim/link.ts';
import type { LinkSettings } from '../../engine/sim/options.ts';
import type { CloseCause, Endpoint } from '../../engine/types.ts';

export const SECOND = 1_000_000;
export const MILLISECOND = 1_000;
const PING: Packet = { type: 'pingreq', size: 2 };

export interface Arrival {
  readonly at: number;
  readonly to: Endpoint;
  readonly stream: number;
  readonly index: number;
}

export class TwoEnds {
  readonly queue = new EventQueue();
  readonly link: Link;
  readonly connection: Connection;
  readonly arrivals: Arrival[] = [];
  readonly closes: { readonly at: number; readonly end: Endpoint; readonly cause: CloseCause }[] = [];
  readonly completions: { readonly at: number; readonly name: string; readonly result: number }[] = [];
  readonly abandoned: Endpoint[] = [];
  #now = 0;
  #held: (() => void)[] = [];

  constructor(settings: Partial<ConnectionSettings> = {}, link: Partial<LinkSettings> = {}) {
    this.link = new Link({ delayMs: 10, jitterMs: 0, loss: 0, ...link }, createRng(1, 'link'));
    this.connection = new Connection(
      1,
      {
        transport: 'quic',
        disconnectTimeoutS: 20,
        keepaliveS: { bridge: 0, broker: 0 },
        idleTimeoutS: 0,
        maxAckDelayMs: 100,
        ...settings,
      },
      {
        now: () => this.#now,
        brokerDefers: () => false,
        hold: (run) => this.#held.push(run),
        deliver: (to, chunk) => this.arrivals.push({ at: this.#now, to, stream: chunk.stream, index: chunk.index }),
        closed: (end, cause) => this.closes.push({ at: this.#now, end, cause }),
        abandoned: (from) => this.abandoned.push(from),
      },
      this.queue,
      this.link,
    );
  }

  /** Does `what` at that time; times may be given in any order before `runTo`. */
  at(time: number, what: () => void): void {
    this.queue.add(time, what);
  }

  send(from: Endpoint, stream: number, bytes: number, name = ''): void {
    const onComplete = (result: number): void => {
      this.completions.push({ at: this.#now, name, result });
    };
    this.connection.send(from, (flow) => flow.send(stream, bytes, { packet: PING }, onComplete));
  }

  /** What a proxy held goes on. */
  release(): void {
    for (const run of this.#held.splice(0)) run();
  }

  runTo(time: number): void {
    for (let next = this.queue.peekTime(); next !== null && next <= time; next = this.queue.peekTime()) {
      this.#now = next;
      this.queue.take()!.run();
    }
    this.#now = time;
  }
}
