/** Dialling, and the wait before it: jitter and back-off (nanomq-bridge-model §3.3). */

import { milliseconds, SECOND } from '../time.ts';
import { hostPort, log } from './log.ts';
import { logDialBegin } from './quic-lines.ts';
import type { Bridge } from './state.ts';

/** Ping period until CONNACK is processed. */
export const KEEPALIVE_BEFORE_CONNACK = 10 * SECOND;
const REDIAL_JITTER_MS = [0, 999] as const;
const BACKOFF_FIRST_MS = [0, 1999] as const;
const BACKOFF_WRAP_MS = [0, 999] as const;
const BACKOFF_LIMIT_S = 600;
const BACKOFF_CAPPED_S = 360;

export function dial(bridge: Bridge): void {
  bridge.phase = { kind: 'dialing' };
  bridge.connections++;
  if (bridge.settings.transport === 'quic') logDialBegin(bridge);
  bridge.out.push({ kind: 'dial' });
}

/** First dial of the bridge: no jitter, no sleep, but the back-off gets its first value. */
export function startDialing(bridge: Bridge): void {
  bridge.backoffMs = bridge.rng.int(...BACKOFF_FIRST_MS);
  dial(bridge);
}

/** §3.3: jitter, then a back-off that keeps doubling over the life of the bridge and wraps at `backoff_max`. */
export function waitForRedial(bridge: Bridge): void {
  bridge.keepalive = KEEPALIVE_BEFORE_CONNACK;
  bridge.timeleft = KEEPALIVE_BEFORE_CONNACK;
  const jitterMs = drawJitter(bridge);
  const backoffMs = nextBackoff(bridge);
  const chosenMs = bridge.redialChoicesMs[bridge.nextRedialChoice];
  if (chosenMs !== undefined) bridge.nextRedialChoice++;
  const sleepMs = chosenMs === undefined ? backoffMs : Math.min(backoffMs, chosenMs);
  const totalMs = chosenMs ?? jitterMs + backoffMs;
  const redialAt = bridge.now + milliseconds(totalMs);
  bridge.phase = { kind: 'waiting', redialAt, backoffMs: sleepMs, announced: false };
}

function drawJitter(bridge: Bridge): number {
  const jitterMs = bridge.rng.int(...REDIAL_JITTER_MS);
  if (bridge.profile.redialJitter === 'uniform') return jitterMs;
  return bridge.rng.int(0, 1) === 0 ? 0 : jitterMs;
}

function nextBackoff(bridge: Bridge): number {
  // Hybrid mode leaves the limit at 0.
  const configuredS = bridge.settings.hybrid ? 0 : bridge.settings.backoffMaxS;
  const limitMs = (configuredS > BACKOFF_LIMIT_S ? BACKOFF_CAPPED_S : configuredS) * 1000;
  bridge.backoffMs *= 2;
  // A first draw of 0 gives no sleep and a new first draw.
  if (bridge.backoffMs === 0) {
    bridge.backoffMs = bridge.rng.int(...BACKOFF_FIRST_MS);
    return 0;
  }
  if (bridge.backoffMs > limitMs) bridge.backoffMs = bridge.rng.int(...BACKOFF_WRAP_MS);
  return bridge.backoffMs;
}

/** When the waiting phase has something to do: announce the sleep, then dial. */
export function redialDeadline(phase: Extract<Bridge['phase'], { kind: 'waiting' }>): number {
  if (phase.announced || phase.backoffMs === null) return phase.redialAt;
  return phase.redialAt - milliseconds(phase.backoffMs);
}

export function onRedialDeadline(bridge: Bridge): void {
  const { phase } = bridge;
  if (phase.kind !== 'waiting') return;
  if (!phase.announced) {
    phase.announced = true;
    logBackoff(bridge, phase.backoffMs ?? 0);
  }
  if (phase.redialAt <= bridge.now) dial(bridge);
}

function logBackoff(bridge: Bridge, backoffMs: number): void {
  if (bridge.settings.transport === 'quic') {
    log(bridge, 'info', 'bridge_reconnect_backoff', { backoff_ms: backoffMs });
    return;
  }
  const base = { backoff_ms: backoffMs };
  const { backoffAddress } = bridge.profile.log;
  const fields = backoffAddress ? { host_port: hostPort(bridge), ...base } : base;
  log(bridge, 'warn', 'bridge_reconnect_backoff', fields);
}
