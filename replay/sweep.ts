/**
 * Which of many changes removes the symptom, and which of these is the smallest? Every combination of the given values is run with
 * counters only; the smallest that show no symptom are then verified as any other change.
 *
 * Smallest: no change of a release first, then the fewest settings, then the least relative change of their numbers, then the order in
 * which they were given.
 */
import { createRng } from '../engine/index.ts';
import { UsageError } from '../queries/index.ts';
import type { Cassette } from './cassette.ts';
import type { CountedRun, CountJob } from './counted-run.ts';
import { type Interval, wilson } from './interval.ts';
import { openPool, type RunPool } from './run-pool.ts';
import { symptoms } from './run-symptoms.ts';
import { BASELINE, parseVariant, type Setup, setUp, type Variant } from './variant.ts';
import { cannotTell, loopsNeeded, lostShare, mean, showsSymptom, type VariantVerdict } from './verdict.ts';
import { type Verification, verify } from './verify.ts';

/** Combinations that a sweep may have. */
export const POINTS_MAX = 10_000;
/** Keys that may be varied at once. */
export const KEYS_MAX = 8;

/** A key and its values, as after --fix. */
export interface Axis {
  readonly key: string;
  readonly values: readonly string[];
}

export interface SweepOptions {
  readonly axes: readonly Axis[];
  /** Only so many combinations, drawn with `drawSeed`; absent: all. */
  readonly random?: number;
  readonly drawSeed?: number;
  readonly seeds: number;
  readonly threads: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface SweepPoint {
  readonly values: readonly string[]; // one an axis
  /** Keys whose value is not what it was; empty: the incident's own. */
  readonly changes: readonly string[];
  readonly k: number;
  readonly n: number;
  readonly interval: Interval;
  readonly symptoms: readonly string[];
  readonly lost_share: number | null;
  /** Why these settings cannot be told; null: they were run. */
  readonly untold: string | null;
}

export interface Sweep {
  readonly schema: 1;
  readonly baseline: Verification['baseline'];
  readonly axes: readonly Axis[];
  readonly points: readonly SweepPoint[];
  readonly runs: number;
  /** The smallest change that is verified as fixed, and the smallest that leaves the releases alone. */
  readonly smallest: VariantVerdict | null;
  readonly without_upgrade: VariantVerdict | null;
  readonly reason: string;
}

/** Points that are verified, smallest first, until one is fixed. */
const VERIFIED_MAX = 5;
const RELEASES: ReadonlySet<string> = new Set(['nanomq', 'emqx']);

/** `keepalive=10s,30s,60s` → key and values. Throws UsageError for an unknown key or a value that does not fit. */
export function parseAxis(text: string): Axis {
  const at = text.indexOf('=');
  const key = text.slice(0, Math.max(0, at)).trim();
  const values = text
    .slice(at + 1)
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
  if (at < 1 || values.length === 0)
    throw new UsageError('bad-axis', `${text}: not KEY=VALUE,VALUE,…`, {
      hint: 'For example --vary keepalive=10s,30s,60s.',
    });
  for (const value of values) parseVariant(`${key}=${value}`);
  return { key, values: [...new Set(values)] };
}

export async function sweep(cassette: Cassette, options: SweepOptions): Promise<Sweep> {
  const points = pointsOf(cassette, options);
  const seeds = Array.from({ length: options.seeds }, (_, index) => index + 1);
  const common = { seeds: Math.min(options.seeds, BASELINE_SEEDS), threads: options.threads, signal: options.signal };
  const { baseline } = await verify(cassette, { ...common, variants: [] });
  const shared = { schema: 1, baseline, axes: options.axes } as const;
  if (!baseline.reproduced)
    return { ...shared, points: [], runs: 0, smallest: null, without_upgrade: null, reason: baseline.reason };
  const pool = await openPool(options.threads, options.signal);
  let found: { points: SweepPoint[]; runs: number };
  try {
    found = await runPoints(pool, cassette, points, baseline.symptoms, seeds, options);
  } finally {
    await pool.close();
  }
  const working = found.points
    .map((point, index) => ({ point, candidate: points[index]! }))
    .filter(({ point }) => point.untold === null && point.k === 0 && point.changes.length > 0)
    .sort((left, right) => compareSize(left.candidate, right.candidate));
  const check = async (candidates: typeof working) => {
    for (const { candidate } of candidates.slice(0, VERIFIED_MAX)) {
      const { variants } = await verify(cassette, {
        variants: [candidate.variant],
        seeds: options.seeds,
        threads: options.threads,
        signal: options.signal,
      });
      if (variants[0]?.verdict === 'fixed') return variants[0];
    }
    return null;
  };
  const modest = working.filter(({ candidate }) => !candidate.upgrades);
  const without_upgrade = await check(modest);
  // Without an upgrade is smaller than with one, whatever the numbers say.
  const smallest = without_upgrade ?? (await check(working.filter(({ candidate }) => candidate.upgrades)));
  const reason =
    smallest !== null
      ? `${smallest.name} is the smallest change that removes the symptom`
      : working.length === 0
        ? 'no combination removes the symptom'
        : `${working.length} combinations show no symptom, but none of the smallest was verified as fixed`;
  return { ...shared, points: found.points, runs: found.runs, smallest, without_upgrade, reason };
}

const BASELINE_SEEDS = 3;

interface Candidate {
  readonly values: readonly string[];
  readonly variant: Variant;
  readonly setup: Setup;
  readonly changed: readonly string[];
  readonly upgrades: boolean;
  /** Sum of the relative changes of numbers; a change of anything else counts as one. */
  readonly distance: number;
}

function compareSize(left: Candidate, right: Candidate): number {
  return (
    Number(left.upgrades) - Number(right.upgrades) ||
    left.changed.length - right.changed.length ||
    left.distance - right.distance
  );
}

function pointsOf(cassette: Cassette, { axes, random, drawSeed = 1 }: SweepOptions): Candidate[] {
  if (axes.length === 0 || axes.length > KEYS_MAX)
    throw new UsageError('bad-axes', `A sweep varies 1 to ${KEYS_MAX} keys, not ${axes.length}.`, {
      hint: 'Name each with --vary KEY=VALUE,VALUE.',
    });
  const size = axes.reduce((product, axis) => product * axis.values.length, 1);
  const wanted = Math.min(random ?? size, size);
  if (wanted > POINTS_MAX)
    throw new UsageError('too-many-points', `${wanted} combinations are more than ${POINTS_MAX}.`, {
      hint: 'Leave out some values, or draw some: --random N.',
    });
  return chosen(size, wanted, drawSeed).map((index) => candidateOf(cassette, axes, index));
}

/** All indices, or `wanted` different ones of them, in ascending order. */
function chosen(size: number, wanted: number, seed: number): number[] {
  if (wanted === size) return Array.from({ length: size }, (_, index) => index);
  const rng = createRng(seed, 'sweep');
  const drawn = new Set<number>();
  // Floyd's way: each draw gives one that was not there before.
  for (let last = size - wanted; last < size; last += 1) {
    const index = rng.int(0, last);
    drawn.add(drawn.has(index) ? last : index);
  }
  return [...drawn].sort((left, right) => left - right);
}

function candidateOf(cassette: Cassette, axes: readonly Axis[], index: number): Candidate {
  let rest = index;
  const values: string[] = [];
  for (const axis of axes.toReversed()) {
    values.unshift(axis.values[rest % axis.values.length]!);
    rest = Math.floor(rest / axis.values.length);
  }
  const pairs = axes.map((axis, place): [string, string] => [axis.key, values[place]!]);
  const unchanged = setUp(cassette.header, BASELINE);
  const changed = pairs.filter(
    ([key, value]) =>
      fingerprint(setUp(cassette.header, { name: '', changes: [[key, value]] })) !== fingerprint(unchanged),
  );
  const variant: Variant = { name: changed.map((pair) => pair.join('=')).join(',') || 'baseline', changes: changed };
  const setup = setUp(cassette.header, variant);
  return {
    values,
    variant,
    setup,
    changed: changed.map(([key]) => key),
    upgrades: changed.some(([key]) => RELEASES.has(key)),
    distance: distance(unchanged, setup),
  };
}

function fingerprint({ nanomq, emqx, bridge, broker, network }: Setup): string {
  return JSON.stringify([nanomq, emqx, bridge.settings, broker.settings, network]);
}

function distance(before: Setup, after: Setup): number {
  const of = ({ bridge, broker }: Setup): [string, unknown][] => [
    ...Object.entries(bridge.settings),
    ...Object.entries(broker.settings),
  ];
  const old = new Map(of(before));
  return of(after).reduce((sum, [key, value]) => {
    const was = old.get(key);
    if (JSON.stringify(value) === JSON.stringify(was)) return sum;
    if (typeof value !== 'number' || typeof was !== 'number') return sum + 1;
    return sum + Math.abs(value - was) / Math.max(Math.abs(was), 1);
  }, 0);
}

async function runPoints(
  pool: RunPool,
  cassette: Cassette,
  points: readonly Candidate[],
  usual: readonly string[],
  seeds: readonly number[],
  { onProgress }: SweepOptions,
): Promise<{ points: SweepPoint[]; runs: number }> {
  let done = 0;
  let runs = 0;
  const results = new Array<SweepPoint>(points.length);
  let next = 0;
  // One point a thread at a time; a point stops at the first seed that shows the symptom.
  const lane = async () => {
    while (next < points.length) {
      const index = next;
      next += 1;
      const { point, made } = await runPoint(pool, cassette, points[index]!, usual, seeds);
      results[index] = point;
      runs += made;
      done += 1;
      onProgress?.(done, points.length);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.max(1, pool.width) }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { points: results, runs };
}

async function runPoint(
  pool: RunPool,
  cassette: Cassette,
  { values, setup, changed }: Candidate,
  usual: readonly string[],
  seeds: readonly number[],
): Promise<{ point: SweepPoint; made: number }> {
  const untold = cannotTell(cassette, setup)?.reason ?? null;
  const loops = loopsNeeded(cassette, setup);
  const runs: CountedRun[] = [];
  for (const seed of untold === null ? seeds : []) {
    const job: CountJob = { setup, seed, loops };
    const [run] = await pool.count(cassette, [job]);
    runs.push(run!);
    if (showsSymptom(run!, usual)) break;
  }
  const k = runs.filter((run) => showsSymptom(run, usual)).length;
  const point: SweepPoint = {
    values,
    changes: changed,
    k,
    n: runs.length,
    interval: wilson(k, runs.length),
    symptoms: [...new Set(runs.flatMap(symptoms))],
    lost_share: mean(runs.map(lostShare)),
    untold,
  };
  return { point, made: runs.length };
}
