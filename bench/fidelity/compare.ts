/** Holds a real incident against the seeds of its simulation. */
import { type Cycle, type Measures, meanPeriod, reasonCounts } from './measures.ts';
import type { Scenario } from './scenario.ts';

/** A number of the real incident beside what the seeds gave. */
export interface Row {
  readonly what: string;
  readonly real: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
  readonly met: boolean;
}

/** Plain data, so that a comparison can be kept as JSON. */
export interface Comparison {
  readonly name: string;
  readonly seeds: number;
  /** Ends of the real sessions by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly rows: readonly Row[];
  /** The rows that are not met, in runs whose redials are those of the log; absent: not run. */
  readonly withRedialsOfLog?: readonly Row[];
  /** What `analyze` says of the real logs and of the printed ones, a list a seed; null: not asked. */
  readonly findings: Findings | null;
  /** Events that the real log has and no seed shows, with their counts; they are outside of the model. */
  readonly unmodelled: readonly (readonly [event: string, count: number])[];
}

export interface Findings {
  readonly real: readonly string[];
  readonly simulated: readonly (readonly string[])[];
}

export function sameFinding({ real, simulated }: Findings): boolean {
  return simulated.every((list) => list[0] === real[0]);
}

const MIDDLE = 0.95;
const NEAR_MEDIAN = 0.1;
const CONNECTED_TOLERANCE_S = 0.3;
const CYCLES_TOLERANCE = 1;

/** Debug events of the bridge that are compared; of the others the simulator writes only some. */
const DEBUG_COMPARED = /bridge_forward|bridge_ack_rx|bridge_acked|ctx_cache_flush/;
/** Loops that run as fast as the CPU lets them: compared as present or absent. */
const CPU_SPEED = /ctx_cache_flush|bridge_subscribe_retry/;
/** The flood of a cancelled sub stream, which takes these with it, where there is one. */
const CANCEL_FLOOD = /quic_substream_recv_retry|quic_tran_recv_error|quic_stream_aio_begin_failed/;
const FLOOD_FROM = 100;
/** A cycle that something outside ended lasts as long as the redial before it was short. */
const PROVOKED = new Set(['broker_stopped', 'kicked', 'discarded']);

export function compare(
  scenario: Scenario,
  real: Measures,
  runs: readonly Measures[],
  findings: Findings | null,
): Comparison {
  const simulatedKeys = new Set(runs.flatMap((run) => [...run.events.keys()]));
  return {
    name: scenario.name,
    seeds: runs.length,
    reasons: Object.fromEntries(reasonCounts(real.cycles)),
    rows: rowsOf(real, runs),
    findings,
    unmodelled: [...real.events].filter(([key]) => !simulatedKeys.has(key)),
  };
}

/** The rows of `comparison` that are not met, against other runs of the same incident. */
export function compareAgain({ rows }: Comparison, real: Measures, runs: readonly Measures[]): readonly Row[] {
  const missed = new Set(rows.filter((row) => !row.met).map((row) => row.what));
  return rowsOf(real, runs).filter((row) => missed.has(row.what));
}

function rowsOf(real: Measures, runs: readonly Measures[]): Row[] {
  return [...cycleRows(real, runs), ...messageRows(real, runs), ...eventRows(real, runs)];
}

function cycleRows(real: Measures, runs: readonly Measures[]): Row[] {
  const rows = [
    row(
      'cycles',
      real.cycles.length,
      runs.map((run) => run.cycles.length),
      CYCLES_TOLERANCE,
    ),
  ];
  const reasons = new Set([real, ...runs].flatMap((measures) => measures.cycles.map((cycle) => cycle.reason)));
  for (const reason of reasons) {
    const count = (measures: Measures): number => reasonCounts(measures.cycles).get(reason) ?? 0;
    rows.push(row(`disconnects ${reason}`, count(real), runs.map(count), CYCLES_TOLERANCE));
  }
  const period = meanPeriod(real.cycles);
  const periods = runs.map((run) => meanPeriod(run.cycles)).filter((value) => value !== null);
  if (period !== null && periods.length > 0) rows.push(row('mean period s', period, periods, 0));
  real.cycles.forEach((cycle, index) => {
    const connected = connectedRow(cycle, index, runs);
    if (connected !== null) rows.push(connected);
  });
  return rows;
}

function connectedRow(cycle: Cycle, index: number, runs: readonly Measures[]): Row | null {
  if (PROVOKED.has(cycle.reason)) return null;
  const values = runs
    .map((run) => run.cycles[index])
    .filter((other) => other !== undefined && other.reason === cycle.reason);
  if (values.length === 0) return null;
  const what = `seconds connected, cycle ${index + 1}`;
  return row(
    what,
    cycle.connectedS,
    values.map((other) => other!.connectedS),
    CONNECTED_TOLERANCE_S,
    false,
  );
}

function messageRows(real: Measures, runs: readonly Measures[]): Row[] {
  return [...real.messages].map(([what, count]) =>
    row(
      what,
      count,
      runs.map((run) => run.messages.get(what) ?? 0),
      0,
    ),
  );
}

function eventRows(real: Measures, runs: readonly Measures[]): Row[] {
  const keys = new Set(runs.flatMap((run) => [...run.events.keys()]));
  const levels = new Set([...real.events.keys()].map((key) => key.split(' ').slice(0, 2).join(' ')));
  const floods = (real.events.get('info nanomq quic_substream_recv_retry') ?? 0) > FLOOD_FROM;
  return [...keys].sort().flatMap((key): Row[] => {
    // A log at level info shows nothing of the debug events.
    if (key.startsWith('debug nanomq') && !DEBUG_COMPARED.test(key)) return [];
    if (!levels.has(key.split(' ').slice(0, 2).join(' '))) return [];
    const counts = runs.map((run) => run.events.get(key) ?? 0);
    const count = real.events.get(key) ?? 0;
    const atCpuSpeed = CPU_SPEED.test(key) || (floods && CANCEL_FLOOD.test(key));
    if (!atCpuSpeed) return [row(key, count, counts, 0)];
    return [
      row(
        `${key} (present)`,
        Math.min(1, count),
        counts.map((value) => Math.min(1, value)),
        0,
      ),
    ];
  });
}

/** `tolerance` widens the middle of the seeds on either side; `nearMedian` also admits a tenth of their median. */
function row(what: string, real: number, values: readonly number[], tolerance: number, nearMedian = true): Row {
  const sorted = values.toSorted((left, right) => left - right);
  const low = quantile(sorted, (1 - MIDDLE) / 2);
  const high = quantile(sorted, (1 + MIDDLE) / 2);
  const median = quantile(sorted, 0.5);
  const inMiddle = real >= low - tolerance && real <= high + tolerance;
  const met = inMiddle || (nearMedian && Math.abs(real - median) <= NEAR_MEDIAN * median);
  return { what, real, low, median, high, met };
}

/** The value at a share of a sorted list; between two, the outer one, so that few seeds do not narrow the middle. */
function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  return sorted[share < 0.5 ? Math.floor(position) : Math.ceil(position)] ?? Number.NaN;
}
