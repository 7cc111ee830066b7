/**
 * Hostile clients against the test broker in this process: `node dist/scripts/hostile.js [--count 10000] [--seed 1]`. Malformed packets of
 * all types, wrong order, slow senders, aborted streams, datagrams and TLS that are none. Each offender must be closed with the right reason
 * code, a good client must be served over every transport after each tenth, and memory after a garbage collection must not grow from the
 * first tenth to the last by more than the bounds below. What fails is told with its number; the same seed attacks in the same way.
 */
import { parseArgs } from 'node:util';
import { loadQuiche } from '../engine/live/quic-library.ts';
import { attack } from '../test/live/hostile/campaign.ts';

const MB = 1e6;
const HEAP_GROWTH_MAX = 5 * MB;
const RSS_GROWTH_MAX = 50 * MB;

const { values } = parseArgs({
  options: { count: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
});
const count = Number(values.count);
const seed = Number(values.seed);
process.stdout.write(`${count} attacks, seed ${seed}\n`);
const { failures, counts, memory } = await attack(await loadQuiche(), count, seed);
for (const [name, times] of Object.entries(counts)) process.stdout.write(`${String(times).padStart(6)} ${name}\n`);
for (const [index, { heapBytes, rssBytes }] of memory.entries()) {
  process.stdout.write(`after ${index + 1}/10: heap ${megabytes(heapBytes)}, resident ${megabytes(rssBytes)}\n`);
}
const first = memory[0]!;
const last = memory[memory.length - 1]!;
const problems = [...failures];
if (last.heapBytes - first.heapBytes > HEAP_GROWTH_MAX) problems.push(`heap grew above ${megabytes(HEAP_GROWTH_MAX)}`);
if (last.rssBytes - first.rssBytes > RSS_GROWTH_MAX) problems.push(`resident grew above ${megabytes(RSS_GROWTH_MAX)}`);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${problems.length} failures\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}
