/**
 * The verdict: is the incident reproduced, and does a change remove its symptom? (docs/ARCHITECTURE.md, "Findings, cassettes, verdicts")
 *
 * The baseline runs first. Only if it shows what the logs show are the variants run, over the same seeds. k of n: seeds that show the
 * symptom of seeds run; a variant stops at the first seed that does. Where the logs hide what was published, all of it is done for
 * several assumed rates, and a verdict stands only if it is the same for each.
 */
import type { Cassette } from './cassette.ts';
import { fidelity } from './cassette.ts';
import { type BaselineRun, checkFidelity, type FidelityReport } from './fidelity.ts';
import type { Incident } from './incident.ts';
import { withUplink } from './offered.ts';
import type { LiveRequest, RunResult } from './run.ts';
import type { BaselineResult } from './run-job.ts';
import { openPool, type RunPool } from './run-pool.ts';
import { lostMessages, symptoms } from './run-symptoms.ts';
import { BASELINE, type Setup, setUp, type Variant } from './variant.ts';
import {
  judge,
  loopsNeeded,
  lostShare,
  mean,
  showsSymptom,
  symptomsOf,
  undecided,
  type VariantVerdict,
} from './verdict.ts';

export interface VerifyOptions {
  readonly variants: readonly Variant[];
  readonly seeds: number;
  /** Runs at a time; 0 (and live): in this thread. */
  readonly threads?: number;
  /** On real sockets and the real clock, one run after the other. */
  readonly live?: LiveRequest;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number, label: string) => void;
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
    readonly next: string | null;
    readonly fields: FidelityReport['fields'];
    readonly observed: Incident;
  };
  readonly variants: readonly VariantVerdict[];
  readonly fidelity: { readonly observed: number; readonly inferred: number; readonly assumed: number };
  readonly seeds: readonly number[];
  /** Messages a second upward that were assumed, one after the other; null: the logs show them. */
  readonly assumed_rates: readonly number[] | null;
}

/** What a bridge may have carried where its logs do not show it, messages a second. */
export const ASSUMED_RATES: readonly number[] = [0.2, 1, 10, 50];

export async function verify(cassette: Cassette, options: VerifyOptions): Promise<Verification> {
  // A change that cannot be made is an error now, not after the baseline.
  for (const variant of options.variants) setUp(cassette.header, variant);
  const rates = cassette.header.uplink === 'hidden' ? ASSUMED_RATES : null;
  const cassettes = rates === null ? [cassette] : rates.map((rate) => withUplink(cassette, rate));
  const seeds = Array.from({ length: options.seeds }, (_, index) => index + 1);
  const total = cassettes.length * seeds.length * (options.variants.length + 1);
  const pool = await openPool(options.live ? 0 : (options.threads ?? 0), options.signal);
  try {
    let done = 0;
    const parts: Part[] = [];
    for (const one of cassettes) {
      parts.push(
        await new Trial(pool, one, seeds, options, (label) => {
          done += 1;
          options.onProgress?.(Math.min(done, total), total, label);
        }).outcome(),
      );
    }
    const agreed = rates === null ? parts[0]! : agree(parts, rates);
    return { schema: 1, ...agreed, fidelity: fidelity(cassettes[0]!), seeds, assumed_rates: rates };
  } finally {
    await pool.close();
  }
}

interface Part {
  readonly baseline: Verification['baseline'];
  readonly variants: readonly VariantVerdict[];
}

/** Baseline and variants of one cassette. */
class Trial {
  readonly #pool: RunPool;
  readonly #cassette: Cassette;
  readonly #seeds: readonly number[];
  readonly #options: VerifyOptions;
  readonly #ran: (label: string) => void;
  readonly #controls = new Map<string, Promise<RunResult[]>>();

  constructor(
    pool: RunPool,
    cassette: Cassette,
    seeds: readonly number[],
    options: VerifyOptions,
    ran: (label: string) => void,
  ) {
    this.#pool = pool;
    this.#cassette = cassette;
    this.#seeds = seeds;
    this.#options = options;
    this.#ran = ran;
  }

  async outcome(): Promise<Part> {
    const { header } = this.#cassette;
    const setup = setUp(header, BASELINE);
    const baseline = await this.#all((seed) => this.#run(setup, 'baseline', seed, { asLogged: true, forced: true }));
    const report = checkFidelity(header, baseline.map(asBaseline));
    const variants: VariantVerdict[] = [];
    for (const variant of this.#options.variants) variants.push(await this.#verdict(variant, baseline, report));
    return { baseline: describe(baseline, report, header.incident), variants };
  }

  async #verdict(variant: Variant, baseline: readonly RunResult[], report: FidelityReport): Promise<VariantVerdict> {
    const setup = setUp(this.#cassette.header, variant);
    if (!report.reproduced) return undecided(variant, setup, NOT_REPRODUCED, report.next);
    const usual = symptomsOf(baseline);
    const loops = loopsNeeded(this.#cassette, setup);
    const results = await this.#untilShown(usual, (seed) => this.#run(setup, variant.name, seed, { loops }));
    const shown = results.some((result) => showsSymptom(result, usual));
    const control = shown ? [] : await this.#control(loops, null);
    const elsewhere = shown || setup.network === null ? [] : await this.#control(loops, setup);
    return judge({ cassette: this.#cassette, variant, setup, baseline, results, control, elsewhere });
  }

  /** The unchanged bridge, as long as the variant ran and free in its races; in the variant's network, if that is another one. */
  #control(loops: number, changed: Setup | null): Promise<RunResult[]> {
    const key = `${loops} ${JSON.stringify(changed?.network ?? null)}`;
    const setup = { ...setUp(this.#cassette.header, BASELINE), network: changed?.network ?? null };
    const known = this.#controls.get(key) ?? this.#all((seed) => this.#run(setup, 'control', seed, { loops }));
    this.#controls.set(key, known);
    return known;
  }

  async #run(
    setup: Setup,
    label: string,
    seed: number,
    { loops = 1, forced = false, asLogged = false },
  ): Promise<BaselineResult> {
    const { live } = this.#options;
    const job = { setup, label, seed, forced, loops, asLogged, ...(live ? { live } : {}) };
    const result = await this.#pool.run(this.#cassette, job);
    this.#ran(label);
    return result;
  }

  async #all<Result>(run: (seed: number) => Promise<Result>): Promise<Result[]> {
    return this.#some(run, () => false);
  }

  /** The results up to the first seed that shows it: with several threads later seeds may have run, and do not count. */
  async #untilShown(usual: readonly string[], run: (seed: number) => Promise<RunResult>): Promise<RunResult[]> {
    return this.#some(run, (result) => showsSymptom(result, usual));
  }

  async #some<Result>(run: (seed: number) => Promise<Result>, isLast: (result: Result) => boolean): Promise<Result[]> {
    const results: Result[] = [];
    for (let at = 0; at < this.#seeds.length; at += this.#pool.width) {
      for (const result of await settled(this.#seeds.slice(at, at + this.#pool.width).map(run))) {
        results.push(result);
        if (isLast(result)) return results;
      }
    }
    return results;
  }
}

/** As Promise.all, but nothing is left running when it fails. */
async function settled<Result>(running: readonly Promise<Result>[]): Promise<Result[]> {
  const ends = await Promise.allSettled(running);
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  });
}

const NOT_REPRODUCED = 'the baseline replay does not show what the logs show, so a change proves nothing';

function asBaseline(result: BaselineResult): BaselineRun {
  return { seen: result.seen ?? result.incident, symptoms: symptoms(result) };
}

function describe(
  baseline: readonly RunResult[],
  { reproduced, k, n, reason, next, fields }: FidelityReport,
  observed: Incident,
): Verification['baseline'] {
  return {
    reproduced,
    k,
    n,
    cause: baseline[0]?.incident.cause ?? null,
    cycles: mean(baseline.map((result) => result.incident.keepalive_disconnects)),
    period_s: mean(baseline.map((result) => result.incident.period_s)),
    disconnects: mean(baseline.map((result) => result.incident.disconnects)),
    lost: mean(baseline.map(lostMessages)),
    lost_share: mean(baseline.map(lostShare)),
    symptoms: symptomsOf(baseline),
    reason,
    next,
    fields,
    observed,
  };
}

/** One answer from those for several rates: a verdict that is not the same for each of them is none. */
function agree(parts: readonly Part[], rates: readonly number[]): Part {
  const failed = parts.findIndex((part) => !part.baseline.reproduced);
  const shown = parts[failed === -1 ? 0 : failed]!;
  const baseline =
    failed === -1
      ? shown.baseline
      : { ...shown.baseline, reason: `with ${rates[failed]} messages a second ${shown.baseline.reason}` };
  const variants = shown.variants.map((variant, index): VariantVerdict => {
    const told = parts.map((part) => part.variants[index]!);
    const differing = told.findIndex((one) => one.verdict !== told[0]!.verdict);
    const least = told.reduce((worst, one) => (RANK[one.verdict] > RANK[worst.verdict] ? one : worst));
    if (differing === -1) return { ...least, clean: told.every((one) => one.clean) };
    return {
      ...variant,
      verdict: 'inconclusive',
      clean: false,
      reason: `the logs hide what was published, and it depends: ${told.map((one, at) => `${one.verdict} with ${rates[at]} a second`).join(', ')}`,
      next: 'Take a debug log of NanoMQ, or state the rate: bridgetrace rebuild --rate.',
    };
  });
  return { baseline, variants };
}

const RANK: Readonly<Record<VariantVerdict['verdict'], number>> = { fixed: 0, 'not-fixed': 1, inconclusive: 2 };
