/**
 * A change to try: releases, settings, transport. Written as on the command line, `nanomq=0.23.10` or `keepalive=30s,quic_qos_priority=false`.
 * Keys are those of nanomq.conf, plus nanomq, emqx, transport, server_keepalive, keepalive_multiplier and network.
 */
import {
  type BridgeConf,
  type BridgeSettings,
  type BrokerSettings,
  bridgeDefaults,
  bridgeProfile,
  bridgeSettings,
  brokerProfile,
  DEFAULT_BROKER_SETTINGS,
} from '../engine/index.ts';
import { UsageError } from '../queries/index.ts';
import type { Header } from './cassette.ts';
import type { Entry } from './entry.ts';
import { networkEntries } from './network-change.ts';

export interface Variant {
  readonly name: string; // as the user wrote it; `baseline` for none
  readonly changes: readonly (readonly [string, string])[];
  /** A configuration in the place of the cassette's; the changes come on top. */
  readonly conf?: BridgeConf;
}

export const BASELINE: Variant = { name: 'baseline', changes: [] };

/** What a simulation needs besides the stimuli. */
export interface Setup {
  readonly nanomq: string;
  readonly emqx: string;
  readonly bridge: { readonly profile: ReturnType<typeof bridgeProfile>['profile']; readonly settings: BridgeSettings };
  readonly broker: { readonly profile: ReturnType<typeof brokerProfile>['profile']; readonly settings: BrokerSettings };
  /** What comes from outside in the place of the cassette's own; null: the cassette's. */
  readonly network: readonly Entry[] | null;
  readonly notes: readonly string[];
}

type Settings = { -readonly [Key in keyof BridgeSettings]: BridgeSettings[Key] };
interface Draft {
  nanomq: string;
  emqx: string;
  settings: Settings;
  broker: { -readonly [Key in keyof BrokerSettings]: BrokerSettings[Key] };
  network: string | null;
}

/** One row a key: how its text becomes a setting. Units as in nanomq.conf (nanomq-logs §3.1). */
const KEYS: { readonly [key: string]: (draft: Draft, value: string) => void } = {
  nanomq: (draft, value) => {
    draft.nanomq = releaseName(value);
  },
  emqx: (draft, value) => {
    draft.emqx = releaseName(value);
  },
  transport: (draft, value) => {
    if (value !== 'quic' && value !== 'tcp') throw bad('transport', value, 'quic or tcp');
    draft.settings.transport = value;
  },
  keepalive: (draft, value) => {
    draft.settings.keepaliveS = keepalive('keepalive', value);
  },
  server_keepalive: (draft, value) => {
    draft.broker.serverKeepaliveS = keepalive('server_keepalive', value);
  },
  keepalive_multiplier: (draft, value) => {
    draft.broker.keepaliveMultiplier = number('keepalive_multiplier', value);
  },
  clean_start: (draft, value) => {
    draft.settings.cleanStart = flag('clean_start', value);
  },
  proto_ver: (draft, value) => {
    const version = number('proto_ver', value);
    if (version !== 4 && version !== 5) throw bad('proto_ver', value, '4 or 5');
    draft.settings.protocol = version;
  },
  parallel: (draft, value) => {
    draft.settings.parallel = count('parallel', value, 1);
  },
  max_parallel_processes: (draft, value) => {
    draft.settings.maxParallelProcesses = count('max_parallel_processes', value, 1);
  },
  quic_qos_priority: (draft, value) => {
    draft.settings.quicQosPriority = flag('quic_qos_priority', value);
  },
  retry_qos_0: (draft, value) => {
    draft.settings.retryQos0 = flag('retry_qos_0', value);
  },
  max_send_queue_len: (draft, value) => {
    draft.settings.maxSendQueueLen = count('max_send_queue_len', value, 0);
  },
  max_recv_queue_len: (draft, value) => {
    draft.settings.maxRecvQueueLen = count('max_recv_queue_len', value, 0);
  },
  resend_interval: (draft, value) => {
    draft.settings.resendIntervalMs = duration('resend_interval', value, 'ms');
  },
  resend_wait: (draft, value) => {
    draft.settings.resendWaitMs = duration('resend_wait', value, 'ms');
  },
  cancel_timeout: (draft, value) => {
    draft.settings.cancelTimeoutMs = duration('cancel_timeout', value, 'ms');
  },
  backoff_max: (draft, value) => {
    draft.settings.backoffMaxS = duration('backoff_max', value, 's') / 1000;
  },
  quic_keepalive: (draft, value) => {
    draft.settings.quicKeepaliveS = duration('quic_keepalive', value, 's') / 1000;
  },
  quic_idle_timeout: (draft, value) => {
    draft.settings.quicIdleTimeoutS = duration('quic_idle_timeout', value, 's') / 1000;
  },
  quic_discon_timeout: (draft, value) => {
    draft.settings.quicDisconnectTimeoutS = duration('quic_discon_timeout', value, 's') / 1000;
  },
  quic_handshake_timeout: (draft, value) => {
    draft.settings.quicHandshakeTimeoutS = duration('quic_handshake_timeout', value, 's') / 1000;
  },
  network: (draft, value) => {
    draft.network = value;
  },
};

const CHOOSES_DEFAULTS = new Set(['nanomq', 'emqx', 'transport']);

export function variantKeys(): string[] {
  return Object.keys(KEYS);
}

/** Throws UsageError for an unknown key or a value that does not fit it. */
export function parseVariant(text: string): Variant {
  const changes = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part): [string, string] => {
      const at = part.indexOf('=');
      if (at < 1)
        throw new UsageError('bad-change', `${part} is not a change.`, {
          hint: 'Write KEY=VALUE, for example nanomq=0.23.10 or keepalive=30s.',
        });
      const key = part.slice(0, at).trim();
      if (!Object.hasOwn(KEYS, key)) {
        const near = nearest(key, variantKeys());
        throw new UsageError('unknown-key', `${key} is not a setting that a replay knows.`, {
          hint: `${near === null ? '' : `Did you mean ${near}? `}Known: ${variantKeys().join(', ')}.`,
        });
      }
      return [key, part.slice(at + 1).trim()];
    });
  if (changes.length === 0)
    throw new UsageError('bad-change', 'A fix needs at least one change.', {
      hint: 'For example --fix nanomq=0.23.10.',
    });
  return { name: text, changes };
}

/** The cassette's own settings with the variant's changes, and the profiles of the releases in force. */
export function setUp(header: Header, variant: Variant): Setup {
  const draft: Draft = {
    nanomq: header.bridge.release,
    emqx: header.broker.release,
    settings: {
      ...bridgeDefaults(header.bridge.release, header.bridge.settings.transport ?? 'quic'),
      ...header.bridge.settings,
    },
    broker: { ...DEFAULT_BROKER_SETTINGS, ...header.broker.settings },
    network: null,
  };
  // Release and transport first: their defaults must not overwrite what the user sets.
  const apply = (wanted: boolean) => {
    for (const [key, value] of variant.changes) if (CHOOSES_DEFAULTS.has(key) === wanted) KEYS[key]?.(draft, value);
  };
  apply(true);
  if (draft.nanomq !== header.bridge.release) adoptDefaults(draft, header);
  const ignored = variant.conf === undefined ? [] : adoptConf(draft, header, variant.conf);
  apply(false);
  const bridge = bridgeProfile(draft.nanomq, draft.settings.transport);
  const broker = brokerProfile(draft.emqx);
  return {
    nanomq: draft.nanomq,
    emqx: draft.emqx,
    bridge: { profile: bridge.profile, settings: draft.settings },
    broker: { profile: broker.profile, settings: draft.broker },
    network: draft.network === null ? null : networkEntries(draft.network, header, draft.settings.transport),
    notes: [bridge.note, broker.note, ...ignored].filter((note) => note !== null),
  };
}

/**
 * Settings of a configuration file as the release in force reads it. The bridge keeps its client id: the broker's side of the cassette
 * knows it by that.
 */
function adoptConf(draft: Draft, header: Header, conf: BridgeConf): string[] {
  const server = String(conf.server ?? '');
  if (/^mqtt-tcp:|^tls\+mqtt-tcp:/.test(server)) draft.settings.transport = 'tcp';
  if (/^mqtt-quic:/.test(server)) draft.settings.transport = 'quic';
  const { transport, clientId, subscriptions } = draft.settings;
  const read = bridgeSettings(draft.nanomq, transport, conf);
  draft.settings = {
    ...read.settings,
    transport,
    clientId,
    subscriptions: read.settings.subscriptions.length > 0 ? read.settings.subscriptions : subscriptions,
    // What the file does not say of the whole process is what it was.
    parallel:
      conf['system.parallel'] === undefined
        ? (header.bridge.settings.parallel ?? read.settings.parallel)
        : read.settings.parallel,
  };
  return read.ignored.map(({ key, why }) => `${key} has no effect: ${why}`);
}

/** Keys that some releases read in other units than they are named in (D11), and what they set. */
const MILLISECOND_KEYS = [
  ['quic_initial_rtt_ms', 'quicInitialRttMs'],
  ['quic_max_ack_delay_ms', 'quicMaxAckDelayMs'],
] as const;

/** Settings that were only assumed from the old release's defaults follow the new release's. */
function adoptDefaults(draft: Draft, header: Header): void {
  const fresh = bridgeDefaults(draft.nanomq, draft.settings.transport);
  for (const key of Object.keys(fresh) as (keyof BridgeSettings)[]) {
    if (
      header.bridge.origins?.[key] === 'assumed' &&
      key !== 'transport' &&
      (key.startsWith('quic') || key === 'retryQos0') &&
      key !== 'quicQosPriority'
    )
      draft.settings[key] = fresh[key] as never;
  }
  for (const [key, field] of MILLISECOND_KEYS) {
    const inForce = draft.settings[field];
    if (inForce !== undefined && header.bridge.origins?.[field] !== 'assumed')
      draft.settings[field] = readAgain(key, field, inForce, header.bridge.release, draft);
  }
}

/** What the new release makes of the text that gave the old one this value; a value that no `…ms` gives is kept. */
function readAgain(
  key: string,
  field: 'quicInitialRttMs' | 'quicMaxAckDelayMs',
  inForce: number,
  before: string,
  { nanomq, settings }: Draft,
): number {
  const read = (release: string, text: string): number =>
    bridgeSettings(release, settings.transport, { [key]: text }).settings[field] ?? inForce;
  const inFile = inForce / read(before, '1ms');
  return Number.isInteger(inFile) ? read(nanomq, `${inFile}ms`) : inForce;
}

/** `v0.23.10` → `0.23.10`. Throws UsageError for what names no release. */
export function releaseName(value: string): string {
  if (!/^[ve]?\d+\.\d+(\.\d+)?$/.test(value)) throw bad('release', value, 'a release such as 0.23.10 or 5.8.2');
  return value.replace(/^[ve]/, '');
}

const UNIT_MS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Duration text → ms; without a unit `unit` is meant. */
function duration(key: string, value: string, unit: 'ms' | 's'): number {
  const match = /^(\d+)(ms|s|m|h)?$/.exec(value);
  if (match === null) throw bad(key, value, 'a duration such as 30s');
  const ms = Number(match[1]) * (UNIT_MS[match[2] ?? unit] ?? 1);
  if (ms > 86_400_000 * 7) throw bad(key, value, 'a duration of a week at most');
  return ms;
}

/** [MQTT-3.1.2.10] Keep Alive is a 16-bit number of seconds. */
function keepalive(key: string, value: string): number {
  const seconds = duration(key, value, 's') / 1000;
  if (seconds > 65_535) throw bad(key, value, 'a keepalive of 65535 s at most');
  return Math.round(seconds);
}

function number(key: string, value: string): number {
  const parsed = Number(value);
  if (value === '' || !Number.isFinite(parsed) || parsed < 0) throw bad(key, value, 'a number of 0 or more');
  return parsed;
}

function count(key: string, value: string, least: number): number {
  const parsed = Number(value);
  if (value === '' || !Number.isInteger(parsed) || parsed < least || parsed > 65_535)
    throw bad(key, value, `a whole number from ${least} to 65535`);
  return parsed;
}

function flag(key: string, value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw bad(key, value, 'true or false');
}

function bad(key: string, value: string, wanted: string): UsageError {
  return new UsageError('bad-value', `${key}=${value}: not ${wanted}.`, { hint: `Write ${key}=VALUE with ${wanted}.` });
}

/** The name most like the word, if any is close (at most two letters differ). */
export function nearest(word: string, names: readonly string[]): string | null {
  let best: { name: string; distance: number } | null = null;
  for (const name of names) {
    const distance = editDistance(word, name);
    if (distance <= 2 && (best === null || distance < best.distance)) best = { name, distance };
  }
  return best?.name ?? null;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
