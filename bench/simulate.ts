/** Speed of the engine: `node dist/bench/simulate.js`. Calls of `handle` a second for the bundled kind of incident, median of five. */
import {
  bridgeDefaults,
  bridgeProfile,
  brokerProfile,
  DEFAULT_BROKER_SETTINGS,
  type Stimulus,
  simulate,
} from '../engine/index.ts';

const ROUNDS = 5;
const HOUR_US = 3_600_000_000;

function* traffic(hz: number): Generator<Stimulus> {
  const step = Math.round(1_000_000 / hz);
  for (let at = 1_000_000, seq = 1; at < HOUR_US; at += step, seq += 1) {
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
const rates: number[] = [];
let events = 0;
for (let round = 0; round < ROUNDS; round += 1) {
  const start = performance.now();
  const summary = simulate(
    {
      bridge: { profile: bridgeProfile('0.23.10', 'quic').profile, settings },
      broker: { profile: brokerProfile('5.8.9').profile, settings: DEFAULT_BROKER_SETTINGS },
      stimuli: traffic(35),
      durationUs: HOUR_US,
      seed: round + 1,
    },
    () => {},
  );
  events = summary.events;
  rates.push(summary.events / ((performance.now() - start) / 1000));
}
const median = rates.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
process.stdout.write(
  `one hour at 35 messages a second: ${events} events, ${Math.round(median / 1000)}k events/s, ${(events / median).toFixed(1)} s (median of ${ROUNDS})\n`,
);
