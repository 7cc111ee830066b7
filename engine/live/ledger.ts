/** What the run adds up: records, what became of every message, what is on the way. */

import { Books } from '../sim/books.ts';
import type { SimOptions } from '../sim/options.ts';
import { TraceHash } from '../sim/trace-hash.ts';
import type { Endpoint, Message, Micros, SimRecord, StreamIndex } from '../types.ts';
import { InFlight } from './in-flight.ts';
import type { Direction, Journal } from './journal.ts';

/** Why a message died that was written to a connection which ended (the driver's reason, `BridgeLossReason`). */
const CONNECTION_LOST = 'connection-lost';

export class Ledger implements Journal {
  readonly up = new Books();
  readonly down = new Books();
  readonly #sink: (record: SimRecord) => void;
  readonly #onDelivery: SimOptions['onDelivery'];
  readonly #hash = new TraceHash();
  /** By the bridge's UDP port, which both ends of a connection know. */
  readonly #inFlight = new Map<number, InFlight>();
  readonly #untilUs: Micros;
  readonly #asOffered: (direction: Direction, message: Message) => Message;
  #records = 0;

  /**
   * @param untilUs records of a later time are left out: the clock goes on while a run ends
   * @param asOffered the message that a delivery is of, as it was offered: a broker delivers with the QoS of the subscription
   */
  constructor(
    sink: (record: SimRecord) => void,
    onDelivery?: SimOptions['onDelivery'],
    untilUs: Micros = Number.POSITIVE_INFINITY,
    asOffered: (direction: Direction, message: Message) => Message = (_, message) => message,
  ) {
    this.#asOffered = asOffered;
    this.#untilUs = untilUs;
    this.#sink = sink;
    this.#onDelivery = onDelivery;
  }

  get records(): number {
    return this.#records;
  }

  get hash(): string {
    return this.#hash.digest();
  }

  record(record: SimRecord): void {
    if (record.at > this.#untilUs) return;
    this.#records++;
    this.#hash.add(record);
    this.#sink(record);
  }

  delivered(direction: Direction, arrived: Message, at: Micros): void {
    const message = this.#asOffered(direction, arrived);
    this[direction].delivered(message);
    this.#onDelivery?.(direction, message, at);
  }

  lost(direction: Direction, message: Message, reason: string): void {
    this[direction].lost(message, reason);
  }

  opened(port: number): void {
    this.#inFlight.set(port, new InFlight());
  }

  wrote(port: number, from: Endpoint, stream: StreamIndex, message: Message): void {
    this.#inFlight.get(port)?.wrote(from, stream, message);
  }

  arrived(port: number, from: Endpoint, seq: number): void {
    this.#inFlight.get(port)?.arrived(from, seq);
  }

  /** The bridge aborted one of its streams. */
  streamAborted(port: number, stream: StreamIndex): void {
    this.#abandonUplink(this.#inFlight.get(port)?.takeLeft('bridge', stream) ?? []);
  }

  /** One end of the connection is gone. A delivery that still follows outweighs the loss. */
  ended(port: number): void {
    const inFlight = this.#inFlight.get(port);
    if (!inFlight) return;
    this.#inFlight.delete(port);
    this.#abandonUplink(inFlight.takeLeft('bridge'));
    for (const message of inFlight.takeLeft('broker')) this.down.lost(message, CONNECTION_LOST);
  }

  /** QoS > 0 towards the broker stays with the bridge, which resends it. */
  #abandonUplink(messages: readonly Message[]): void {
    for (const message of messages) if (message.qos === 0) this.up.lost(message, CONNECTION_LOST);
  }

  /** Uplink messages between the two ends of a connection. */
  uplinkInFlight(): Set<number> {
    const seqs = new Set<number>();
    for (const inFlight of this.#inFlight.values()) {
      for (const { seq } of inFlight.messages('bridge')) seqs.add(seq);
    }
    return seqs;
  }
}
