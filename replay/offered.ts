/** Traffic that no line shows, at a rate that someone assumed. */
import type { Qos } from '../engine/index.ts';
import { type Cassette, MAX_ENTRIES } from './cassette.ts';
import { type Entry, inOrder } from './entry.ts';

export interface AssumedUplink {
  readonly topic: string;
  readonly qos: Qos;
  readonly size: number; // payload bytes
}

export const ASSUMED_UPLINK: AssumedUplink = { topic: 'bridge/unknown', qos: 0, size: 64 };

/**
 * The cassette with `rate` messages a second upward from start to end, evenly spaced, beside those that it has. Its uplink is `shown`
 * from then on: somebody has said what it was.
 * @throws RangeError for a rate that is not above 0, or more entries than a cassette may have
 */
export function withUplink(cassette: Cassette, rate: number, message: AssumedUplink = ASSUMED_UPLINK): Cassette {
  const { header, entries } = cassette;
  const count = Math.floor((header.duration_us / 1e6) * rate);
  if (!(rate > 0)) throw new RangeError(`a rate of ${rate} messages a second`);
  if (entries.length + count > MAX_ENTRIES)
    throw new RangeError(`${count} messages are more than a cassette may have (${MAX_ENTRIES} entries)`);
  const why = `no line shows what was published; ${rate} a second were assumed`;
  const assumed = Array.from(
    { length: count },
    (_, index): Entry => ({
      at: Math.floor((index + 0.5) * (1e6 / rate)),
      type: 'publish',
      ...message,
      origin: 'assumed',
      why,
    }),
  ).filter((entry) => entry.at <= header.duration_us);
  return { header: { ...header, uplink: 'shown' }, entries: [...entries, ...assumed].sort(inOrder) };
}
