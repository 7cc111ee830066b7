/** The network between the two, each direction by itself: delay, jitter, loss, rate with a queue, up or down. */

import { milliseconds, SECOND } from '../time.ts';
import type { Endpoint, Micros, NetworkChange, Rng } from '../types.ts';
import type { LinkSettings } from './options.ts';

const LOSS_PARTS = 1_000_000;
/** What a home router's buffer holds. */
export const QUEUE_BYTES_DEFAULT = 262_144;

/** Loopback-like; what a run starts with unless it is told otherwise. */
export const LINK_AT_START = {
  down: false,
  hold: false,
  delayMs: 0.2,
  jitterMs: 0,
  loss: 0,
  rateBytesPerS: 0,
  queueBytes: QUEUE_BYTES_DEFAULT,
} as const satisfies NetworkChange;

interface Direction {
  down: boolean;
  delay: Micros;
  jitter: Micros;
  lossParts: number;
  bytesPerS: number; // 0: unlimited
  queueBytes: number;
  /** When everything accepted so far has been put on the wire. */
  freeAt: Micros;
}

export class Link {
  readonly #rng: Rng;
  readonly #directions: Record<Endpoint, Direction>;
  #holding = false;

  constructor(settings: LinkSettings, rng: Rng) {
    this.#rng = rng;
    const direction = (): Direction => ({
      down: false,
      delay: milliseconds(settings.delayMs),
      jitter: milliseconds(settings.jitterMs),
      lossParts: Math.round(settings.loss * LOSS_PARTS),
      bytesPerS: 0,
      queueBytes: QUEUE_BYTES_DEFAULT,
      freeAt: 0,
    });
    this.#directions = { bridge: direction(), broker: direction() };
    if (settings.initially) this.change(settings.initially);
  }

  /** Down in both directions. */
  get isDown(): boolean {
    return this.#directions.bridge.down && this.#directions.broker.down;
  }

  /** Nothing that `from` sends arrives. */
  isDownFrom(from: Endpoint): boolean {
    return this.#directions[from].down;
  }

  /** A proxy keeps what is sent (TCP). */
  get isHolding(): boolean {
    return this.#holding;
  }

  /** Round trip as an endpoint would have measured it. */
  get roundTrip(): Micros {
    const { bridge, broker } = this.#directions;
    return bridge.delay + broker.delay + ((bridge.jitter + broker.jitter) >> 1);
  }

  change(change: NetworkChange): void {
    if (change.hold !== undefined) this.#holding = change.hold;
    for (const from of ['bridge', 'broker'] as const) {
      if (change.from === undefined || change.from === from) changeDirection(this.#directions[from], change);
    }
  }

  /** Travel time of a packet of `bytes` that `from` sends now; null: it is lost. */
  travelTime(from: Endpoint = 'bridge', bytes = 0, now: Micros = 0): Micros | null {
    const direction = this.#directions[from];
    if (direction.down) return null;
    if (direction.lossParts > 0 && this.#rng.int(1, LOSS_PARTS) <= direction.lossParts) return null;
    const queued = direction.bytesPerS === 0 ? 0 : enqueue(direction, bytes, now);
    if (queued === null) return null;
    if (direction.jitter === 0) return direction.delay + queued;
    return Math.max(0, direction.delay + this.#rng.int(-direction.jitter, direction.jitter)) + queued;
  }
}

function changeDirection(direction: Direction, change: NetworkChange): void {
  if (change.down !== undefined) direction.down = change.down;
  if (change.delayMs !== undefined) direction.delay = milliseconds(change.delayMs);
  if (change.jitterMs !== undefined) direction.jitter = milliseconds(change.jitterMs);
  if (change.loss !== undefined) direction.lossParts = Math.round(change.loss * LOSS_PARTS);
  if (change.rateBytesPerS !== undefined) direction.bytesPerS = change.rateBytesPerS;
  if (change.queueBytes !== undefined) direction.queueBytes = change.queueBytes;
}

/** Time until the last byte is on the wire; null: the queue is full. */
function enqueue(direction: Direction, bytes: number, now: Micros): Micros | null {
  const wait = Math.max(0, direction.freeAt - now);
  if (Math.floor((wait * direction.bytesPerS) / SECOND) + bytes > direction.queueBytes) return null;
  const total = wait + Math.ceil((bytes * SECOND) / direction.bytesPerS);
  direction.freeAt = now + total;
  return total;
}
