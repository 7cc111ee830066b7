/** Twelve incidents that run in the simulator and on real sockets alike: a release of each product, traffic, a network script. */

import {
  type BridgeSettings,
  bridgeDefaults,
  bridgeProfile,
  brokerProfile,
  createRng,
  DEFAULT_BROKER_SETTINGS,
  type Qos,
  type SimOptions,
  type Stimulus,
} from '../../engine/index.ts';
import { networkStimuli } from '../../engine/sim/network-scripts.ts';
import { SECOND } from '../../engine/time.ts';

/** `hz` messages a second from `fromS` to the end; message n has the QoS `mix[n % mix.length]`. */
interface Rate {
  readonly hz: number;
  readonly mix: readonly Qos[];
  readonly fromS?: number;
}

export interface Scenario {
  readonly name: string;
  readonly nanomq: string;
  readonly emqx: string;
  readonly durationS: number;
  readonly up?: Rate;
  readonly down?: Rate;
  /** A script of `network-scripts.ts` and when it starts. */
  readonly network?: readonly [name: string, atS: number];
  readonly bridge?: Partial<BridgeSettings>;
}

const BRIDGE: Partial<BridgeSettings> = {
  protocol: 5,
  clientId: 'nano-bridge',
  username: 'bridgeuser',
  keepaliveS: 10,
  parallel: 4,
  quicQosPriority: true,
  maxSendQueueLen: 32,
  maxRecvQueueLen: 128,
  cancelTimeoutMs: 8_000,
  quicKeepaliveS: 30,
  quicIdleTimeoutS: 60,
  subscriptions: [{ topic: 'down/#', qos: 0 }],
};
const REDIALS_MAX = 64;
const REDIAL_MS = [300, 4_000] as const;
const MIXED: Rate = { hz: 8, mix: [0, 1] };
const SLOW_DOWN: Rate = { hz: 1, mix: [0] };

export const SCENARIOS: readonly Scenario[] = [
  { name: 'healthy', nanomq: '0.23.10', emqx: '5.8.2', durationS: 60, up: MIXED, down: SLOW_DOWN },
  {
    name: 'keepalive-receive-reset',
    nanomq: '0.23.1',
    emqx: '5.8.2',
    durationS: 90,
    down: { hz: 4, mix: [0], fromS: 2 },
  },
  { name: 'keepalive-control-stream', nanomq: '0.23.10', emqx: '5.7.0', durationS: 90, up: { hz: 10, mix: [0] } },
  {
    name: 'stuck-busy',
    nanomq: '0.23.4',
    emqx: '5.8.2',
    durationS: 120,
    up: { hz: 8, mix: [0] },
    down: SLOW_DOWN,
    network: ['restart-4s', 15],
  },
  {
    name: 'restart-4s',
    nanomq: '0.23.10',
    emqx: '5.8.2',
    durationS: 60,
    up: MIXED,
    down: SLOW_DOWN,
    network: ['restart-4s', 15],
  },
  {
    name: 'kill-9s',
    nanomq: '0.23.10',
    emqx: '5.8.2',
    durationS: 75,
    up: MIXED,
    down: SLOW_DOWN,
    network: ['kill-9s', 15],
    bridge: { quicDisconnectTimeoutS: 10 },
  },
  {
    name: 'freeze-12s',
    nanomq: '0.23.10',
    emqx: '5.8.2',
    durationS: 60,
    up: MIXED,
    down: SLOW_DOWN,
    network: ['freeze-12s', 15],
  },
  {
    name: 'blackhole-10s',
    nanomq: '0.23.10',
    emqx: '5.8.2',
    durationS: 60,
    up: MIXED,
    down: SLOW_DOWN,
    network: ['blackhole-10s', 15],
  },
  {
    name: 'blackhole-35s',
    nanomq: '0.23.4',
    emqx: '5.8.2',
    durationS: 120,
    up: MIXED,
    down: SLOW_DOWN,
    network: ['blackhole-35s', 15],
  },
  {
    name: 'kick-every-9s',
    nanomq: '0.23.10',
    emqx: '5.8.2',
    durationS: 75,
    up: MIXED,
    down: SLOW_DOWN,
    network: ['kick-every-9s', 10],
  },
  {
    name: 'rival-every-15s',
    nanomq: '0.23.10',
    emqx: '5.8.2',
    durationS: 75,
    up: MIXED,
    down: SLOW_DOWN,
    network: ['rival-every-15s', 10],
  },
  {
    name: 'nat-rebind',
    nanomq: '0.23.10',
    emqx: '5.8.2',
    durationS: 45,
    up: MIXED,
    down: SLOW_DOWN,
    network: ['nat-rebind', 15],
  },
];

/** What `simulate` and `runLive` take of it. */
export function optionsOf(scenario: Scenario, seed: number): SimOptions {
  const { nanomq, emqx, durationS, network } = scenario;
  const fault = network ? networkStimuli(network[0], network[1] * SECOND) : [];
  const stimuli = [
    ...messages('publish', scenario.up, durationS),
    ...messages('downlink', scenario.down, durationS),
    ...fault,
  ];
  return {
    bridge: {
      profile: bridgeProfile(nanomq, 'quic').profile,
      settings: { ...bridgeDefaults(nanomq, 'quic'), ...BRIDGE, ...scenario.bridge },
    },
    broker: { profile: brokerProfile(emqx).profile, settings: DEFAULT_BROKER_SETTINGS },
    stimuli: stimuli.sort((left, right) => left.at - right.at),
    durationUs: durationS * SECOND,
    seed,
    choices: { redialMs: redialWaits(seed) },
  };
}

/** Both are given the same waits: how often the bridge draws before a redial depends on how many messages it sent until then. */
function redialWaits(seed: number): number[] {
  const rng = createRng(seed, 'redials');
  return Array.from({ length: REDIALS_MAX }, () => rng.int(...REDIAL_MS));
}

function messages(kind: 'publish' | 'downlink', rate: Rate | undefined, durationS: number): Stimulus[] {
  if (!rate) return [];
  const { hz, mix, fromS = 1 } = rate;
  return Array.from({ length: Math.floor((durationS - fromS) * hz) }, (_, seq) => ({
    at: Math.round((fromS + seq / hz) * SECOND),
    kind,
    message: { seq, topic: kind === 'publish' ? 'up/t1' : 'down/t1', qos: mix[seq % mix.length]!, size: 31 },
  }));
}
