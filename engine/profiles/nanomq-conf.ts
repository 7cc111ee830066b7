/**
 * Keys of nanomq.conf as settings of the machine (nanomq-logs §3): what a release reads, how it reads it, and what it takes when
 * a key is absent or unreadable.
 */

import type { BridgeSettings, Qos } from '../types.ts';
import { bridgeDefaults } from './nanomq.ts';
import { compareReleases, parseRelease } from './release.ts';

/** A value as the HOCON parser gives it: `10s` is a string, `32` a number. */
export type ConfValue = string | number | boolean;
export type BridgeConf = { readonly [key: string]: ConfValue | readonly ConfSubscription[] | undefined };

export interface ConfSubscription {
  readonly remote_topic: string;
  readonly qos?: number;
}

export interface ReadConf {
  readonly settings: BridgeSettings;
  /** Keys that had no effect, each with the reason. */
  readonly ignored: readonly { readonly key: string; readonly why: string }[];
}

type Draft = { -readonly [Key in keyof BridgeSettings]: BridgeSettings[Key] };

/** How a release reads durations that are meant in milliseconds (D11). */
interface MillisecondRule {
  readonly from: string;
  /** The ack delay is at most this. */
  readonly maxAckDelayMs: number;
  /** Null: `ms` is unknown and `m` is read, so that `800ms` are 800 minutes; the seconds are then used as milliseconds. */
  readonly units: Readonly<Record<string, number>> | null;
}

const MILLISECOND_RULES: readonly MillisecondRule[] = [
  { from: '0.0.0', units: null, maxAckDelayMs: Number.POSITIVE_INFINITY },
  { from: '0.24.9', units: { ms: 1, s: 1000 }, maxAckDelayMs: 16_000 }, // NanoNNG 4af38de2e, f453b66b5
];

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

type ValueType = 'time' | 'milliseconds' | 'number' | 'flag' | 'text';

interface KeyRow {
  readonly key: string;
  readonly type: ValueType;
  readonly field: keyof BridgeSettings;
  /** First release that reads the key; absent: all. */
  readonly since?: string;
}

/** One row a key (nanomq-logs §3.2); `system.parallel` and `log.level` are outside the bridge's section. */
const KEYS: readonly KeyRow[] = [
  { key: 'server', type: 'text', field: 'address' },
  { key: 'proto_ver', type: 'number', field: 'protocol' },
  { key: 'clientid', type: 'text', field: 'clientId' },
  { key: 'username', type: 'text', field: 'username' },
  { key: 'keepalive', type: 'time', field: 'keepaliveS' },
  { key: 'backoff_max', type: 'time', field: 'backoffMaxS' },
  { key: 'clean_start', type: 'flag', field: 'cleanStart' },
  { key: 'max_parallel_processes', type: 'number', field: 'maxParallelProcesses' },
  { key: 'max_send_queue_len', type: 'number', field: 'maxSendQueueLen' },
  { key: 'max_recv_queue_len', type: 'number', field: 'maxRecvQueueLen' },
  { key: 'resend_interval', type: 'number', field: 'resendIntervalMs' },
  { key: 'resend_wait', type: 'number', field: 'resendWaitMs' },
  { key: 'cancel_timeout', type: 'number', field: 'cancelTimeoutMs' },
  { key: 'retry_qos_0', type: 'flag', field: 'retryQos0', since: '0.23.10' },
  { key: 'hybrid_bridging', type: 'flag', field: 'hybrid' },
  { key: 'conn_properties.session_expiry_interval', type: 'number', field: 'sessionExpiryS' },
  { key: 'conn_properties.receive_maximum', type: 'number', field: 'receiveMaximum' },
  { key: 'quic_keepalive', type: 'time', field: 'quicKeepaliveS' },
  { key: 'quic_idle_timeout', type: 'time', field: 'quicIdleTimeoutS' },
  { key: 'quic_discon_timeout', type: 'time', field: 'quicDisconnectTimeoutS' },
  { key: 'quic_handshake_timeout', type: 'time', field: 'quicHandshakeTimeoutS' },
  { key: 'quic_initial_rtt_ms', type: 'milliseconds', field: 'quicInitialRttMs' },
  { key: 'quic_max_ack_delay_ms', type: 'milliseconds', field: 'quicMaxAckDelayMs' },
  { key: 'quic_qos_priority', type: 'flag', field: 'quicQosPriority' },
  { key: 'system.parallel', type: 'number', field: 'parallel' },
  { key: 'log.level', type: 'text', field: 'logLevel' },
];

/** Read by the product, without effect on anything this machine models. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'enable',
  'quic_multi_stream', // sub streams are always on (nanomq-bridge-model §1.1)
  'quic_0rtt',
  'quic_send_idle_timeout',
  'congestion_control',
  'password',
]);

/** What QUIC's transport puts in the place of an MQTT 3.1 CONNECT, which it does not accept (nanomq-bridge-model §4). */
const CONNECT_OF_THE_TRANSPORT: Partial<BridgeSettings> = { keepaliveS: 60, cleanStart: true, username: null };

/** The values of the configuration file that comes with the product (nanomq-logs §3.2, column "shipped sample"). */
export const SHIPPED_SAMPLE: BridgeConf = {
  proto_ver: 4,
  keepalive: '60s',
  backoff_max: '60s',
  clean_start: false,
  max_parallel_processes: 2,
  max_send_queue_len: 32,
  max_recv_queue_len: 128,
  resend_interval: 5000,
  resend_wait: 3000,
  cancel_timeout: 8000,
  quic_keepalive: '120s',
  quic_idle_timeout: '120s',
  quic_discon_timeout: '20s',
  quic_handshake_timeout: '60s',
  quic_initial_rtt_ms: '800ms',
  quic_max_ack_delay_ms: '100ms',
  quic_qos_priority: true,
};

/** Settings in force when `release` reads `conf`. An unknown release counts as the newest. */
export function bridgeSettings(release: string, transport: 'quic' | 'tcp', conf: BridgeConf): ReadConf {
  const draft: Draft = { ...bridgeDefaults(release, transport) };
  const ignored: { key: string; why: string }[] = [];
  for (const [key, value] of Object.entries(conf)) {
    if (value === undefined) continue;
    if (key === 'subscription' && Array.isArray(value)) {
      draft.subscriptions = (value as readonly ConfSubscription[]).map(subscription);
      continue;
    }
    const why = readKey(draft, release, key, value as ConfValue);
    if (why !== null) ignored.push({ key, why });
  }
  const { quicMaxAckDelayMs } = draft;
  if (quicMaxAckDelayMs !== undefined) {
    draft.quicMaxAckDelayMs = Math.min(quicMaxAckDelayMs, millisecondRule(release).maxAckDelayMs);
  }
  if (conf.proto_ver === 3 && transport === 'quic') Object.assign(draft, CONNECT_OF_THE_TRANSPORT);
  return { settings: draft, ignored };
}

/** Null: the key took effect. */
function readKey(draft: Draft, release: string, key: string, value: ConfValue): string | null {
  if (WITHOUT_EFFECT.has(key)) return 'has no effect on what is modelled';
  const row = KEYS.find((candidate) => candidate.key === key);
  if (!row) return 'is no key of a bridge';
  if (row.since !== undefined && isBefore(release, row.since)) return `is read from ${row.since} on`;
  const read = READERS[row.type](value, release);
  if (read === null) return `${JSON.stringify(value)} is not read as a ${row.type}`;
  // MQTT 3.1 is 3.1.1 here.
  if (key === 'proto_ver') draft.protocol = read === 5 ? 5 : 4;
  else Object.assign(draft, { [row.field]: read });
  return null;
}

const READERS: Readonly<Record<ValueType, (value: ConfValue, release: string) => ConfValue | null>> = {
  // A bare number is ignored; text without a unit is 0 (§3.1).
  time: (value) => (typeof value === 'string' ? readSeconds(value) : null),
  milliseconds: (value, release) => (typeof value === 'string' ? readMilliseconds(value, release) : null),
  number: (value) => (typeof value === 'number' && value > 0 ? Math.floor(value) : null),
  flag: (value) => (typeof value === 'boolean' ? value : null),
  text: (value) => (typeof value === 'string' ? value : null),
};

/** Only the first letter of the unit is looked at: `800ms` are 800 minutes. */
function readSeconds(text: string): number {
  const match = /^\s*(\d+)\s*([a-z])/.exec(text);
  return match ? Number(match[1]) * (SECONDS[match[2]!] ?? 0) : 0;
}

function millisecondRule(release: string): MillisecondRule {
  return MILLISECOND_RULES.findLast(({ from }) => !isBefore(release, from))!;
}

function readMilliseconds(text: string, release: string): number {
  const { units } = millisecondRule(release);
  if (units === null) return readSeconds(text);
  const match = /^\s*(\d+)\s*([a-z]+)/.exec(text);
  return match ? Number(match[1]) * (units[match[2]!] ?? 0) : 0;
}

function isBefore(release: string, from: string): boolean {
  const wanted = parseRelease(release);
  return wanted !== null && compareReleases(wanted, parseRelease(from)!) < 0;
}

function subscription({ remote_topic, qos }: ConfSubscription): { topic: string; qos: Qos } {
  return { topic: remote_topic, qos: qos === 1 || qos === 2 ? qos : 0 };
}
