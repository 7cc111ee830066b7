/** The broker's keepalive check, five generations as data (emqx-keepalive-model §1.2, §5). */

import type { BrokerProfile } from '../profiles/profile.ts';
import { milliseconds } from '../time.ts';
import type { BrokerSettings, Micros } from '../types.ts';

const CHECK_INTERVAL_MIN_MS = 1_000;

export interface Keepalive {
  readonly period: Micros;
  /** Idle time that ends the connection; rule `idle` only. */
  readonly limit: Micros;
  stored: number;
  idle: Micros;
  repeated: boolean;
  checkAt: Micros;
}

/** Arms the check while CONNACK is being built; null: keepalive 0, no check. `count` is the counter now. */
export function armKeepalive(
  profile: BrokerProfile,
  settings: BrokerSettings,
  keepaliveS: number,
  count: number,
  now: Micros,
): Keepalive | null {
  if (keepaliveS === 0) return null;
  const period = milliseconds(periodMs(profile, settings, keepaliveS));
  return {
    period,
    limit: milliseconds(Math.ceil(keepaliveS * 1000 * settings.keepaliveMultiplier)),
    stored: storedAtConnect(profile, count),
    idle: 0,
    repeated: false,
    checkAt: now + period,
  };
}

function periodMs(profile: BrokerProfile, settings: BrokerSettings, keepaliveS: number): number {
  switch (profile.keepaliveRule) {
    case 'repeat':
      return Math.round(keepaliveS * 1000 * settings.keepaliveBackoff);
    case 'multiplier':
      return Math.round(keepaliveS * 1000 * settings.keepaliveMultiplier);
    case 'idle': {
      const half = Math.max(Math.floor((keepaliveS * 1000) / 2), CHECK_INTERVAL_MIN_MS);
      return Math.min(Math.max(settings.keepaliveCheckIntervalMs, CHECK_INTERVAL_MIN_MS), half);
    }
  }
}

function storedAtConnect(profile: BrokerProfile, count: number): number {
  if (profile.storedAtConnect === 'zero') return 0;
  return profile.storedAtConnect === 'never-equal' ? -1 : count;
}

/** One tick. True: the client was silent for too long. */
export function checkKeepalive(profile: BrokerProfile, keepalive: Keepalive, count: number, now: Micros): boolean {
  const changed = count !== keepalive.stored;
  keepalive.stored = count;
  if (!changed && isExpired(profile, keepalive)) return true;
  if (changed) {
    keepalive.idle = 0;
    keepalive.repeated = false;
  } else {
    keepalive.idle += keepalive.period;
    keepalive.repeated = true;
  }
  keepalive.checkAt = now + keepalive.period;
  return false;
}

function isExpired(profile: BrokerProfile, keepalive: Keepalive): boolean {
  if (profile.keepaliveRule === 'repeat') return keepalive.repeated;
  if (profile.keepaliveRule === 'multiplier') return true;
  return keepalive.idle + keepalive.period >= keepalive.limit;
}

/** A PINGREQ on the control stream restarts the check (§1.2, C and D only). */
export function restartByPing(profile: BrokerProfile, keepalive: Keepalive, count: number, now: Micros): void {
  if (profile.keepaliveRule !== 'idle') return;
  keepalive.stored = count;
  keepalive.idle = 0;
  keepalive.checkAt = now + keepalive.period;
}
