/** Bridge settings for a replay: what NanoMQ printed at boot, what its traffic shows, and its release's defaults; each with its origin. */
import { type BridgeSettings, bridgeDefaults, bridgeSettings, SHIPPED_SAMPLE } from '../engine/index.ts';
import type { Origin } from './entry.ts';

export interface SettingsFacts {
  readonly dump: { readonly [key: string]: unknown };
  readonly release: string;
  readonly transport: 'quic' | 'tcp';
  readonly clientId: string | null;
  /** Keepalive of the CONNECT the broker saw, or the one the client logged. */
  readonly keepaliveS: number | null;
  readonly protocol: number | null;
  readonly cleanStart: boolean | null;
  /** SUBSCRIBE was seen on the control stream (true), or connects without it (false). */
  readonly subscribesOnControl: boolean | null;
  readonly contexts: number | null; // distinct Ctx numbers of busy lines
  readonly subscriptions: readonly { readonly topic: string; readonly qos: 0 | 1 | 2 }[] | null; // from SUBSCRIBE packets
}

/** nanomq.conf keys as the boot dump prints them → fields of BridgeSettings. All values are plain numbers there. */
const DUMPED: readonly (readonly [string, keyof BridgeSettings])[] = [
  ['keepalive', 'keepaliveS'],
  ['backoff_max', 'backoffMaxS'],
  ['max_parallel_processes', 'maxParallelProcesses'],
  ['resend_interval', 'resendIntervalMs'],
  ['resend_wait', 'resendWaitMs'],
  ['cancel_timeout', 'cancelTimeoutMs'],
  ['quic_keepalive', 'quicKeepaliveS'],
  ['qidle_timeout', 'quicIdleTimeoutS'],
  ['quic_discon_timeout', 'quicDisconnectTimeoutS'],
  ['quic_handshake_timeout', 'quicHandshakeTimeoutS'],
  ['qinitial_rtt_ms', 'quicInitialRttMs'], // the value in force, after the release's unit bug (D11)
  ['parallel', 'parallel'],
  ['proto_ver', 'protocol'],
];

export function rebuildSettings(facts: SettingsFacts): {
  settings: { -readonly [Key in keyof BridgeSettings]: BridgeSettings[Key] };
  origins: Record<string, Origin>;
} {
  const settings: { -readonly [Key in keyof BridgeSettings]: BridgeSettings[Key] } = {
    ...bridgeDefaults(facts.release, facts.transport),
    transport: facts.transport,
  };
  const origins: Record<string, Origin> = {};
  const set = <Key extends keyof BridgeSettings>(
    key: Key,
    value: BridgeSettings[Key] | null | undefined,
    origin: Origin,
  ): void => {
    if (value === null || value === undefined) return;
    settings[key] = value;
    origins[key] = origin;
  };
  const sample = bridgeSettings(facts.release, facts.transport, SHIPPED_SAMPLE).settings;
  // The dump does not print these either; the sample configuration's values. A capacity of 0 would show in the log (D12).
  settings.maxSendQueueLen = sample.maxSendQueueLen;
  settings.maxRecvQueueLen = sample.maxRecvQueueLen;
  for (const [key, field] of DUMPED) {
    const value = Number(facts.dump[key]);
    if (facts.dump[key] !== undefined && Number.isFinite(value)) set(field, value as never, 'observed');
  }
  // The line of the ack delay prints the initial RTT (measured.md, "Config trap"): where that is the sample's, so is the ack delay.
  if (facts.dump.qinitial_rtt_ms !== undefined && settings.quicInitialRttMs === sample.quicInitialRttMs)
    set('quicMaxAckDelayMs', sample.quicMaxAckDelayMs, 'inferred');
  if (facts.dump.clean_start !== undefined)
    set('cleanStart', ['1', 'true'].includes(String(facts.dump.clean_start)), 'observed');
  if (facts.dump.parallel === undefined) set('parallel', facts.contexts, 'inferred');
  if (facts.dump.keepalive === undefined) set('keepaliveS', facts.keepaliveS, 'observed');
  if (facts.dump.proto_ver === undefined)
    set('protocol', facts.protocol === 4 || facts.protocol === 5 ? facts.protocol : null, 'observed');
  if (facts.dump.clean_start === undefined) set('cleanStart', facts.cleanStart, 'observed');
  set('clientId', facts.clientId, 'observed');
  set('subscriptions', dumpedSubscriptions(facts.dump) ?? facts.subscriptions, 'observed');
  // No release prints quic_qos_priority; where the SUBSCRIBE goes shows it (nanomq-bridge-model §1.1).
  set('quicQosPriority', facts.subscribesOnControl, 'inferred');
  for (const key of Object.keys(settings)) origins[key] ??= 'assumed';
  return { settings, origins };
}

function dumpedSubscriptions(dump: SettingsFacts['dump']): { topic: string; qos: 0 | 1 | 2 }[] | null {
  if (!Array.isArray(dump.subscription)) return null;
  return (dump.subscription as Record<string, unknown>[])
    .map((item) => ({ topic: String(item['remote topic'] ?? ''), qos: qosOf(item.qos) }))
    .filter((item) => item.topic !== '');
}

function qosOf(value: unknown): 0 | 1 | 2 {
  const qos = Number(value);
  return qos === 1 || qos === 2 ? qos : 0;
}
