/**
 * Real against simulated: `node dist/bench/fidelity.js [--seeds 50] [--only 03a] [--corpus DIR] [--out docs/FIDELITY.md] [--details]`.
 *
 * Every incident of the corpus runs in the simulator with its true configuration, workload and network script, once a seed. The
 * findings are those of the first three seeds, whose logs are printed and read back.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CORPUS } from './base-logs.ts';
import { type Comparison, compare } from './fidelity/compare.ts';
import { readRealLogs, simulatedFindings } from './fidelity/findings.ts';
import { measureReal } from './fidelity/real.ts';
import { detailsOf, reportOf } from './fidelity/report.ts';
import { loadScenario, type Scenario } from './fidelity/scenario.ts';
import { measureSimulated } from './fidelity/simulated.ts';

const SEEDS_WITH_FINDINGS = 3;
/** Real logs too large to be ingested in a table that is made in a few minutes. */
const TOO_LARGE = /^(17|25b)-/;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    only: { type: 'string', default: '' },
    corpus: { type: 'string', default: CORPUS },
    out: { type: 'string' },
    details: { type: 'boolean', default: false },
  },
});
const seeds = Number(values.seeds);
const incidents = path.join(values.corpus, 'incidents');
const comparisons: Comparison[] = [];
for (const name of readdirSync(incidents).sort()) {
  if (!name.startsWith(values.only)) continue;
  const comparison = await compareIncident(loadScenario(path.join(incidents, name)));
  comparisons.push(comparison);
  process.stderr.write(`${name}: ${comparison.rows.filter((row) => !row.met).length} of ${comparison.rows.length}\n`);
  if (values.details) process.stderr.write(detailsOf(comparison));
  // So that a run that is ended early leaves what it has.
  if (values.out !== undefined) writeFileSync(values.out, reportOf(comparisons, seeds));
}
if (values.out === undefined) process.stdout.write(reportOf(comparisons, seeds));

async function compareIncident(scenario: Scenario): Promise<Comparison> {
  const real = await measureReal(scenario);
  const logs = TOO_LARGE.test(scenario.name) ? null : await readRealLogs(scenario);
  const runs = [];
  const found = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { measures, records } = measureSimulated(scenario, seed, { receiveLost: logs?.receiveLost ?? [] });
    runs.push(measures);
    if (seed <= SEEDS_WITH_FINDINGS && logs) found.push(await simulatedFindings(scenario, records));
  }
  return compare(scenario, real, runs, logs && { real: logs.findings, simulated: found });
}
