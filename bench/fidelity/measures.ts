/** What an incident is compared by, the real one and each simulated one alike. */

export interface Cycle {
  readonly reason: string;
  /** Seconds from the CONNACK to the broker's end of the session. */
  readonly connectedS: number;
  /** Seconds from the start of the run. */
  readonly endS: number;
}

export interface Measures {
  /** Ends of the bridge's sessions, as the broker saw them, in time order. */
  readonly cycles: readonly Cycle[];
  /** `up delivered`, `up lost`, `down delivered`, `down lost`: messages. */
  readonly messages: ReadonlyMap<string, number>;
  /** Log records by event; the broker's of the bridge's client id only, packets apart. */
  readonly events: ReadonlyMap<string, number>;
}

/** Mean seconds between the ends of two cycles; null: fewer than two. */
export function meanPeriod(cycles: readonly Cycle[]): number | null {
  const first = cycles[0];
  const last = cycles.at(-1);
  if (first === undefined || last === undefined || cycles.length < 2) return null;
  return (last.endS - first.endS) / (cycles.length - 1);
}

export function reasonCounts(cycles: readonly Cycle[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { reason } of cycles) add(counts, reason, 1);
  return counts;
}

export function add(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

/** Whose record it was, what it says: the key under which records are counted. */
export function eventKey(
  product: 'nanomq' | 'emqx',
  event: string,
  fields: { readonly [key: string]: unknown } | null,
): string {
  // Which of two streams was drawn says nothing, so a stream's number stays out.
  const detail = product === 'emqx' ? (fields?.packet ?? fields?.reason) : undefined;
  return detail === undefined || detail === null ? `${product} ${event}` : `${product} ${event} ${String(detail)}`;
}
