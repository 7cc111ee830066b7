/**
 * Does the replay show what the logs showed? Baseline runs and incident are compared field by field, each with its tolerance; what
 * the logs cannot show is `unknown` and not compared.
 */
import type { Header } from './cassette.ts';
import type { Incident } from './incident.ts';
import { showsEverything } from './visibility.ts';

export type FieldName = Exclude<keyof Incident, 'cause'> | 'cause';

export interface FieldReport {
  readonly field: FieldName;
  readonly status: 'alike' | 'differs' | 'unknown';
  readonly observed: number | string | null;
  /** Median of the seeds; of a cause the most frequent one. */
  readonly replayed: number | string | null;
  /** How far a replay may be from the logs, in the field's unit; null: it must be the same. */
  readonly tolerance: number | null;
  /** Seeds within the tolerance. */
  readonly k: number;
}

export interface FidelityReport {
  readonly reproduced: boolean;
  /** Seeds that show cause, count and period of the logs, of seeds run. */
  readonly k: number;
  readonly n: number;
  readonly fields: readonly FieldReport[];
  readonly reason: string;
  /** What to try where it is not reproduced. */
  readonly next: string | null;
}

interface FieldRule {
  readonly field: Exclude<FieldName, 'cause'>;
  readonly words: string;
  /** Share of the logs' number, and what is allowed in any case. */
  readonly share: number;
  readonly least: number;
  /** Every seed that counts must be within it; the others are compared by their median. */
  readonly everySeed: boolean;
}

/** Share of the seeds in which the baseline must look like the incident. */
const REPRODUCED_SHARE = 0.8;
/** Messages and lines by which small counts may differ: a redial is a second earlier or later. */
const FEW = 5;

export const FIELD_RULES: readonly FieldRule[] = [
  { field: 'keepalive_disconnects', words: 'keepalive disconnects', share: 0.2, least: 1, everySeed: true },
  { field: 'period_s', words: 'a period of', share: 0.1, least: 0, everySeed: true },
  { field: 'dwell_s', words: 'connected for', share: 0.1, least: 0.5, everySeed: false },
  { field: 'disconnects', words: 'disconnects', share: 0.1, least: 1, everySeed: false },
  { field: 'busy_lines', words: 'lines "aio busy" a cycle', share: 0.2, least: FEW, everySeed: false },
  { field: 'lost_lines', words: 'lines about lost messages', share: 0.2, least: FEW, everySeed: false },
  { field: 'lost_up', words: 'messages lost upward', share: 0.2, least: FEW, everySeed: false },
  { field: 'delivered_up', words: 'messages delivered upward', share: 0.1, least: FEW, everySeed: false },
  { field: 'delivered_down', words: 'messages sent downward', share: 0.1, least: FEW, everySeed: false },
];

export interface BaselineRun {
  /** The run as logs like those of the incident would show it. */
  readonly seen: Incident;
  readonly symptoms: readonly string[];
}

export function checkFidelity(header: Header, runs: readonly BaselineRun[]): FidelityReport {
  const observed = header.incident;
  const fields = [causeReport(observed, runs), ...FIELD_RULES.map((rule) => fieldReport(rule, observed, runs))];
  const k = runs.filter((run) => showsTheSame(observed, run.seen) && run.symptoms.length > 0).length;
  const report = { k, n: runs.length, fields };
  const failed = whyNot(header, runs, fields, k);
  if (failed === null)
    return {
      ...report,
      reproduced: true,
      reason: `the replay shows what the logs show (${summary(fields)})`,
      next: null,
    };
  return { ...report, reproduced: false, ...failed };
}

function summary(fields: readonly FieldReport[]): string {
  const unknown = fields.filter((field) => field.status === 'unknown').length;
  const alike = fields.filter((field) => field.status === 'alike').length;
  return `${alike} of ${fields.length} fields compared${unknown > 0 ? `, ${unknown} unknown` : ''}`;
}

function showsTheSame(observed: Incident, seen: Incident): boolean {
  if (seen.cause !== observed.cause) return false;
  return FIELD_RULES.every((rule) => !rule.everySeed || within(rule, observed[rule.field], seen[rule.field]));
}

function within(rule: FieldRule, wanted: number | null | undefined, got: number | null | undefined): boolean {
  if (wanted === null || wanted === undefined) return true;
  if (got === null || got === undefined) return false;
  // None of many is another story, however few they were.
  if (rule.field === 'keepalive_disconnects' && wanted > 0 && got === 0) return false;
  return Math.abs(got - wanted) <= allowed(rule, wanted);
}

function allowed(rule: FieldRule, wanted: number): number {
  return Math.max(rule.least, rule.share * wanted);
}

function causeReport(observed: Incident, runs: readonly BaselineRun[]): FieldReport {
  const causes = runs.map((run) => run.seen.cause);
  const k = causes.filter((cause) => cause === observed.cause).length;
  return {
    field: 'cause',
    status: k >= REPRODUCED_SHARE * runs.length ? 'alike' : 'differs',
    observed: observed.cause,
    replayed: mostFrequent(causes),
    tolerance: null,
    k,
  };
}

function fieldReport(rule: FieldRule, observed: Incident, runs: readonly BaselineRun[]): FieldReport {
  const wanted = observed[rule.field] ?? null;
  const replayed = median(runs.map((run) => run.seen[rule.field] ?? null));
  const report = { field: rule.field, observed: wanted, replayed };
  if (wanted === null) return { ...report, status: 'unknown', tolerance: null, k: 0 };
  const k = runs.filter((run) => within(rule, wanted, run.seen[rule.field])).length;
  const alike = rule.everySeed ? k >= REPRODUCED_SHARE * runs.length : within(rule, wanted, replayed);
  return { ...report, status: alike ? 'alike' : 'differs', tolerance: allowed(rule, wanted), k };
}

function whyNot(
  header: Header,
  runs: readonly BaselineRun[],
  fields: readonly FieldReport[],
  k: number,
): { reason: string; next: string } | null {
  const observed = header.incident;
  if (observed.cause === null && observed.keepalive_disconnects === 0)
    return {
      reason: 'the logs show no cause and no keepalive disconnect, so there is nothing to reproduce',
      next: 'Rebuild from logs of the time in which it happened, of both sides and at debug level.',
    };
  if (header.bridge.release_known_by === 'assumed')
    return {
      reason: `no line tells the bridge's release; ${header.bridge.release} was only assumed`,
      next: 'Name it: bridgetrace rebuild --nanomq RELEASE.',
    };
  const differing = fields.find((field) => field.status === 'differs');
  if (differing !== undefined)
    return { reason: `the replay shows ${words(differing)}`, next: nextStep(header, differing) };
  if (runs.every((run) => run.symptoms.length === 0))
    return {
      reason: 'the replay shows no reconnect cycle, stall or loss',
      next: 'There is no symptom that a change could remove; look at what analyze found.',
    };
  if (k < REPRODUCED_SHARE * runs.length)
    return {
      reason: `only ${k} of ${runs.length} seeds show cause, count and period of the logs`,
      next: nextStep(header, fields[0]!),
    };
  return null;
}

function words({ field, observed, replayed }: FieldReport): string {
  if (field === 'cause') return `cause ${replayed ?? 'none'} instead of ${observed ?? 'none'}`;
  const rule = FIELD_RULES.find((one) => one.field === field)!;
  if (field === 'period_s' || field === 'dwell_s')
    return `${rule.words} ${seconds(replayed)} instead of ${seconds(observed)}`;
  return `${number(replayed)} ${rule.words} instead of ${number(observed)}`;
}

function seconds(value: number | string | null): string {
  return typeof value === 'number' ? `${value.toFixed(1)} s` : 'none';
}

function number(value: number | string | null): string {
  return typeof value === 'number' ? String(Math.round(10 * value) / 10) : 'no';
}

const OF_TRAFFIC: ReadonlySet<FieldName> = new Set([
  'busy_lines',
  'lost_lines',
  'lost_up',
  'delivered_up',
  'delivered_down',
]);

/** The first thing that is likely to help. */
function nextStep(header: Header, { field }: FieldReport): string {
  const { bridge, visible, uplink } = header;
  if (uplink === 'hidden')
    return 'The logs do not show what was published: take a debug log of NanoMQ, or state the rate with bridgetrace rebuild --rate.';
  if (OF_TRAFFIC.has(field) && uplink === 'partly')
    return 'The logs show only a part of what was published: take a debug log of NanoMQ, or mend the publish entries of the cassette.';
  if (visible !== undefined && visible.broker === null) return "Ingest the broker's log too and rebuild.";
  if (visible !== undefined && visible.bridge === null) return "Ingest the bridge's log too and rebuild.";
  if (Object.values(bridge.origins ?? {}).includes('assumed') && bridge.origins.keepaliveS === 'assumed')
    return "Give the bridge's own configuration: bridgetrace rebuild --conf nanomq.conf.";
  if (visible !== undefined && !showsEverything(visible))
    return 'Take the logs of both sides at debug level, with a trace of the client at the broker.';
  return 'Look at the assumed settings in the header of the cassette and at its network entries; mend what you know better.';
}

function mostFrequent(values: readonly (string | null)[]): string | null {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((left, right) => right[1] - left[1])[0]?.[0] ?? null;
}

function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((left, right) => left - right);
  if (known.length === 0) return null;
  const middle = Math.floor(known.length / 2);
  return known.length % 2 === 1 ? known[middle]! : (known[middle - 1]! + known[middle]!) / 2;
}
