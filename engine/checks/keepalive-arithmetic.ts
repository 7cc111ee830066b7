/**
 * How long the broker may and must wait for a packet, by the closed forms of emqx-keepalive-model §1.3 (the machine counts ticks
 * instead), and how often the bridge may ping.
 */

import type { BrokerProfile } from '../profiles/profile.ts';
import type { BrokerSettings, Micros } from '../types.ts';
import { TraceCheckError, type TraceRecord } from './trace.ts';

export interface KeepaliveFacts {
  readonly transport: 'quic' | 'tcp';
  readonly profile: BrokerProfile;
  readonly settings: BrokerSettings;
  /** How far clocks and timers of a real trace may be off, µs. */
  readonly early?: Micros;
  readonly late?: Micros;
}

/** Time from the last counted packet to the disconnect: `from` included, `to` not. */
export interface Interval {
  readonly from: Micros;
  readonly to: Micros;
}

/** What was counted last: nothing but CONNECT, a PINGREQ on the control stream, or anything else. */
export type LastPacket = 'connect' | 'pingreq' | 'other';

/** Null: keepalive 0, never. An interval of one instant has `to` = `from`. */
export function timeToDisconnect(
  profile: BrokerProfile,
  settings: BrokerSettings,
  keepaliveS: number,
  last: LastPacket,
): Interval | null {
  if (keepaliveS === 0) return null;
  const k = keepaliveS * 1_000_000;
  switch (profile.keepaliveRule) {
    case 'repeat':
      return repeatInterval(profile, k * settings.keepaliveBackoff, last);
    case 'multiplier': {
      const period = k * settings.keepaliveMultiplier;
      return last === 'connect' ? instant(period) : { from: period, to: 2 * period };
    }
    case 'idle':
      return idleInterval(settings, k, last);
  }
}

/** Two ticks in a row without a change; the first tick is a change where the counter starts from another unit. */
function repeatInterval(profile: BrokerProfile, period: Micros, last: LastPacket): Interval {
  if (last !== 'connect') return { from: 2 * period, to: 3 * period };
  return instant(profile.storedAtConnect === 'current' ? 2 * period : 3 * period);
}

function idleInterval(settings: BrokerSettings, k: Micros, last: LastPacket): Interval {
  const second = 1_000_000;
  const half = Math.max(Math.floor(k / 2 / 1000) * 1000, second);
  const interval = Math.min(Math.max(settings.keepaliveCheckIntervalMs * 1000, second), half);
  const ticks = Math.ceil((k * settings.keepaliveMultiplier) / interval);
  const from = ticks * interval;
  return last === 'other' ? { from, to: from + interval } : instant(from);
}

function instant(at: Micros): Interval {
  return { from: at, to: at };
}

interface Watched {
  readonly keepaliveS: number;
  lastAt: Micros;
  last: LastPacket;
}

/** @throws TraceCheckError */
export function checkKeepaliveArithmetic(records: readonly TraceRecord[], facts: KeepaliveFacts): void {
  checkBroker(records, facts);
  checkPings(records, facts.early ?? 0);
}

function checkBroker(records: readonly TraceRecord[], facts: KeepaliveFacts): void {
  // Bytes of a QUIC connection are not in any trace.
  if (facts.profile.counterScope === 'connection-bytes' && facts.transport === 'quic') return;
  const watched = new Map<string, Watched>();
  for (const record of records) {
    const { endpoint, peer, event, fields } = record;
    if (endpoint !== 'broker' || peer === null) continue;
    if (event === 'mqtt_packet_received') onReceived(watched, record, peer, facts);
    if (event === 'mqtt_packet_sent' && fields?.packet === 'CONNACK') startAtConnack(watched.get(peer), record.at);
    if (event === 'connection_terminated') watched.delete(peer);
    if (event !== 'socket_force_closed') continue;
    const entry = watched.get(peer);
    if (entry && fields?.reason === 'keepalive_timeout') checkExpiry(entry, record.at, facts);
    watched.delete(peer);
  }
}

/** The check is armed with CONNACK, which may come late after a step-down. */
function startAtConnack(entry: Watched | undefined, at: Micros): void {
  if (entry?.last === 'connect') entry.lastAt = at;
}

function onReceived(watched: Map<string, Watched>, record: TraceRecord, peer: string, facts: KeepaliveFacts): void {
  const { fields, at } = record;
  if (fields?.packet === 'CONNECT') {
    const { serverKeepaliveS } = facts.settings;
    const asked = Number(fields.keepalive_s ?? 0);
    const overridden = serverKeepaliveS !== null && fields.protocol_version === 5;
    watched.set(peer, { keepaliveS: overridden ? serverKeepaliveS : asked, lastAt: at, last: 'connect' });
    return;
  }
  const entry = watched.get(peer);
  if (!entry) return;
  checkSurvival(entry, at, facts);
  entry.lastAt = at;
  entry.last = fields?.packet === 'PINGREQ' ? 'pingreq' : 'other';
}

/** Packets of data streams count but are in no trace (§2.5): then a disconnect may come later than the control stream tells. */
function countsUnseen(facts: KeepaliveFacts): boolean {
  return facts.transport === 'quic' && facts.profile.counterScope === 'connection-packets';
}

function checkSurvival(entry: Watched, at: Micros, facts: KeepaliveFacts): void {
  const interval = timeToDisconnect(facts.profile, facts.settings, entry.keepaliveS, entry.last);
  if (!interval || countsUnseen(facts)) return;
  const gap = at - entry.lastAt;
  if (gap <= interval.to + (facts.late ?? 0)) return;
  throw new TraceCheckError('keepalive-arithmetic', at, `still connected ${gap} µs after the last packet`);
}

function checkExpiry(entry: Watched, at: Micros, facts: KeepaliveFacts): void {
  const interval = timeToDisconnect(facts.profile, facts.settings, entry.keepaliveS, entry.last);
  const gap = at - entry.lastAt;
  if (!interval) throw new TraceCheckError('keepalive-arithmetic', at, 'disconnected although keepalive is 0');
  const tooEarly = gap < interval.from - (facts.early ?? 0);
  const tooLate = !countsUnseen(facts) && gap > interval.to + (facts.late ?? 0);
  if (!tooEarly && !tooLate) return;
  const range = `${interval.from} to ${interval.to}`;
  throw new TraceCheckError('keepalive-arithmetic', at, `disconnected after ${gap} µs, not ${range}`);
}

/** A PINGREQ starts the ping timer anew, so the next one of the same connection is a keepalive away at least. */
function checkPings(records: readonly TraceRecord[], early: Micros): void {
  let last: Micros | null = null;
  for (const { event, at, fields } of records) {
    if (event === 'bridge_connected' || event === 'bridge_disconnected') last = null;
    if (event !== 'ping_sent') continue;
    const keepalive = Number(fields?.keepalive_ms ?? 0) * 1000;
    if (last !== null && at - last < keepalive - early) {
      throw new TraceCheckError('ping-arithmetic', at, `PINGREQ ${at - last} µs after the one before`);
    }
    last = at;
  }
}
