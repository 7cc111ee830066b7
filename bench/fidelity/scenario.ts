/** One incident of the corpus as options of the simulator: its true configuration, workload and network script. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { matchesTopic } from '../../engine/broker/topic-filter.ts';
import {
  type BrokerSettings,
  bridgeProfile,
  bridgeSettings,
  brokerProfile,
  DEFAULT_BROKER_SETTINGS,
  type LinkSettings,
  type Message,
  type NetworkChange,
  type Qos,
  type SimOptions,
  type Stimulus,
} from '../../engine/index.ts';
import { type ConfiguredBridge, configuredBridges } from './nanomq-conf.ts';
import { type Published, throughLocalConnection } from './publisher.ts';

export interface Truth {
  readonly id: string;
  readonly name: string;
  readonly nanomq_version: string;
  readonly emqx_version: string;
  readonly transport: 'quic' | 'tcp';
  readonly mqtt_version: string;
  readonly clientid: string;
  readonly clock: { readonly nanomq_offset_s: number };
  readonly start: string;
  readonly end: string;
  readonly publish: { readonly size: number | null } | null;
  readonly downlink: { readonly size: number | null } | null;
  readonly bridge_connects: readonly string[];
  readonly bridge_disconnects: readonly {
    readonly time: string;
    readonly reason: string;
    readonly connected_s: number;
  }[];
  readonly counts: Readonly<Record<'uplink' | 'downlink', DirectionCounts | null>>;
  readonly harness_events: readonly { readonly time: string; readonly event: string; readonly what?: string }[];
  readonly log_line_counts: { readonly log_rotated: boolean };
}

export interface DirectionCounts {
  readonly published: number;
  readonly delivered: number;
  readonly lost: number;
  readonly by_qos: Readonly<Record<string, { readonly published: number; readonly delivered: number }>>;
}

export interface Scenario {
  readonly name: string;
  readonly folder: string;
  readonly truth: Truth;
  /** The bridges of the one NanoMQ. The truth speaks of the first. */
  readonly bridges: readonly [ScenarioBridge, ...ScenarioBridge[]];
  /** Messages published by direction. */
  readonly offered: Readonly<Record<'up' | 'down', number>>;
  /** When the broker was stopped or killed. */
  readonly brokerStops: readonly number[];
}

export interface ScenarioBridge {
  readonly options: Omit<SimOptions, 'seed' | 'stimuli'>;
  /** What happens in one run; the local publisher's scheduling differs from seed to seed. */
  readonly stimuliOf: (seed: number) => readonly Stimulus[];
}

/** What a message of the corpus weighs where the workload names no size: `{"s":1,"t":1795323205238,"q":0}`. */
const PAYLOAD_BYTES = 31;

export function readTruth(folder: string): Truth {
  return JSON.parse(readFileSync(path.join(folder, 'truth.json'), 'utf8')) as Truth;
}

export function loadScenario(folder: string): Scenario {
  const truth = readTruth(folder);
  const origin = originOf(truth);
  const network = readNetwork(folder, truth, origin);
  const conf = readFileSync(path.join(folder, 'nanomq.conf'), 'utf8');
  const parts = configuredBridges(conf).map((configured) => ({
    configured,
    ...readMessages(folder, configured, truth, origin),
  }));
  const [first, ...others] = parts.map(({ configured, up, down }): ScenarioBridge => {
    const bridge = {
      profile: bridgeProfile(truth.nanomq_version, truth.transport).profile,
      settings: bridgeSettings(truth.nanomq_version, truth.transport, configured.conf).settings,
    };
    const broker = { profile: brokerProfile(truth.emqx_version).profile, settings: readBrokerSettings(folder) };
    return {
      options: { bridge, broker, durationUs: micros(truth.end) - origin, link: network.link },
      stimuliOf: (seed) =>
        [...throughLocalConnection(up, seed), ...down, ...network.stimuli].sort((left, right) => left.at - right.at),
    };
  });
  return {
    name: path.basename(folder),
    folder,
    truth,
    bridges: [first!, ...others],
    offered: {
      up: parts.reduce((sum, { up }) => sum + up.length, 0),
      down: parts.reduce((sum, { down }) => sum + down.length, 0),
    },
    brokerStops: network.stimuli
      .filter(({ kind }) => kind === 'broker-stop' || kind === 'broker-kill')
      .map(({ at }) => at),
  };
}

/** The run starts when NanoMQ does. */
export function originOf(truth: Truth): number {
  const started = truth.harness_events.find((event) => event.event === 'nanomq_start');
  return micros(started?.time ?? truth.start);
}

/** Microseconds since the epoch of an ISO stamp with up to six digits of a second. */
export function micros(stamp: string): number {
  const match = /^(.*:\d\d)(?:\.(\d{1,6}))?Z$/.exec(stamp);
  if (!match) throw new RangeError(`not a UTC time: ${stamp}`);
  return Date.parse(`${match[1]}Z`) * 1000 + Number((match[2] ?? '').padEnd(6, '0'));
}

function readLines(folder: string, name: string): Record<string, unknown>[] {
  const file = path.join(folder, name);
  if (!existsSync(file)) return [];
  const bytes = readFileSync(file);
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function readBrokerSettings(folder: string): BrokerSettings {
  const conf = readFileSync(path.join(folder, 'emqx.conf'), 'utf8');
  const limit = /^mqtt\.max_packet_size\s*=\s*(\d+)KB/m.exec(conf);
  return limit ? { ...DEFAULT_BROKER_SETTINGS, maxPacketSize: Number(limit[1]) * 1024 } : DEFAULT_BROKER_SETTINGS;
}

/**
 * Messages of a bridge: those that a forward rule or a subscription of it matches. What was published before NanoMQ ran never
 * reached it.
 */
function readMessages(
  folder: string,
  configured: ConfiguredBridge,
  truth: Truth,
  origin: number,
): { up: Published[]; down: Stimulus[] } {
  const topics = topicsOf(configured);
  const up: Published[] = [];
  const down: Stimulus[] = [];
  for (const line of readLines(folder, 'published.jsonl.gz')) {
    const isUp = line.dir === 'up';
    const at = micros(String(line.t)) - origin;
    const topic = String(line.topic);
    if (at < 0 || !topics(isUp ? 'up' : 'down', topic)) continue;
    const size = Number(line.size ?? (isUp ? truth.publish?.size : truth.downlink?.size) ?? PAYLOAD_BYTES);
    const message: Message = { seq: Number(line.s), topic, qos: Number(line.q) as Qos, size };
    if (isUp) up.push({ publish: { at, kind: 'publish', message }, answeredAt: answerOf(line, origin) });
    else down.push({ at, kind: 'downlink', message });
  }
  return { up, down };
}

function answerOf(line: Record<string, unknown>, origin: number): number | null {
  return line.ack === undefined ? null : micros(String(line.ack)) - origin;
}

/** Distinct messages of the bridges that arrived, by direction. */
export function readDelivered(folder: string): { readonly up: number; readonly down: number } {
  const conf = readFileSync(path.join(folder, 'nanomq.conf'), 'utf8');
  const bridges = configuredBridges(conf).map(topicsOf);
  const seen = { up: new Set<number>(), down: new Set<number>() };
  for (const line of readLines(folder, 'delivered.jsonl.gz')) {
    const direction = line.dir === 'up' ? 'up' : 'down';
    if (bridges.some((topics) => topics(direction, String(line.topic)))) seen[direction].add(Number(line.s));
  }
  return { up: seen.up.size, down: seen.down.size };
}

function topicsOf({ conf, forwards }: ConfiguredBridge): (direction: 'up' | 'down', topic: string) => boolean {
  const subscribed = bridgeSettings('0.25.6', 'quic', conf).settings.subscriptions.map(({ topic }) => topic);
  return (direction, topic) =>
    (direction === 'up' ? forwards : subscribed).some((filter) => matchesTopic(filter, topic));
}

/** What the forwarder and the harness did. `brokerDown`: the forwarder swallows what a stopped broker would refuse. */
function readNetwork(folder: string, truth: Truth, origin: number): { link: LinkSettings; stimuli: Stimulus[] } {
  const lines = readLines(folder, 'network.jsonl');
  const first = lines.find((line) => line.event === 'start') ?? {};
  const link: LinkSettings = {
    delayMs: Number(first.delay ?? 0) + LOOPBACK_DELAY_MS,
    jitterMs: Number(first.jitter ?? 0),
    loss: Number(first.loss ?? 0),
    brokerDown: 'silent',
    // Of TCP the forwarder keeps what it is given; of QUIC it drops it.
    initially: first.down === true ? cut(truth, true) : undefined,
  };
  const stimuli: Stimulus[] = [];
  const events = [...lines, ...truth.harness_events.map((event) => ({ ...event, harness: true }))];
  for (const line of events) {
    const at = Math.max(0, micros(String(line.time)) - origin);
    stimuli.push(...toStimuli(line, at, truth));
  }
  for (const at of listeningAgain(folder, truth)) stimuli.push({ at: at - origin, kind: 'broker-start' });
  return { link, stimuli };
}

/**
 * When a restarted broker took connections again: the first packet in its own log after each start. (The harness looked for it
 * every few seconds only.)
 */
function listeningAgain(folder: string, truth: Truth): number[] {
  const restarts = truth.harness_events
    .filter((event) => event.event === 'broker_start')
    .map((event) => micros(event.time))
    .slice(1);
  if (restarts.length === 0) return [];
  const packets = gunzipSync(readFileSync(path.join(folder, 'emqx.log.gz')))
    .toString('utf8')
    .split('\n')
    .filter((line) => line.includes('msg: mqtt_packet_received'))
    .map((line) => micros(line.slice(0, 26).concat('Z')));
  return restarts.flatMap((restart) => packets.find((at) => at > restart) ?? []);
}

/** Forwarder and EMQX on one machine: PUBACKs come back after 2 or 3 ms in most incidents without a delay. */
const LOOPBACK_DELAY_MS = 1.1;

function cut(truth: Truth, down: boolean): NetworkChange {
  return truth.transport === 'tcp' ? { hold: down } : { down };
}

function toStimuli(line: Record<string, unknown>, at: number, truth: Truth): Stimulus[] {
  switch (line.event) {
    case 'blackhole_start':
      return [{ at, kind: 'network', ...cut(truth, true) }];
    case 'blackhole_end':
      return [{ at, kind: 'network', ...cut(truth, false) }];
    case 'broker_stop':
      if (line.harness !== true) return [];
      return [{ at, kind: line.how === 'SIGKILL' ? 'broker-kill' : 'broker-stop' }];
    case 'broker_SIGSTOP':
      return [{ at, kind: 'broker-pause' }];
    case 'broker_SIGCONT':
      return [{ at, kind: 'broker-resume' }];
    case 'second_client_connects':
      return [{ at, kind: 'rival-connect' }];
    case 'refuse':
      return [{ at, kind: 'refuse', reasonCode: line.on === false ? null : NOT_AUTHORIZED }];
    case 'ctl':
      return controlStimuli(String(line.what), at);
    default:
      return [];
  }
}

/** MQTT 5.0 §3.2.2.2. */
const NOT_AUTHORIZED = 135;
const BANNED = 138;

/** What the harness told the broker to do: kick the client, or ban it for some seconds, which also kicks it. */
function controlStimuli(what: string, at: number): Stimulus[] {
  const ban = /^\{ban,[^,]*,(\d+)\}/.exec(what);
  if (!ban) return what.startsWith('{kick') ? [{ at, kind: 'kick' }] : [];
  return [
    { at, kind: 'refuse', reasonCode: BANNED },
    { at, kind: 'kick' },
    { at: at + Number(ban[1]) * 1_000_000, kind: 'refuse', reasonCode: null },
  ];
}
