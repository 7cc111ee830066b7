/**
 * Speed of the engine: `node dist/bench/simulate.js [--rounds 5] [--hours 24]`. Calls of `handle` a second for the bundled kind of
 * incident, median of the rounds; then one incident of many hours, with the memory that the process had at most.
 */
import { parseArgs } from 'node:util';
import {
  bridgeDefaults,
  bridgeProfile,
  brokerProfile,
  DEFAULT_BROKER_SETTINGS,
  type SimSummary,
  type Stimulus,
  simulate,
} from '../engine/index.ts';

const HOUR_US = 3_600_000_000;
const MESSAGES_PER_S = 35;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, hours: { type: 'string', default: '24' } },
});
const rounds = Number(values.rounds);
const hours = Number(values.hours);

function* traffic(durationUs: number): Generator<Stimulus> {
  const step = Math.round(1_000_000 / MESSAGES_PER_S);
  for (let at = 1_000_000, seq = 1; at < durationUs; at += step, seq += 1) {
    yield { at, kind: 'publish', message: { seq, topic: 'up/1', qos: seq % 5 === 0 ? 1 : 0, size: 32 } };
  }
}

const settings = {
  ...bridgeDefaults('0.23.10', 'quic'),
  parallel: 4,
  keepaliveS: 10,
  maxSendQueueLen: 32,
  quicQosPriority: true,
};

function run(durationUs: number, seed: number): { readonly summary: SimSummary; readonly seconds: number } {
  const start = performance.now();
  const summary = simulate(
    {
      bridge: { profile: bridgeProfile('0.23.10', 'quic').profile, settings },
      broker: { profile: brokerProfile('5.8.9').profile, settings: DEFAULT_BROKER_SETTINGS },
      stimuli: traffic(durationUs),
      durationUs,
      seed,
    },
    () => {},
  );
  return { summary, seconds: (performance.now() - start) / 1000 };
}

if (rounds > 0) {
  const results = Array.from({ length: rounds }, (_, round) => run(HOUR_US, round + 1));
  const rates = results.map(({ summary, seconds }) => summary.events / seconds).sort((left, right) => left - right);
  const median = rates[Math.floor(rounds / 2)]!;
  const events = results[0]!.summary.events;
  process.stdout.write(
    `one hour at ${MESSAGES_PER_S} messages a second: ${events} events, ${Math.round(median / 1000)}k events/s, ${(events / median).toFixed(1)} s (median of ${rounds})\n`,
  );
}
if (hours > 0) {
  const { summary, seconds } = run(hours * HOUR_US, 1);
  const residentMb = Math.round((process.resourceUsage().maxRSS * 1024) / 1e6);
  process.stdout.write(
    `${hours} hours: ${summary.events} events, ${seconds.toFixed(1)} s, ${residentMb} MB resident at most; ended by ${summary.stoppedBy}, hash ${summary.hash}\n`,
  );
}
