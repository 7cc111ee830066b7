/** A random incident: releases, settings, workload and network, all from one seed. */
import {
  type BridgeSettings,
  type BrokerSettings,
  bridgeDefaults,
  bridgeProfile,
  brokerProfile,
  createRng,
  DEFAULT_BROKER_SETTINGS,
  NETWORK_SCRIPTS,
  type NetworkChange,
  networkStimuli,
  type Qos,
  type Rng,
  type SimOptions,
  type Stimulus,
} from '../../engine/index.ts';

export interface RandomCase {
  readonly seed: number;
  /** For people: what the case is made of. */
  readonly title: string;
  /** The broker's process stands still for a while. */
  readonly freezes: boolean;
  readonly options: SimOptions;
}

/** One of each row of the profiles. */
const NANOMQ = [
  '0.22.10',
  '0.23.1',
  '0.23.2',
  '0.23.3',
  '0.23.6',
  '0.23.7',
  '0.23.10',
  '0.24.2',
  '0.24.3',
  '0.24.5',
  '0.24.11',
  '0.24.14',
  '0.25.3',
];
const EMQX = ['5.0.2', '5.0.10', '5.0.20', '5.3.2', '5.5.1', '5.6.0', '5.8.1', '5.8.2', '5.8.3', '5.8.9'];
const DURATION_S = 150;
const LONGEST_SCRIPT_AT_S = 60;
/** A case that needs more than this has run away. */
const EVENTS_MAX = 3_000_000;
const US = 1_000_000;

export function randomCase(seed: number): RandomCase {
  const rng = createRng(seed, 'sim-fuzz');
  const transport = rng.int(0, 3) === 0 ? 'tcp' : 'quic';
  const nanomq = pick(rng, NANOMQ);
  const emqx = pick(rng, EMQX);
  const scripts = NETWORK_SCRIPTS.filter((script) => (script.transport ?? transport) === transport);
  const faults = Array.from({ length: rng.int(0, 3) }, () => ({
    name: pick(rng, scripts).name,
    atS: rng.int(0, LONGEST_SCRIPT_AT_S),
  }));
  const settings = bridgeSettingsOf(rng, nanomq, transport);
  const changes = networkChanges(rng, transport);
  const stimuli = [
    ...messages(rng, 'publish'),
    ...messages(rng, 'downlink'),
    ...faults.flatMap(({ name, atS }) => networkStimuli(name, atS * US)),
    ...refusals(rng),
    ...changes,
  ].sort((left, right) => left.at - right.at);
  return {
    seed,
    freezes: stimuli.some(({ kind }) => kind === 'broker-pause'),
    title: `nanomq ${nanomq} ${transport}, emqx ${emqx}, ${faults.map(({ name, atS }) => `${name} at ${atS} s`).join(', ') || 'no fault'}, ${changes.length} changes of the network`,
    options: {
      bridge: { profile: bridgeProfile(nanomq, transport).profile, settings },
      broker: { profile: brokerProfile(emqx).profile, settings: brokerSettingsOf(rng) },
      stimuli,
      durationUs: DURATION_S * US,
      seed,
      maxEvents: EVENTS_MAX,
      link: {
        delayMs: rng.int(0, 100),
        jitterMs: rng.int(0, 1) * rng.int(0, 20),
        loss: rng.int(0, 3) === 0 ? rng.int(0, 10) / 100 : 0,
        brokerDown: pick(rng, ['silent', 'refused'] as const),
      },
    },
  };
}

function bridgeSettingsOf(rng: Rng, release: string, transport: 'quic' | 'tcp'): BridgeSettings {
  return {
    ...bridgeDefaults(release, transport),
    protocol: pick(rng, [4, 5] as const),
    clientId: 'fuzz',
    cleanStart: rng.int(0, 3) > 0,
    keepaliveS: pick(rng, [0, 1, 5, 8, 10, 15, 20, 30, 60]),
    parallel: rng.int(1, 16),
    maxParallelProcesses: rng.int(1, 4),
    quicQosPriority: rng.int(0, 1) === 1,
    maxSendQueueLen: pick(rng, [0, 1, 8, 32, 512]),
    maxRecvQueueLen: pick(rng, [0, 1, 32, 128]),
    resendIntervalMs: pick(rng, [500, 1_000, 5_000, 20_000]),
    resendWaitMs: pick(rng, [500, 3_000, 10_000]),
    cancelTimeoutMs: pick(rng, [100, 1_000, 8_000, 30_000]),
    backoffMaxS: pick(rng, [1, 5, 60, 700]),
    retryQos0: rng.int(0, 1) === 1,
    quicKeepaliveS: pick(rng, [0, 5, 30]),
    quicIdleTimeoutS: pick(rng, [0, 15, 60]),
    quicHandshakeTimeoutS: pick(rng, [5, 20]),
    quicInitialRttMs: pick(rng, [1, 100, 800, 48_000]),
    quicMaxAckDelayMs: pick(rng, [1, 100, 6_000]),
    subscriptions: [
      { topic: 'down/#', qos: rng.int(0, 2) as Qos },
      { topic: 'other/+', qos: 1 as Qos },
    ].slice(0, rng.int(0, 2)),
  };
}

function brokerSettingsOf(rng: Rng): BrokerSettings {
  return {
    ...DEFAULT_BROKER_SETTINGS,
    serverKeepaliveS: rng.int(0, 4) === 0 ? rng.int(1, 30) : null,
    maxPacketSize: pick(rng, [2_048, 1_048_576]),
    maxInflight: pick(rng, [1, 32]),
    quicIdleTimeoutS: pick(rng, [0, 0, 20]),
    quicKeepaliveS: pick(rng, [0, 0, 7]),
  };
}

function* messages(rng: Rng, kind: 'publish' | 'downlink'): Generator<Stimulus> {
  const hz = pick(rng, [0, 0.2, 1, 5, 20, 60]);
  if (hz === 0) return;
  const qosMax = rng.int(0, 2);
  const topic = kind === 'publish' ? 'up/t' : 'down/t';
  let at = rng.int(0, 5 * US);
  for (let seq = 1; at < DURATION_S * US; seq += 1) {
    const size = rng.int(0, 99) === 0 ? rng.int(1_000, 200_000) : rng.int(0, 300);
    yield { at, kind, message: { seq, topic: `${topic}${seq % 4}`, qos: rng.int(0, qosMax) as Qos, size } };
    // Some come in the same instant.
    at += rng.int(0, 9) === 0 ? 0 : rng.int(1, Math.round((2 * US) / hz));
  }
}

function refusals(rng: Rng): Stimulus[] {
  if (rng.int(0, 5) > 0) return [];
  const at = rng.int(0, 60) * US;
  return [
    { at, kind: 'refuse', reasonCode: 135 },
    { at: at + rng.int(1, 30) * US, kind: 'refuse', reasonCode: null },
  ];
}

/** Beside the named scripts: any change at any time, also at the very start. */
function networkChanges(rng: Rng, transport: 'quic' | 'tcp'): Stimulus[] {
  return Array.from({ length: rng.int(0, 2) * rng.int(0, 4) }, () => ({
    at: rng.int(0, 3) === 0 ? 0 : rng.int(0, DURATION_S * US),
    kind: 'network' as const,
    ...pick(rng, [{}, { from: 'bridge' as const }, { from: 'broker' as const }]),
    ...pick<NetworkChange>(rng, [
      { down: rng.int(0, 2) === 0 },
      { delayMs: rng.int(0, 1_000), jitterMs: rng.int(0, 300) },
      { loss: rng.int(0, 10) / 10 },
      { rateBytesPerS: rng.int(0, 1) * rng.int(200, 50_000), queueBytes: rng.int(0, 50_000) },
      transport === 'tcp' ? { hold: rng.int(0, 2) === 0 } : {},
    ]),
  }));
}

function pick<Item>(rng: Rng, items: readonly Item[]): Item {
  return items[rng.int(0, items.length - 1)]!;
}
