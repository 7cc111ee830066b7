/**
 * What one run looked like, in the numbers by which a replay is compared with the logs. The same code reads logs and replays, from
 * the same views. A number that the logs cannot show is null: it is unknown, not zero.
 */
import type { BridgeStory, Database, Session } from '../queries/index.ts';
import type { Visibility } from './visibility.ts';

export interface Incident {
  readonly cause: string | null; // id of the first finding
  readonly keepalive_disconnects: number; // not counting those of a dead link
  readonly period_s: number | null;
  readonly dwell_s: number | null;
  readonly disconnects: number;
  /** `aio busy` lines while connected: mean of the keepalive cycles; without cycles, of the whole incident. */
  readonly busy_lines?: number | null;
  /** Lines of the bridge that say that a message is lost. */
  readonly lost_lines?: number | null;
  /** Uplink messages offered to the bridge that the broker did not get. */
  readonly lost_up?: number | null;
  readonly delivered_up?: number | null;
  readonly delivered_down?: number | null;
}

/** Part of a run, µs on the common clock. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export async function measureIncident(
  database: Database,
  story: BridgeStory,
  cause: string | null,
  visible: Visibility,
  range?: Range,
): Promise<Incident> {
  const inside = ({ disconnected: end }: Session) =>
    range === undefined || ((end ?? range.to) >= range.from && (end ?? range.from) <= range.to);
  const cases = story.keepaliveSessions.filter(inside);
  const ends = cases.map((session) => session.disconnected ?? 0);
  const gaps = ends.slice(1).map((end, index) => (end - (ends[index] ?? 0)) / 1e6);
  return {
    cause,
    keepalive_disconnects: cases.length,
    period_s: average(gaps),
    dwell_s: average(cases.map(dwellOf)),
    disconnects: story.sessions.filter((session) => inside(session) && !session.open && session.connected !== null)
      .length,
    ...(await messageCounts(database, story, cases, visible, range)),
  };
}

/** Both ends of it by one clock where the broker's log does not show the connect: the offset between the two is not well known then. */
function dwellOf(session: Session): number | null {
  const { connected, client_connected: from, client_disconnected: to } = session;
  if (connected === null || connected !== from || to === null) return session.duration_s;
  return (to - from) / 1e6;
}

interface Counts {
  readonly busy: number;
  readonly lost: number;
  readonly offered: number;
  readonly received: number;
}

/** Needs the temporary tables that `loadStories` makes of the same run. What `visible` hides is null, whatever the tables hold. */
async function messageCounts(
  database: Database,
  story: BridgeStory,
  cases: readonly Session[],
  visible: Visibility,
  range: Range | undefined,
): Promise<Pick<Incident, 'busy_lines' | 'lost_lines' | 'lost_up' | 'delivered_up' | 'delivered_down'>> {
  const between = [range?.from ?? 0, range?.to ?? Number.MAX_SAFE_INTEGER];
  const [bridge] = await database.all<Counts & Record<string, number>>(
    `SELECT (count(*) FILTER (event = 'aio_busy' AND state = 'connected'))::INTEGER AS busy,
       (count(*) FILTER (event IN (${LOSS_EVENTS.map((event) => `'${event}'`).join(', ')})))::INTEGER AS lost,
       (count(*) FILTER (event = 'bridge_forward'))::INTEGER AS offered
     FROM run_client_states WHERE bridge_id = $1 AND endpoint_id = $2 AND epoch_us(time) BETWEEN $3 AND $4`,
    [story.bridgeId, story.endpointId ?? 0n, ...between],
  );
  const [broker] = await database.all<{ up: number; down: number }>(
    `SELECT (count(*) FILTER ((event = 'publish_routed' AND client_id IS NULL)
         OR (event = 'mqtt_packet_received' AND packet = 'PUBLISH' AND client_id = $1)))::INTEGER AS up,
       (count(*) FILTER (event = 'mqtt_packet_sent' AND packet = 'PUBLISH' AND client_id = $1))::INTEGER AS down
     FROM run_broker_events WHERE epoch_us(time) BETWEEN $2 AND $3`,
    [story.clientId, ...between],
  );
  // Over QUIC most of a bridge's messages come in on data streams, and only the line of the routing shows them.
  const seesUp = story.transport === 'tcp' ? visible.packets : visible.routed;
  // Routing names no client there: beside other bridges the messages cannot be told apart.
  const delivered = seesUp && story.siblings.length <= 1 ? (broker?.up ?? 0) : null;
  const perCycle = average(cases.map((session) => session.aio_busy));
  return {
    busy_lines: visible.bridge !== null ? (perCycle ?? bridge?.busy ?? 0) : null,
    lost_lines: visible.bridge !== null ? (bridge?.lost ?? 0) : null,
    lost_up: visible.bridge === 'debug' && delivered !== null ? Math.max(0, (bridge?.offered ?? 0) - delivered) : null,
    delivered_up: delivered,
    delivered_down: visible.packets ? (broker?.down ?? 0) : null,
  };
}

/** One line a message lost, whatever the release calls it (measured.md, "What the log says about lost messages"). */
const LOSS_EVENTS = [
  'aio_busy',
  'cached_msg_lost',
  'msg_lost_enqueue',
  'ctx_cache_overwrite',
  'bridge_qos0_dropped_disconnected',
  'bridge_qos0_dropped_busy',
  'bridge_msg_dropped_already_cached',
];

function average(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
