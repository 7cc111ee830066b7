/**
 * Random incidents against the checks of the engine: `node dist/scripts/sim-fuzz.js [--count 1000] [--seed 1]`. Each seed is an
 * incident of its own, so a failure is reproduced with `--seed N --count 1`, which is what it prints. The last line ends with a hash
 * over all traces: it is the same whatever release of Node runs this.
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { checkCase } from './sim-fuzz/check-case.ts';
import { randomCase } from './sim-fuzz/random-case.ts';

/** Every one of so many is run again and has to give the same trace. */
const REPEATED_OF = 10;

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const first = Number(values.seed);
const count = Number(values.count);
let failures = 0;
let events = 0;
const traces = createHash('sha256');
for (let seed = first; seed < first + count; seed += 1) {
  const one = randomCase(seed);
  try {
    const summary = checkCase(one);
    events += summary.events;
    traces.update(summary.hash);
    if (seed % REPEATED_OF !== 0) continue;
    const { hash } = checkCase(randomCase(seed));
    if (hash !== summary.hash) throw new Error(`two runs gave the traces ${summary.hash} and ${hash}`);
  } catch (error) {
    failures += 1;
    const what = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${what}\n  ${one.title}\n  node dist/scripts/sim-fuzz.js --seed ${seed} --count 1\n`);
  }
}
process.stdout.write(
  `${count} incidents from seed ${first}, ${events} events: ${failures} failures, traces ${traces.digest('hex').slice(0, 16)}\n`,
);
process.exitCode = failures === 0 ? 0 : 1;
