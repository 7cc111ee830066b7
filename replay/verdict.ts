/**
 * What the runs of a variant say. `fixed` needs a reproduced baseline and a variant that shows the symptom in no seed, that was
 * offered the same messages, delivered some in each direction and lost no more, and that brings no problem of its own.
 */
import type { Cassette } from './cassette.ts';
import type { Entry } from './entry.ts';
import { type Interval, wilson } from './interval.ts';
import { withNetwork } from './network-change.ts';
import type { RunResult } from './run.ts';
import { lostMessages, type Symptomatic, symptoms } from './run-symptoms.ts';
import type { Setup, Variant } from './variant.ts';

export type VerdictName = 'fixed' | 'not-fixed' | 'inconclusive';

export interface VariantVerdict {
  readonly name: string;
  readonly verdict: VerdictName;
  /** Fixed, and nothing new went wrong. */
  readonly clean: boolean;
  readonly k: number;
  readonly n: number;
  /** Share of all seeds that may show the symptom, 95 %. */
  readonly interval: Interval;
  readonly reason: string;
  /** What to try where it is inconclusive. */
  readonly next: string | null;
  /** Symptoms and findings that the baseline did not have. */
  readonly new_symptoms: readonly string[];
  /** Findings of the baseline that do not show any more. */
  readonly gone: readonly string[];
  readonly causes: readonly string[];
  readonly keepalive_disconnects: number | null; // mean over the seeds run
  readonly period_s: number | null;
  readonly lost_share: number | null;
  readonly notes: readonly string[];
}

export interface Judged {
  readonly cassette: Cassette;
  readonly variant: Variant;
  readonly setup: Setup;
  readonly baseline: readonly RunResult[];
  /** In the order of the seeds, up to the first that shows the symptom. */
  readonly results: readonly RunResult[];
  /** The unchanged bridge, run as long as the variant and as free in its races; none if the variant shows the symptom anyway. */
  readonly control: readonly RunResult[];
  /** The same in the variant's network, if that is not the cassette's. */
  readonly elsewhere: readonly RunResult[];
}

/** True for a run that shows what is to be removed: a symptom of the baseline, or a cycle of any kind. */
export function showsSymptom(result: Symptomatic, usual: readonly string[]): boolean {
  return symptoms(result).some((symptom) => usual.includes(symptom) || symptom === 'cycle');
}

export function judge({ cassette, variant, setup, baseline, results, control, elsewhere }: Judged): VariantVerdict {
  const usual = symptomsOf(baseline);
  const shown = results.filter((result) => showsSymptom(result, usual)).length;
  const fresh = symptomsOf(results).filter((symptom) => !usual.includes(symptom));
  // The logs begin and end somewhere and hold one course of the races; a longer or freer run of the same bridge may show more.
  const known = [
    ...findingsOf(baseline),
    ...findingsOf(control),
    ...findingsOf(elsewhere),
    ...provoked(cassette, setup),
  ];
  const newFindings = findingsOf(results).filter((id) => !known.includes(id));
  const new_symptoms = [...fresh, ...newFindings];
  const told = decide(shown, results, new_symptoms, [
    cannotTell(cassette, setup),
    luck(control, usual),
    missingDirection(baseline, results),
    worseLoss(baseline, results),
  ]);
  return {
    name: variant.name,
    ...told,
    clean: told.verdict === 'fixed' && new_symptoms.length === 0,
    k: shown,
    n: results.length,
    interval: wilson(shown, results.length),
    new_symptoms,
    gone: findingsOf(baseline).filter((id) => !findingsOf(results).includes(id)),
    causes: [...new Set(results.map((result) => result.incident.cause).filter((cause) => cause !== null))],
    keepalive_disconnects: mean(results.map((result) => result.incident.keepalive_disconnects)),
    period_s: mean(results.map((result) => result.incident.period_s)),
    lost_share: mean(results.map(lostShare)),
    notes: setup.notes,
  };
}

/** The verdict on a variant that was not run. */
export function undecided(variant: Variant, setup: Setup, reason: string, next: string | null): VariantVerdict {
  return {
    name: variant.name,
    verdict: 'inconclusive',
    clean: false,
    k: 0,
    n: 0,
    interval: wilson(0, 0),
    reason,
    next,
    new_symptoms: [],
    gone: [],
    causes: [],
    keepalive_disconnects: null,
    period_s: null,
    lost_share: null,
    notes: setup.notes,
  };
}

interface Doubt {
  readonly reason: string;
  readonly next: string;
}

function decide(
  shown: number,
  results: readonly RunResult[],
  fresh: readonly string[],
  doubts: readonly (Doubt | null)[],
): { verdict: VerdictName; reason: string; next: string | null } {
  if (shown > 0) return { verdict: 'not-fixed', reason: `still shows ${symptomsOf(results).join(', ')}`, next: null };
  const doubt = doubts.find((one) => one !== null);
  if (doubt) return { verdict: 'inconclusive', ...doubt };
  if (fresh.length > 0)
    return {
      verdict: 'inconclusive',
      reason: `the symptom is gone, but there is a new one: ${fresh.join(', ')}`,
      next: `Look at what it is (bridgetrace explain ${fresh[0]}) and try the change together with one that avoids it.`,
    };
  return { verdict: 'fixed', reason: 'the symptom shows in none of the seeds', next: null };
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

/** Stops and rivals of the cassette itself are not the variant's doing. */
function provoked(cassette: Cassette, setup: Setup): string[] {
  return withNetwork(cassette, setup.network).entries.flatMap((entry) => PROVOKES[entry.type] ?? []);
}

/** A replay for a verdict takes at most this much of the incident's time. */
const MAX_LOOPS_US = 26 * 3_600_000_000;
/** Share of the seeds in which the unchanged bridge must show the symptom for its absence to mean something. */
const CONTROL_SHARE = 0.8;
/** Messages may be lost by chance; beyond this a change that loses more than the incident is no clean fix. */
const WORSE_LOSS = 0.05;

/** A keepalive that the broker imposes wins over the bridge's own. */
function keepaliveInForce(setup: Setup): number {
  return setup.broker.settings.serverKeepaliveS ?? setup.bridge.settings.keepaliveS;
}

/** Settings under which a silent connection is never found out, or so late that no replay can wait for it. */
export function cannotTell(cassette: Cassette, setup: Setup): Doubt | null {
  const keepalive = keepaliveInForce(setup);
  const before = cassette.header.bridge.settings.keepaliveS ?? 10;
  const next = 'Try a keepalive of some minutes at most.';
  if (keepalive === 0 && before !== 0)
    return { reason: 'the keepalive is switched off, so nothing would end a dead connection', next };
  if (loopsWanted(cassette, setup) * cassette.header.duration_us > MAX_LOOPS_US + cassette.header.duration_us)
    return {
      reason: `with a keepalive of ${keepalive} s the replay would have to run for more than ${MAX_LOOPS_US / 3_600_000_000} h`,
      next,
    };
  return null;
}

/** Where the unchanged bridge, free in its races, seldom shows the symptom, a change that does not show it either proves nothing. */
function luck(control: readonly RunResult[], usual: readonly string[]): Doubt | null {
  const shown = control.filter((result) => showsSymptom(result, usual)).length;
  if (shown >= CONTROL_SHARE * control.length) return null;
  return {
    reason: `the unchanged bridge shows the symptom in ${shown} of ${control.length} seeds only unless its races come out as they did, so its absence proves nothing`,
    next: 'The incident hangs on a race: judge by the cause that analyze names.',
  };
}

function worseLoss(baseline: readonly RunResult[], results: readonly RunResult[]): Doubt | null {
  const before = mean(baseline.map(lostShare)) ?? 0;
  const after = mean(results.map(lostShare)) ?? 0;
  if (after <= before + WORSE_LOSS) return null;
  return {
    reason: `the symptom is gone, but more is lost: ${Math.round(100 * after)} % instead of ${Math.round(100 * before)} %`,
    next: 'See where the messages go: bridgetrace replay with the change and --db, then bridgetrace query losses.',
  };
}

/** How often a variant's run repeats the cassette. */
export function loopsNeeded(cassette: Cassette, setup: Setup): number {
  const most = Math.ceil(MAX_LOOPS_US / cassette.header.duration_us);
  return Math.max(1, Math.min(loopsWanted(cassette, setup), most));
}

/** A variant must run at least three times as long as its own settings let a silent connection live, so that keepalive 3600 s is no fix. */
function loopsWanted(cassette: Cassette, setup: Setup): number {
  const keepalive = keepaliveInForce(setup);
  const incident = cassette.header.bridge.settings.keepaliveS ?? 10;
  // The longest bound of any generation is 2 × multiplier × keepalive (emqx-keepalive-model §1.3).
  const boundUs = 2 * setup.broker.settings.keepaliveMultiplier * Math.max(keepalive, incident) * 1e6;
  return Math.max(1, Math.ceil((3 * boundUs) / cassette.header.duration_us));
}

function missingDirection(baseline: readonly RunResult[], results: readonly RunResult[]): Doubt | null {
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
    return { reason: 'the cassette holds no message, so nothing could go wrong', next: NEXT_MESSAGES };
  if (up.offered > 0 && up.delivered === 0)
    return { reason: 'not one message got through upward', next: NEXT_DELIVERY };
  if (down.offered > 0 && down.delivered === 0)
    return { reason: 'not one message got through downward', next: NEXT_DELIVERY };
  return null;
}

const NEXT_MESSAGES =
  'Rebuild from logs that show messages: NanoMQ at debug level, or state the rate with bridgetrace rebuild --rate.';
const NEXT_DELIVERY =
  'The change may cut the bridge off: look at a run of it, bridgetrace replay with the change and --db.';

export function symptomsOf(results: readonly RunResult[]): string[] {
  return [...new Set(results.flatMap(symptoms))];
}

function findingsOf(results: readonly RunResult[]): string[] {
  return [...new Set(results.flatMap((result) => result.findings))];
}

export function lostShare(result: Symptomatic): number | null {
  const offered = result.flows.reduce((sum, flow) => sum + flow.offered, 0);
  return offered === 0 ? null : lostMessages(result) / offered;
}

export function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
