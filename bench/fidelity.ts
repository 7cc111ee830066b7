/**
 * Real against simulated:
 * `node dist/bench/fidelity.js [--seeds 50] [--only 03a,12] [--corpus DIR] [--keep DIR] [--out docs/FIDELITY.md] [--details]`.
 *
 * Every incident of the corpus runs in the simulator with its true configuration, workload and network script, once a seed. The
 * findings are those of the first three seeds, whose logs are printed and read back. What is not met is looked at once more in runs
 * whose redials are those of the log. With `--keep` each incident's comparison stays in a file, and one that is there is not made
 * again: the bench can be run in pieces.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Choices } from '../engine/index.ts';
import { CORPUS } from './base-logs.ts';
import { type Comparison, compare, compareAgain } from './fidelity/compare.ts';
import { readRealLogs, simulatedFindings } from './fidelity/findings.ts';
import type { Measures } from './fidelity/measures.ts';
import { measureReal } from './fidelity/real.ts';
import { detailsOf, reportOf } from './fidelity/report.ts';
import { loadScenario, type Scenario } from './fidelity/scenario.ts';
import { measureSimulated } from './fidelity/simulated.ts';

const SEEDS_WITH_FINDINGS = 3;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    only: { type: 'string', default: '' },
    corpus: { type: 'string', default: CORPUS },
    keep: { type: 'string' },
    out: { type: 'string' },
    details: { type: 'boolean', default: false },
  },
});
const seeds = Number(values.seeds);
const incidents = path.join(values.corpus, 'incidents');
const comparisons: Comparison[] = [];
for (const name of readdirSync(incidents).sort()) {
  if (!values.only.split(',').some((start) => name.startsWith(start))) continue;
  const comparison = await kept(name, () => compareIncident(loadScenario(path.join(incidents, name))));
  comparisons.push(comparison);
  process.stderr.write(`${name}: ${comparison.rows.filter((row) => !row.met).length} of ${comparison.rows.length}\n`);
  if (values.details) process.stderr.write(detailsOf(comparison));
  // So that a run that is ended early leaves what it has.
  if (values.out !== undefined) writeFileSync(values.out, reportOf(comparisons));
}
if (values.out === undefined) process.stdout.write(reportOf(comparisons));

async function kept(name: string, make: () => Promise<Comparison>): Promise<Comparison> {
  if (values.keep === undefined) return make();
  const file = path.join(values.keep, `${name}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Comparison;
  const comparison = await make();
  mkdirSync(values.keep, { recursive: true });
  writeFileSync(file, JSON.stringify(comparison));
  return comparison;
}

async function compareIncident(scenario: Scenario): Promise<Comparison> {
  const real = await measureReal(scenario);
  const logs = await readRealLogs(scenario);
  const choices: Choices = { ...logs.choices, deadResult: real.deadResult };
  const runs: Measures[] = [];
  const found: (readonly string[])[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { measures, records } = measureSimulated(scenario, seed, { ...choices, redialMs: [] });
    runs.push(measures);
    if (seed <= SEEDS_WITH_FINDINGS) found.push(await simulatedFindings(scenario, records));
  }
  const comparison = compare(scenario, real, runs, { real: logs.findings, simulated: found });
  if (comparison.rows.every((row) => row.met) || (choices.redialMs ?? []).length === 0) return comparison;
  return { ...comparison, withRedialsOfLog: compareAgain(comparison, real, runsWith(scenario, choices)) };
}

function runsWith(scenario: Scenario, choices: Choices): readonly Measures[] {
  return Array.from({ length: seeds }, (_, index) => measureSimulated(scenario, index + 1, choices).measures);
}
