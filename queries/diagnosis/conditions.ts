/** Conditions that several rules share. Pure functions of a session and the story; thresholds are named and explained here. */
import { compareReleases } from '../release-order.ts';
import type { Evidence } from './finding.ts';
import type { BridgeStory, ReleaseRange, Session } from './story.ts';

/** Two disconnects of one kind make a cycle; one may be an accident of the network. */
export const MIN_CYCLES = 2;
/** A QUIC handshake of one round trip should not take this long, s (whole-second stamps: 2 means more than 1). */
export const MAX_HANDSHAKE_S = 2;
/** NanoMQ stamps whole seconds, so an interval measured in its log is this much unsure. */
const STAMP_S = 1;

/** The bridge logged no PINGREQ for at least the broker's limit (1.5 × keepalive) before the session ended. */
export function wasUnpinged(session: Session): boolean {
  const limit = 1.5 * (session.keepalive_s ?? 0);
  // At warn level PINGREQ does not show; without the broker's word on it nothing says that it was sent.
  if (session.pings === null && session.silence_s === null) return session.start_known_by === 'dialled';
  if (session.pings === null) return (session.silence_s ?? 0) >= limit - 0.1;
  const since = session.last_ping ?? session.client_connected;
  const until = session.client_disconnected ?? session.disconnected;
  if (since === null) return false;
  if (until === null) return session.pings === 0;
  return seconds(until - since) >= limit - STAMP_S;
}

/** Messages were dropped from early on until (nearly) the end, for longer than the keepalive: the send path was stuck, not busy. */
export function droppedThroughout(session: Session): boolean {
  if (session.client_connected === null || session.last_drop === null || session.first_drop === null) return false;
  const keepalive = session.keepalive_s ?? 10;
  return (
    seconds(session.last_drop - session.client_connected) >= 1.2 * keepalive - STAMP_S && (session.drops ?? 0) >= 5
  );
}

/** Writes on data streams went on until the end: the bridge was sending, the broker should have heard it. */
export function wroteUntilTheEnd(session: Session): boolean {
  const until = session.client_disconnected;
  if (session.last_data_write === null || until === null) return false;
  return seconds(until - session.last_data_write) <= Math.max(3, (session.keepalive_s ?? 10) / 2);
}

/** The broker itself routed messages that came in on data streams until shortly before it called the client silent. */
export function routedUntilTheEnd(session: Session): boolean {
  const until = session.decided ?? session.disconnected;
  if (session.last_routed_unnamed === null || until === null) return false;
  return seconds(until - session.last_routed_unnamed) <= 0.75 * (session.keepalive_s ?? 10);
}

/** The broker kept sending PUBLISH to the bridge, or the bridge kept receiving data, until shortly before the end. */
export function receivedUntilTheEnd(session: Session): boolean {
  const window = Math.max(5, session.keepalive_s ?? 10);
  const byBroker =
    session.last_publish_out !== null &&
    (session.publishes_out ?? 0) >= 2 &&
    seconds((session.decided ?? session.disconnected ?? session.last_publish_out) - session.last_publish_out) <= window;
  const byClient =
    session.last_received !== null &&
    session.client_disconnected !== null &&
    seconds(session.client_disconnected - session.last_received) <= window &&
    (session.received ?? 0) >= 5;
  return byBroker || byClient;
}

/** `inside`: all releases the logs allow have the defect; `outside`: none; `unknown`: not told or some. */
export function releaseIs(range: ReleaseRange | null, from: string, to: string): 'inside' | 'outside' | 'unknown' {
  if (range === null) return 'unknown';
  if (compareReleases(range.from, from) >= 0 && compareReleases(range.to, to) <= 0) return 'inside';
  if (compareReleases(range.to, from) < 0 || compareReleases(range.from, to) > 0) return 'outside';
  return 'unknown';
}

/** Messages parked while the bridge was down, up to and including the gap before this session. */
export function parkedSoFar(story: BridgeStory, session: Session): number {
  let parked = 0;
  for (const other of story.sessions) {
    parked += other.parked ?? 0;
    if (other === session) break;
  }
  return parked;
}

export function seconds(micros: number): number {
  return micros / 1e6;
}

/** What every finding says of itself: whose it is, over which sessions. */
export function about(story: BridgeStory, sessions: readonly Session[]) {
  const { bridgeId, clientId, attribution } = story;
  return { bridgeId, clientId, attribution, ...span(sessions), count: sessions.length };
}

/** Lines in which the broker says that it ended this client by keepalive, from an instant on. */
export function keepaliveEnds(story: BridgeStory, from: number, limit: number): Promise<Evidence[]> {
  return story.brokerEnds(
    "e.client_id = $2 AND e.event IN ('socket_force_closed', 'connection_terminate_info') AND e.reason = 'keepalive_timeout' AND e.time >= make_timestamp($3::BIGINT)",
    [story.clientId ?? '', from],
    limit,
  );
}

/** Time span a finding covers: from the first of the sessions' starts to the last of their ends. */
function span(sessions: readonly Session[]): { first: number | null; last: number | null } {
  const times = sessions
    .flatMap((session) => [session.connected, session.disconnected])
    .filter((time) => time !== null);
  return times.length === 0
    ? { first: null, last: null }
    : {
        first: times.reduce((a, b) => Math.min(a, b)),
        last: times.reduce((a, b) => Math.max(a, b)),
      };
}
