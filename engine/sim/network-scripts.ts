/** What goes wrong in the field, by name: steps in seconds from the start of the fault. Tests, the bench and the fuzz share them. */

import { seconds } from '../time.ts';
import type { Micros, NetworkChange, Stimulus } from '../types.ts';

/** A stimulus of the network or the broker's process, without its time. */
export type NetworkStep =
  | ({ readonly atS: number; readonly kind: 'network' } & NetworkChange)
  | {
      readonly atS: number;
      readonly kind:
        | 'broker-stop'
        | 'broker-kill'
        | 'broker-start'
        | 'broker-pause'
        | 'broker-resume'
        | 'nat-rebind'
        | 'kick'
        | 'rival-connect';
    };

export type NetworkStimulus = Extract<Stimulus, { readonly kind: NetworkStep['kind'] }>;

export interface NetworkScript {
  readonly name: string;
  readonly steps: readonly NetworkStep[];
  /** Makes sense over this transport only. */
  readonly transport?: 'quic' | 'tcp';
}

const down = (atS: number, from?: 'bridge' | 'broker'): NetworkStep => ({ atS, kind: 'network', down: true, from });
const up = (atS: number): NetworkStep => ({ atS, kind: 'network', down: false });

export const NETWORK_SCRIPTS: readonly NetworkScript[] = [
  { name: 'ideal', steps: [] },
  // Of the corpus: 17, 03a, 03f, 03b, 25, 07, 20, 10, 05, 11a, 21, 06.
  { name: 'blackhole-10s', steps: [down(0), up(10)] },
  { name: 'blackhole-35s', steps: [down(0), up(35)] },
  { name: 'late-link-10s', steps: [down(0), up(10)] },
  { name: 'restart-4s', steps: restart('broker-stop', 4) },
  { name: 'restart-45s', steps: restart('broker-stop', 45) },
  { name: 'kill-9s', steps: restart('broker-kill', 9) },
  { name: 'freeze-12s', steps: freeze(12) },
  { name: 'freeze-25s', steps: freeze(25) },
  { name: 'loss20-delay400', steps: [{ atS: 0, kind: 'network', loss: 0.2, delayMs: 400, jitterMs: 50 }] },
  { name: 'delay300', steps: [{ atS: 0, kind: 'network', delayMs: 300 }] },
  { name: 'proxy-holds-35s', transport: 'tcp', steps: hold(35) },
  { name: 'kick-every-9s', steps: every(9, 10, 'kick') },
  { name: 'rival-every-15s', steps: every(15, 6, 'rival-connect') },
  // Not in the corpus: what links and their boxes do besides.
  { name: 'uplink-blackhole-35s', steps: [down(0, 'bridge'), up(35)] },
  { name: 'downlink-blackhole-35s', steps: [down(0, 'broker'), up(35)] },
  { name: 'flapping', steps: [0, 6, 12, 18, 24, 30].flatMap((atS) => [down(atS), up(atS + 3)]) },
  { name: 'slow-4kB/s', steps: slow(4_000, 16_000) },
  { name: 'slow-1kB/s-short-queue', steps: slow(1_000, 3_000) },
  { name: 'jitter-200ms', steps: [{ atS: 0, kind: 'network', delayMs: 200, jitterMs: 200 }] },
  {
    name: 'loss50-30s',
    steps: [
      { atS: 0, kind: 'network', loss: 0.5 },
      { atS: 30, kind: 'network', loss: 0 },
    ],
  },
  { name: 'nat-rebind', steps: [{ atS: 0, kind: 'nat-rebind' }] },
];

function restart(stop: 'broker-stop' | 'broker-kill', awayS: number): NetworkStep[] {
  return [
    { atS: 0, kind: stop },
    { atS: awayS, kind: 'broker-start' },
  ];
}

function freeze(lengthS: number): NetworkStep[] {
  return [
    { atS: 0, kind: 'broker-pause' },
    { atS: lengthS, kind: 'broker-resume' },
  ];
}

function hold(lengthS: number): NetworkStep[] {
  return [
    { atS: 0, kind: 'network', hold: true },
    { atS: lengthS, kind: 'network', hold: false },
  ];
}

function slow(rateBytesPerS: number, queueBytes: number): NetworkStep[] {
  return [{ atS: 0, kind: 'network', rateBytesPerS, queueBytes }];
}

function every(periodS: number, times: number, kind: 'kick' | 'rival-connect'): NetworkStep[] {
  return Array.from({ length: times }, (_, index) => ({ atS: index * periodS, kind }));
}

/** @throws RangeError for a name that no script has; the message lists those there are */
export function networkScript(name: string): NetworkScript {
  const script = NETWORK_SCRIPTS.find((candidate) => candidate.name === name);
  if (script) return script;
  throw new RangeError(`no network script '${name}'; there are ${NETWORK_SCRIPTS.map((one) => one.name).join(', ')}`);
}

/** The script's stimuli, its start at `at`. */
export function networkStimuli(name: string, at: Micros): NetworkStimulus[] {
  return networkScript(name).steps.map(({ atS, ...step }) => ({ ...step, at: at + seconds(atS) }));
}
