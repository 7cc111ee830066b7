/** Who is told what the two sides do: the books of a replay, or just a log. */

import type { Endpoint, Message, Micros, SimRecord, StreamIndex } from '../types.ts';

export type Direction = 'up' | 'down';

/** Connections are known by the client's port. */
export interface Journal {
  record(record: SimRecord): void;
  delivered(direction: Direction, message: Message, at: Micros): void;
  lost(direction: Direction, message: Message, reason: string): void;
  opened(port: number): void;
  wrote(port: number, from: Endpoint, stream: StreamIndex, message: Message): void;
  arrived(port: number, from: Endpoint, seq: number): void;
  /** The bridge aborted one of its streams. */
  streamAborted(port: number, stream: StreamIndex): void;
  /** One end of the connection is gone. */
  ended(port: number): void;
}

const nothing = (): void => {};

/** Keeps no books: for servers that run for days. */
export function logOnly(
  record: (record: SimRecord) => void,
  delivered: Journal['delivered'] = nothing,
  lost: Journal['lost'] = nothing,
): Journal {
  return {
    record,
    delivered,
    lost,
    opened: nothing,
    wrote: nothing,
    arrived: nothing,
    streamAborted: nothing,
    ended: nothing,
  };
}
