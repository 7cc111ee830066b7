/**
 * Puts a bridge's clock on the broker's, from events that both ends log.
 *
 * A stamp t of precision p means the client's event happened in [t, t + p). Its counterpart at the broker (CONNACK sent before
 * `connected`, SUBACK sent before the suback line) happened at most LATENCY before. So every pair allows the offsets
 * (true minus written) in (T - t - p, T - t + LATENCY], and the offset that most pairs allow is the clock. A disconnect is
 * never a constraint: the two ends can see it 23 s apart (measured.md §1).
 */

/** Time the network and the client may take between the broker's line and the bridge's, µs. */
export const LATENCY_US = 300_000;
/** Events of one kind that are compared; n·m intervals are sorted, so this bounds time and memory. */
export const MAX_EVENTS = 600;
/** A second solution with at least this share of the pairs makes the clock ambiguous. */
const RIVAL_SHARE = 0.8;
/** Solutions this close are one with a larger error, not rivals. */
const NEARBY_US = 2_000_000;
const QUARTER_HOUR_US = 900_000_000;

export interface ClockEvents {
  readonly kind: string;
  /** Stamps of the client, µs as written, with their precision. */
  readonly client: readonly number[];
  readonly clientPrecisionUs: number;
  /** How long before the broker's line the client may have logged its own, µs; 0 where the client's follows. */
  readonly clientEarlyUs?: number;
  /** Instants at the broker, µs UTC. */
  readonly broker: readonly number[];
}

export interface Alignment {
  readonly offsetUs: number;
  readonly errorUs: number;
  readonly pairs: number;
  readonly ambiguous: boolean;
  /** Other offsets with nearly as many pairs, best first. */
  readonly alternatives: readonly { readonly offsetUs: number; readonly pairs: number }[];
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly pairs: number;
}

/** The offset most pairs allow, or null if there is no pair. `near` limits the search to offsets around a known one. */
export function align(kinds: readonly ClockEvents[], near?: { offsetUs: number; withinUs: number }): Alignment | null {
  const edges: { at: number; step: 1 | -1 }[] = [];
  for (const { client, broker, clientPrecisionUs, clientEarlyUs = 0 } of kinds) {
    const happened = broker.slice(0, MAX_EVENTS).sort((a, b) => a - b);
    for (const written of client.slice(0, MAX_EVENTS)) {
      // An event has one counterpart, so its intervals are joined where they meet: two events close together that also fit
      // crosswise must not count twice and squeeze the answer.
      let end = Number.NEGATIVE_INFINITY;
      for (const at of happened) {
        const from = at - written - clientPrecisionUs - clientEarlyUs;
        const to = at - written + LATENCY_US;
        if (near && (to < near.offsetUs - near.withinUs || from > near.offsetUs + near.withinUs)) continue;
        if (from <= end) edges[edges.length - 1]!.at = to;
        else edges.push({ at: from, step: 1 }, { at: to, step: -1 });
        end = to;
      }
    }
  }
  if (edges.length === 0) return null;
  const spans = bestSpans(edges);
  if (spans[0] === undefined) return null;
  const best = spans
    .filter((span) => span.pairs === spans[0]!.pairs && apart(span, spans[0]!) <= NEARBY_US)
    .reduce((a, b) => ({ from: Math.min(a.from, b.from), to: Math.max(a.to, b.to), pairs: a.pairs }));
  const rivals = spans.filter((span) => span.pairs >= best.pairs * RIVAL_SHARE && apart(span, best) > NEARBY_US);
  return {
    offsetUs: Math.round((best.from + best.to) / 2),
    errorUs: Math.round((best.to - best.from) / 2),
    pairs: best.pairs,
    ambiguous: rivals.length > 0,
    alternatives: rivals
      .slice(0, 5)
      .map((span) => ({ offsetUs: Math.round((span.from + span.to) / 2), pairs: span.pairs })),
  };
}

/** Local maxima of the number of overlapping intervals, most pairs first; among equals the nearest to a quarter hour. */
function bestSpans(edges: { at: number; step: 1 | -1 }[]): Span[] {
  edges.sort((a, b) => a.at - b.at || b.step - a.step);
  const spans: Span[] = [];
  let depth = 0;
  for (let index = 0; index < edges.length; index += 1) {
    const edge = edges[index]!;
    depth += edge.step;
    const next = edges[index + 1];
    if (edge.step === 1 && next?.step === -1) spans.push({ from: edge.at, to: next.at, pairs: depth });
  }
  const unzoned = (span: Span) => {
    const middle = (span.from + span.to) / 2;
    return Math.abs(middle - Math.round(middle / QUARTER_HOUR_US) * QUARTER_HOUR_US);
  };
  return spans.sort((a, b) => b.pairs - a.pairs || unzoned(a) - unzoned(b));
}

function apart(a: Span, b: Span): number {
  return Math.max(a.from - b.to, b.from - a.to, 0);
}

/** Splits an offset into the zone that explains most of it and the rest: offset = rest − zone. */
export function explainOffset(offsetUs: number): { zoneUs: number; skewUs: number } {
  const zoneUs = -Math.round(offsetUs / QUARTER_HOUR_US) * QUARTER_HOUR_US;
  // Zones run from −12:00 to +14:00; anything else is a wrong clock.
  if (zoneUs < -12 * 3_600_000_000 || zoneUs > 14 * 3_600_000_000) return { zoneUs: 0, skewUs: offsetUs };
  return { zoneUs: zoneUs === 0 ? 0 : zoneUs, skewUs: offsetUs + zoneUs };
}
