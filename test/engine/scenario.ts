/** Workloads of the corpus as stimuli, and the numbers that tests compare. */

import { checkedBridge } from '../../engine/checks/check-machine.ts';
import { checkTrace } from '../../engine/checks/check-trace.ts';
import {
  type BridgeSettings,
  type BrokerSettings,
  bridgeDefaults,
  bridgeProfile,
  brokerProfile,
  type Choices,
  DEFAULT_BROKER_SETTINGS,
  type LinkSettings,
  type Qos,
  type SimOptions,
  type SimRecord,
  type SimSummary,
  type Stimulus,
  simulate,
} from '../../engine/index.ts';

export const SECOND = 1_000_000;

/** The bridge of the corpus' incidents (`corpus/incidents/*`/truth.json "config"). */
const CORPUS_BRIDGE: Partial<BridgeSettings> = {
  protocol: 5,
  clientId: 'nano-bridge',
  username: 'bridgeuser',
  keepaliveS: 10,
  parallel: 4,
  quicQosPriority: true,
  maxSendQueueLen: 32,
  maxRecvQueueLen: 128,
  cancelTimeoutMs: 8000,
  quicKeepaliveS: 30,
  quicIdleTimeoutS: 60,
  subscriptions: [{ topic: 'down/#', qos: 0 }],
};

/** `quic_initial_rtt_ms = 800ms` is read as minutes up to 0.24.8 (D11). */
const INITIAL_RTT_MISREAD_MS = 48_000;

export interface Rate {
  readonly hz: number;
  readonly fromS: number;
  readonly toS: number;
  /** QoS of message n is `mix[n % mix.length]`. */
  readonly mix?: readonly Qos[];
  readonly size?: number;
  /** Messages that come in the same instant, as publishers under load bunch them. */
  readonly burst?: number;
}

export interface Scenario {
  readonly nanomq: string;
  readonly emqx: string;
  readonly transport?: 'quic' | 'tcp';
  readonly bridge?: Partial<BridgeSettings>;
  readonly broker?: Partial<BrokerSettings>;
  readonly up?: Rate;
  readonly down?: Rate;
  readonly faults?: readonly Stimulus[];
  readonly durationS: number;
  readonly seed?: number;
  readonly link?: LinkSettings;
  readonly choices?: Choices;
  readonly misreadInitialRtt?: boolean;
  readonly onDelivery?: SimOptions['onDelivery'];
}

export interface Outcome {
  readonly summary: SimSummary;
  readonly records: readonly SimRecord[];
}

export function run(scenario: Scenario): Outcome {
  const transport = scenario.transport ?? 'quic';
  const records: SimRecord[] = [];
  const misread = scenario.misreadInitialRtt ? { quicInitialRttMs: INITIAL_RTT_MISREAD_MS } : {};
  const defaults = bridgeDefaults(scenario.nanomq, transport);
  const settings = { ...defaults, ...CORPUS_BRIDGE, ...misread, ...scenario.bridge };
  const summary = simulate(
    {
      bridge: { profile: bridgeProfile(scenario.nanomq, transport).profile, settings },
      wrapBridge: (machine) => checkedBridge(machine, transport === 'quic' && settings.quicQosPriority),
      broker: {
        profile: brokerProfile(scenario.emqx).profile,
        settings: { ...DEFAULT_BROKER_SETTINGS, ...scenario.broker },
      },
      stimuli: stimuliOf(scenario),
      durationUs: scenario.durationS * SECOND,
      seed: scenario.seed ?? 1,
      choices: scenario.choices,
      link: scenario.link,
      onDelivery: scenario.onDelivery,
    },
    (record) => records.push(record),
  );
  checkTrace(records, summary, {
    qos2Uplink: scenario.up?.mix?.includes(2),
    keepalive: {
      transport,
      profile: brokerProfile(scenario.emqx).profile,
      settings: { ...DEFAULT_BROKER_SETTINGS, ...scenario.broker },
      // The travel time of a packet.
      late: SECOND,
    },
  });
  return { summary, records };
}

/** Merges the rates and the faults in time order. */
function* stimuliOf({ up, down, faults = [] }: Scenario): Iterable<Stimulus> {
  const sources = [messages('publish', up), messages('downlink', down), faults[Symbol.iterator]()];
  const heads = sources.map((source) => source.next());
  for (;;) {
    let earliest = -1;
    for (let index = 0; index < heads.length; index++) {
      const head = heads[index]!;
      if (head.done) continue;
      if (earliest < 0 || head.value.at < (heads[earliest]!.value as Stimulus).at) earliest = index;
    }
    if (earliest < 0) return;
    yield heads[earliest]!.value as Stimulus;
    heads[earliest] = sources[earliest]!.next();
  }
}

function* messages(kind: 'publish' | 'downlink', rate: Rate | undefined): Iterator<Stimulus> {
  if (!rate) return;
  const mix = rate.mix ?? [0];
  const count = Math.floor((rate.toS - rate.fromS) * rate.hz);
  for (let seq = 0; seq < count; seq++) {
    const slot = seq - (seq % (rate.burst ?? 1));
    const at = Math.round(rate.fromS * SECOND + (slot * SECOND) / rate.hz);
    const topic = kind === 'publish' ? 'up/t1' : 'down/t1';
    yield { at, kind, message: { seq, topic, qos: mix[seq % mix.length]!, size: rate.size ?? 31 } };
  }
}

export function blackhole(fromS: number, toS: number): readonly Stimulus[] {
  return [
    { at: fromS * SECOND, kind: 'network', down: true },
    { at: toS * SECOND, kind: 'network', down: false },
  ];
}

export function restart(stopS: number, startS: number): readonly Stimulus[] {
  return [
    { at: stopS * SECOND, kind: 'broker-stop' },
    { at: startS * SECOND, kind: 'broker-start' },
  ];
}

export function count(records: readonly SimRecord[], event: string): number {
  return records.filter((record) => record.event === event).length;
}

export function times(records: readonly SimRecord[], event: string): readonly number[] {
  return records.filter((record) => record.event === event).map((record) => record.at / SECOND);
}

/** Seconds from CONNACK to the keepalive decision, one a keepalive disconnect. */
export function keepaliveDwells(records: readonly SimRecord[]): readonly number[] {
  const dwells: number[] = [];
  let connectedAt: number | null = null;
  for (const { event, fields, at } of records) {
    if (event === 'mqtt_packet_sent' && fields?.packet === 'CONNACK') connectedAt = at;
    if (event !== 'socket_force_closed' || fields?.reason !== 'keepalive_timeout' || connectedAt === null) continue;
    dwells.push((at - connectedAt) / SECOND);
  }
  return dwells;
}

/** Seconds from each bridge disconnect to the next successful connect. */
export function redials(records: readonly SimRecord[]): readonly number[] {
  const list: number[] = [];
  let endedAt: number | null = null;
  for (const { event, at } of records) {
    if (event === 'bridge_disconnected') endedAt = at;
    if (event !== 'bridge_connected' || endedAt === null) continue;
    list.push((at - endedAt) / SECOND);
    endedAt = null;
  }
  return list;
}

/** Records between the n-th and the next `bridge_connected`, from 0. */
export function connection(records: readonly SimRecord[], index: number): readonly SimRecord[] {
  const starts: number[] = [];
  records.forEach((record, position) => {
    if (record.event === 'bridge_connected') starts.push(position);
  });
  return records.slice(starts[index], starts[index + 1]);
}

export function delivered(summary: SimSummary, direction: 'up' | 'down'): number {
  const { delivered: by } = summary[direction];
  return by[0] + by[1] + by[2];
}

export function offered(summary: SimSummary, direction: 'up' | 'down'): number {
  const { offered: by } = summary[direction];
  return by[0] + by[1] + by[2];
}
