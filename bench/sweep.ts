/**
 * Speed of a sweep: `node dist/bench/sweep.js [--runs 1000] [--threads 2]`. Runs with counters only of a 10-minute incident at 35
 * messages a second (an outage of 35 s that leaves 0.23.6 stuck), every second one on a release that recovers. Prints the seconds in all.
 */
import { parseArgs } from 'node:util';
import type { Cassette, Entry, Header } from '../replay/index.ts';
import { BASELINE, parseVariant, setUp } from '../replay/index.ts';
import { openPool } from '../replay/run-pool.ts';

const MESSAGES_PER_S = 35;
const MINUTES = 10;
const OUTAGE_S = [60, 95] as const;

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '1000' }, threads: { type: 'string', default: '2' } },
});
const runs = Number(values.runs);
const threads = Number(values.threads);

const durationUs = MINUTES * 60_000_000;
const publishes = Array.from(
  { length: MINUTES * 60 * MESSAGES_PER_S },
  (_, index): Entry => ({
    at: Math.floor((index * 1e6) / MESSAGES_PER_S),
    type: 'publish',
    topic: 'up/1',
    qos: 0,
    size: 32,
    origin: 'assumed',
    why: 'the workload of the bench',
  }),
);
const outage = OUTAGE_S.map(
  (at, index): Entry => ({ at: at * 1e6, type: 'network', down: index === 0, origin: 'assumed', why: 'the bench' }),
);
const header: Header = {
  type: 'header',
  schema: 1,
  start: '2026-01-01T00:00:00Z',
  duration_us: durationUs,
  bridge: {
    id: 'bench',
    release: '0.23.6',
    release_known_by: 'stated',
    settings: { parallel: 4, keepaliveS: 10 },
    origins: {},
  },
  broker: { release: '5.8.2', release_known_by: 'stated', settings: {}, origins: {} },
  incident: { cause: 'stuck-busy', keepalive_disconnects: 20, period_s: 22, dwell_s: 20, disconnects: 21 },
};
const cassette: Cassette = { header, entries: [...publishes, ...outage].sort((left, right) => left.at - right.at) };
const setups = [setUp(header, BASELINE), setUp(header, parseVariant('nanomq=0.23.10'))];

const pool = await openPool(threads);
const start = performance.now();
let disconnects = 0;
await Promise.all(
  Array.from({ length: runs }, async (_, index) => {
    const [run] = await pool.count(cassette, [{ setup: setups[index % 2]!, seed: index + 1, loops: 1 }]);
    disconnects += run!.disconnects;
  }),
);
const seconds = (performance.now() - start) / 1000;
await pool.close();
process.stdout.write(
  `${runs} runs of ${MINUTES} minutes at ${MESSAGES_PER_S} messages a second, ${threads} threads: ${seconds.toFixed(1)} s (${disconnects} disconnects)\n`,
);
