/** What is known of a part of a stream besides its rows: counts, time span, gaps. Parts of it can be put together. */

/** The longest silences of a log that are kept. */
export const MAX_GAPS = 3;
/** A shorter silence is no gap. */
const MIN_GAP_US = 10_000_000;

export interface Gap {
  readonly from: number; // µs, stamp of the last record before it
  readonly to: number; // stamp of the first record after it
}

export interface PartStats {
  records: number;
  continuations: number;
  unparsed: number;
  /** Records outside of --since and --until, counted and not stored. */
  skipped: number;
  /** Stamps as written, µs. */
  firstTs: number | null;
  lastTs: number | null;
  /** Stamps of the first and the last record in the order of the file: gaps are told by them. */
  headTs: number | null;
  tailTs: number | null;
  gaps: Gap[];
}

export function newStats(): PartStats {
  return {
    records: 0,
    continuations: 0,
    unparsed: 0,
    skipped: 0,
    firstTs: null,
    lastTs: null,
    headTs: null,
    tailTs: null,
    gaps: [],
  };
}

export function seeTime(stats: PartStats, ts: number): void {
  if (stats.firstTs === null || ts < stats.firstTs) stats.firstTs = ts;
  if (stats.lastTs === null || ts > stats.lastTs) stats.lastTs = ts;
  if (stats.tailTs === null) stats.headTs = ts;
  else if (ts - stats.tailTs >= MIN_GAP_US) addGap(stats, { from: stats.tailTs, to: ts });
  stats.tailTs = ts;
}

/** `later` comes behind `stats` in the same file. */
export function addStats(stats: PartStats, later: PartStats): void {
  stats.records += later.records;
  stats.continuations += later.continuations;
  stats.unparsed += later.unparsed;
  stats.skipped += later.skipped;
  stats.firstTs = pick(stats.firstTs, later.firstTs, Math.min);
  stats.lastTs = pick(stats.lastTs, later.lastTs, Math.max);
  if (stats.tailTs !== null && later.headTs !== null && later.headTs - stats.tailTs >= MIN_GAP_US) {
    addGap(stats, { from: stats.tailTs, to: later.headTs });
  }
  for (const gap of later.gaps) addGap(stats, gap);
  stats.headTs ??= later.headTs;
  stats.tailTs = later.tailTs ?? stats.tailTs;
}

/** Keeps the longest; of equally long ones the first. */
function addGap(stats: PartStats, gap: Gap): void {
  const { gaps } = stats;
  // A file that is read on from inside its last record can show one twice.
  if (gaps.some(({ from, to }) => from === gap.from && to === gap.to)) return;
  let at = gaps.length;
  while (at > 0 && gaps[at - 1]!.to - gaps[at - 1]!.from < gap.to - gap.from) at -= 1;
  if (at < MAX_GAPS) gaps.splice(at, 0, gap);
  if (gaps.length > MAX_GAPS) gaps.length = MAX_GAPS;
}

function pick(a: number | null, b: number | null, better: (a: number, b: number) => number): number | null {
  return a === null ? b : b === null ? a : better(a, b);
}
