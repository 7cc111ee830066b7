/**
 * The simulator against real sockets: `node dist/bench/sim-against-live.js [--speed 5] [--seed 1] [--only kick,nat] [--keep DIR]
 * [--out docs/LIVE.md] [--details]`.
 *
 * Each scenario runs once in virtual time and once over QUIC on loopback against the embedded broker. The findings are those of the
 * printed logs. With `--keep` each comparison stays in a file and is not made again.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Comparison, compare, isMet } from './sim-against-live/compare.ts';
import { reportOf } from './sim-against-live/report.ts';
import { SCENARIOS, type Scenario } from './sim-against-live/scenarios.ts';

const { values } = parseArgs({
  options: {
    speed: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    keep: { type: 'string' },
    out: { type: 'string' },
    details: { type: 'boolean', default: false },
  },
});
const speed = Number(values.speed);
const comparisons: Comparison[] = [];
for (const scenario of SCENARIOS) {
  if (!values.only.split(',').some((start) => scenario.name.startsWith(start))) continue;
  const comparison = await kept(scenario);
  comparisons.push(comparison);
  process.stderr.write(`${scenario.name}: ${isMet(comparison) ? 'met' : 'not met'}\n`);
  if (values.details) process.stderr.write(`${JSON.stringify(comparison, null, 1)}\n`);
  if (values.out !== undefined) writeFileSync(values.out, reportOf(comparisons, speed));
}
if (values.out === undefined) process.stdout.write(reportOf(comparisons, speed));

async function kept(scenario: Scenario): Promise<Comparison> {
  const make = (): Promise<Comparison> => compare(scenario, Number(values.seed), speed);
  if (values.keep === undefined) return make();
  const file = path.join(values.keep, `${scenario.name}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Comparison;
  const comparison = await make();
  mkdirSync(values.keep, { recursive: true });
  writeFileSync(file, JSON.stringify(comparison));
  return comparison;
}
