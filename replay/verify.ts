/**
 * The verdict: is the incident reproduced, and does a change remove its symptom? (docs/ARCHITECTURE.md, "Findings, cassettes, verdicts")
 *
 * Baseline and variants run over the same seeds. k of n: seeds that show the symptom of seeds run. `fixed` needs a reproduced
 * baseline and a variant that shows it in none; `not-fixed` may stop at the first seed that does; everything else is inconclusive.
 */
import type { Database } from '../queries/index.ts';
import { type Cassette, fidelity, type Incident } from './cassette.ts';
import type { Entry } from './entry.ts';
import { withNetwork } from './network-change.ts';
import { dropRun, type LiveRequest, type RunResult, runReplay } from './run.ts';
import { BASELINE, type Setup, setUp, type Variant } from './variant.ts';

export type VerdictName = 'fixed' | 'not-fixed' | 'inconclusive';

export interface VerifyOptions {
  readonly variants: readonly Variant[];
  readonly seeds: number;
  /** On real sockets and the real clock, one run after the other. */
  readonly live?: LiveRequest;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number, label: string) => void;
}

export interface VariantVerdict {
  readonly name: string;
  readonly verdict: VerdictName;
  readonly k: number;
  readonly n: number;
  readonly reason: string;
  /** Symptoms the baseline did not have. */
  readonly new_symptoms: readonly string[];
  readonly causes: readonly string[];
  readonly keepalive_disconnects: number | null; // mean over the seeds run
  readonly period_s: number | null;
  readonly lost_share: number | null;
  readonly notes: readonly string[];
}

export interface Verification {
  readonly schema: 1;
  readonly baseline: {
    readonly reproduced: boolean;
    readonly k: number;
    readonly n: number;
    readonly cause: string | null;
    readonly cycles: number | null;
    readonly period_s: number | null;
    readonly disconnects: number | null;
    readonly lost: number | null;
    readonly lost_share: number | null;
    readonly symptoms: readonly string[];
    readonly reason: string;
    readonly observed: Incident;
  };
  readonly variants: readonly VariantVerdict[];
  readonly fidelity: { readonly observed: number; readonly inferred: number; readonly assumed: number };
  readonly seeds: readonly number[];
}

/** Share of the seeds in which the baseline must look like the incident. */
const REPRODUCED_SHARE = 0.8;
const PERIOD_TOLERANCE = 0.1;
const COUNT_TOLERANCE = 0.2;
/** A cycle is two disconnects of one kind that nothing from outside provoked. */
const MIN_CYCLES = 2;
/** From this share of messages lost over a working connection on, the loss is a symptom of its own. */
const LOSS_SHARE = 0.25;
/** Fewer offered messages than this say nothing about a share. */
const LOSS_MIN_OFFERED = 20;

export async function verify(database: Database, cassette: Cassette, options: VerifyOptions): Promise<Verification> {
  const seeds = Array.from({ length: options.seeds }, (_, index) => index + 1);
  const total = seeds.length * (options.variants.length + 1);
  let done = 0;
  const run = async (setup: Setup, variant: Variant, seed: number, loops: number): Promise<RunResult> => {
    options.signal?.throwIfAborted();
    const result = await runReplay(database, {
      cassette,
      setup,
      label: variant.name,
      seed,
      forced: variant === BASELINE,
      loops,
      brief: true,
      live: options.live,
      signal: options.signal,
    });
    await dropRun(database, result.runId);
    await database.run('CHECKPOINT'); // frees what the run took
    done += 1;
    options.onProgress?.(done, total, variant.name);
    return result;
  };
  // A change that cannot be made is an error now, not after the baseline.
  for (const variant of options.variants) setUp(cassette.header, variant);
  const observed = cassette.header.incident;
  const baselineSetup = setUp(cassette.header, BASELINE);
  const baseline: RunResult[] = [];
  for (const seed of seeds) baseline.push(await run(baselineSetup, BASELINE, seed, 1));
  const alike = baseline.filter(
    (result) => difference(result.incident, observed) === null && symptoms(result).length > 0,
  );
  const reproduced = !showsNothing(observed) && alike.length >= REPRODUCED_SHARE * seeds.length;
  const usual = [...new Set(baseline.flatMap(symptoms))];
  const variants: VariantVerdict[] = [];
  for (const variant of options.variants) {
    variants.push(await judge(cassette, variant, seeds, usual, reproduced, baseline, run));
    done = seeds.length * (variants.length + 1);
  }
  return {
    schema: 1,
    baseline: {
      reproduced,
      k: alike.length,
      n: seeds.length,
      cause: baseline[0]?.incident.cause ?? null,
      cycles: mean(baseline.map((result) => result.incident.keepalive_disconnects)),
      period_s: mean(baseline.map((result) => result.incident.period_s)),
      disconnects: mean(baseline.map((result) => result.incident.disconnects)),
      lost: mean(baseline.map((result) => lostMessages(result))),
      lost_share: mean(baseline.map(lostShare)),
      symptoms: usual,
      reason: reproduced ? 'the replay shows the same cause, count and period as the logs' : whyNot(baseline, observed),
      observed,
    },
    variants,
    fidelity: fidelity(cassette),
    seeds,
  };
}

async function judge(
  cassette: Cassette,
  variant: Variant,
  seeds: readonly number[],
  usual: readonly string[],
  reproduced: boolean,
  baseline: readonly RunResult[],
  run: (setup: Setup, variant: Variant, seed: number, loops: number) => Promise<RunResult>,
): Promise<VariantVerdict> {
  const setup = setUp(cassette.header, variant);
  const loops = Math.max(
    1,
    Math.min(loopsNeeded(cassette, setup), Math.ceil(MAX_LOOPS_US / cassette.header.duration_us)),
  );
  const untested = cannotTell(cassette, setup);
  const results: RunResult[] = [];
  let shown = 0;
  for (const seed of seeds) {
    const result = await run(setup, variant, seed, loops);
    results.push(result);
    if (symptoms(result).some((symptom) => usual.includes(symptom) || symptom.startsWith('cycle'))) {
      shown += 1;
      break; // one seed that shows it is enough: not fixed
    }
  }
  const fresh = [...new Set(results.flatMap(symptoms))].filter((symptom) => !usual.includes(symptom));
  const newCauses = [...new Set(results.flatMap((result) => result.findings))].filter(
    (id) => !baseline.some((result) => result.findings.includes(id)),
  );
  // Stops and rivals of the cassette itself are not the variant's doing.
  const provoked = withNetwork(cassette, setup.network).entries.flatMap((entry) => PROVOKES[entry.type] ?? []);
  const caused = newCauses.filter((id) => !provoked.includes(id));
  const doubt = untested ?? missingDirection(baseline, results) ?? worseLoss(baseline, results);
  const { verdict, reason } = decide({ reproduced, shown, fresh: [...fresh, ...caused], silent: doubt, results });
  return {
    name: variant.name,
    verdict,
    k: shown,
    n: results.length,
    reason,
    new_symptoms: [...fresh, ...newCauses],
    causes: [...new Set(results.map((result) => result.incident.cause).filter((cause) => cause !== null))],
    keepalive_disconnects: mean(results.map((result) => result.incident.keepalive_disconnects)),
    period_s: mean(results.map((result) => result.incident.period_s)),
    lost_share: mean(results.map(lostShare)),
    notes: setup.notes,
  };
}

function decide(facts: {
  reproduced: boolean;
  shown: number;
  fresh: readonly string[];
  silent: string | null;
  results: readonly RunResult[];
}): { verdict: VerdictName; reason: string } {
  if (!facts.reproduced)
    return {
      verdict: 'inconclusive',
      reason: 'the baseline replay does not show what the logs show, so a change proves nothing',
    };
  if (facts.shown > 0)
    return { verdict: 'not-fixed', reason: `still shows ${[...new Set(facts.results.flatMap(symptoms))].join(', ')}` };
  if (facts.silent !== null) return { verdict: 'inconclusive', reason: facts.silent };
  if (facts.fresh.length > 0)
    return {
      verdict: 'inconclusive',
      reason: `the symptom is gone, but there is a new one: ${facts.fresh.join(', ')}`,
    };
  return { verdict: 'fixed', reason: 'the symptom shows in none of the seeds' };
}

/** What a run shows, as stable words: `cycle`, `stall up qos 0`, `loss up qos 0`. */
export function symptoms(result: RunResult): string[] {
  return [
    ...(result.unprovoked >= MIN_CYCLES ? ['cycle'] : []),
    ...result.flows.filter((flow) => flow.stalled).map((flow) => `stall ${flow.direction} qos ${flow.qos}`),
    ...result.flows
      .filter((flow) => flow.offeredConnected >= LOSS_MIN_OFFERED && flow.lostConnectedShare >= LOSS_SHARE)
      .map((flow) => `loss ${flow.direction} qos ${flow.qos}`),
  ];
}

/** What tells a replay from the incident, or null if nothing does within the tolerances. */
function difference(seen: Incident, observed: Incident): string | null {
  if (seen.cause !== observed.cause) return `cause ${seen.cause ?? 'none'} instead of ${observed.cause ?? 'none'}`;
  const allowed = Math.max(1, COUNT_TOLERANCE * observed.keepalive_disconnects);
  const vanished = observed.keepalive_disconnects > 0 && seen.keepalive_disconnects === 0;
  if (vanished || Math.abs(seen.keepalive_disconnects - observed.keepalive_disconnects) > allowed)
    return `${seen.keepalive_disconnects} keepalive disconnects instead of ${observed.keepalive_disconnects}`;
  if (
    observed.period_s !== null &&
    (seen.period_s === null || Math.abs(seen.period_s - observed.period_s) > PERIOD_TOLERANCE * observed.period_s)
  ) {
    return `a period of ${seen.period_s?.toFixed(1) ?? 'none'} s instead of ${observed.period_s.toFixed(1)} s`;
  }
  return null;
}

function showsNothing(observed: Incident): boolean {
  return observed.cause === null && observed.keepalive_disconnects === 0;
}

function whyNot(baseline: readonly RunResult[], observed: Incident): string {
  if (showsNothing(observed))
    return 'the logs show no cause and no keepalive disconnect, so there is nothing to reproduce';
  const first = baseline.map((result) => difference(result.incident, observed)).find((text) => text !== null);
  return first === undefined ? 'the replay shows no reconnect cycle, stall or loss' : `the replay shows ${first}`;
}

/** Findings that an entry of the cassette brings about by itself. */
const PROVOKES: { readonly [Type in Entry['type']]?: readonly string[] } = {
  network: ['transport-loss', 'quic-idle-timeout'],
  'broker-stop': ['broker-restart'],
  'broker-kill': ['broker-restart', 'broker-unresponsive'],
  'broker-pause': ['broker-unresponsive', 'transport-loss'],
  'nat-rebind': ['transport-loss'],
  refuse: ['auth-refused'],
  kick: ['kicked'],
  'rival-connect': ['client-id-clash'],
};
/** A replay for a verdict takes at most this much of the incident's time. */
const MAX_LOOPS_US = 26 * 3_600_000_000;
/** Messages may be lost by chance; beyond this a change that loses more than the incident is no clean fix. */
const WORSE_LOSS = 0.05;

/** A keepalive that the broker imposes wins over the bridge's own. */
function keepaliveInForce(setup: Setup): number {
  return setup.broker.settings.serverKeepaliveS ?? setup.bridge.settings.keepaliveS;
}

/** Settings under which a silent connection is never found out, or so late that no replay can wait for it. */
function cannotTell(cassette: Cassette, setup: Setup): string | null {
  const keepalive = keepaliveInForce(setup);
  const before = cassette.header.bridge.settings.keepaliveS ?? 10;
  if (keepalive === 0 && before !== 0) return 'the keepalive is switched off, so nothing would end a dead connection';
  if (loopsNeeded(cassette, setup) * cassette.header.duration_us > MAX_LOOPS_US + cassette.header.duration_us)
    return `with a keepalive of ${keepalive} s the replay would have to run for more than ${MAX_LOOPS_US / 3_600_000_000} h`;
  return null;
}

function worseLoss(baseline: readonly RunResult[], results: readonly RunResult[]): string | null {
  const before = mean(baseline.map(lostShare)) ?? 0;
  const after = mean(results.map(lostShare)) ?? 0;
  if (after <= before + WORSE_LOSS) return null;
  return `the symptom is gone, but more is lost: ${Math.round(100 * after)} % instead of ${Math.round(100 * before)} %`;
}

/** A variant must run at least three times as long as its own settings let a silent connection live, so that keepalive 3600 s is no fix. */
function loopsNeeded(cassette: Cassette, setup: Setup): number {
  const keepalive = keepaliveInForce(setup);
  const incident = cassette.header.bridge.settings.keepaliveS ?? 10;
  // The longest bound of any generation is 2 × multiplier × keepalive (emqx-keepalive-model §1.3).
  const boundUs = 2 * setup.broker.settings.keepaliveMultiplier * Math.max(keepalive, incident) * 1e6;
  return Math.max(1, Math.ceil((3 * boundUs) / cassette.header.duration_us));
}

function missingDirection(baseline: readonly RunResult[], results: readonly RunResult[]): string | null {
  const total = (runs: readonly RunResult[], direction: 'up' | 'down') =>
    runs
      .flatMap((result) => result.flows)
      .filter((flow) => flow.direction === direction)
      .reduce((sum, flow) => ({ offered: sum.offered + flow.offered, delivered: sum.delivered + flow.delivered }), {
        offered: 0,
        delivered: 0,
      });
  const up = total(results, 'up');
  const down = total(results, 'down');
  if (total(baseline, 'up').offered + total(baseline, 'down').offered === 0)
    return 'the cassette holds no message, so nothing could go wrong';
  if (up.offered > 0 && up.delivered === 0) return 'not one message got through upward';
  if (down.offered > 0 && down.delivered === 0) return 'not one message got through downward';
  return null;
}

function lostMessages(result: RunResult): number {
  return result.flows.reduce((sum, flow) => sum + flow.offered - flow.delivered, 0);
}

function lostShare(result: RunResult): number | null {
  const offered = result.flows.reduce((sum, flow) => sum + flow.offered, 0);
  return offered === 0 ? null : lostMessages(result) / offered;
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
