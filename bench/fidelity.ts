/**
 * Real against simulated: `node dist/bench/fidelity.js [--seeds 50] [--only 03a] [--corpus DIR] [--out docs/FIDELITY.md] [--details]`.
 *
 * Every incident of the corpus runs in the simulator with its true configuration, workload and network script, once a seed.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compare, type Comparison } from './fidelity/compare.ts';
import { measureReal } from './fidelity/real.ts';
import { detailsOf, reportOf } from './fidelity/report.ts';
import { loadScenario } from './fidelity/scenario.ts';
import { measureSimulated } from './fidelity/simulated.ts';
import { CORPUS } from './base-logs.ts';

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
  if (!name.includes(values.only)) continue;
  const scenario = loadScenario(path.join(incidents, name));
  const real = await measureReal(scenario);
  const runs = Array.from({ length: seeds }, (_, index) => measureSimulated(scenario, index + 1).measures);
  const comparison = compare(scenario, real, runs);
  comparisons.push(comparison);
  process.stderr.write(`${name}: ${comparison.deviations.length === 0 ? 'ok' : comparison.deviations.map((deviation) => deviation.what).join(', ')}\n`);
  if (values.details) process.stderr.write(detailsOf(comparison));
}
const report = reportOf(comparisons, seeds);
if (values.out === undefined) process.stdout.write(report);
else writeFileSync(values.out, report);
