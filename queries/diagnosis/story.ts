/**
 * Everything the rules look at for one bridge, read from the views once: its sessions from both ends, what the logs can and cannot
 * show, and a way to fetch evidence lines. Rules hold conditions only; SQL is here and in the views.
 */
import { type Database, readSql } from '../database.ts';
import { EvidenceLines } from './evidence-lines.ts';
import type { Evidence } from './finding.ts';
import { bridgeTallies, clientTallies, endpointTallies, type Tallies } from './tallies.ts';

/** A row of the view `sessions` (see 60-sessions.sql for meanings and units); times are µs on the common clock. */
export interface Session {
  readonly bridge_id: string;
  readonly client_id: string | null;
  readonly seen_by: 'both' | 'client' | 'broker';
  readonly connected: number | null;
  readonly disconnected: number | null;
  readonly open: boolean;
  readonly duration_s: number | null;
  readonly reason: string | null;
  readonly closed_by: string | null;
  readonly reason_known_by: string | null;
  readonly client_reason: string | null;
  readonly broker_reason: string | null;
  readonly keepalive_s: number | null;
  readonly decided: number | null;
  readonly last_inbound: number | null;
  readonly silence_s: number | null;
  readonly pings_in: number | null;
  readonly publishes_out: number | null;
  readonly last_publish_out: number | null;
  readonly peer: string | null;
  readonly packets_in: unknown;
  readonly packets_out: unknown;
  readonly clock_error_s: number | null;
  readonly client_connected: number | null;
  /** `dialled`: a log at warn level, in which client_connected is the time of the dial. */
  readonly start_known_by: 'logged' | 'dialled' | null;
  readonly client_disconnected: number | null;
  readonly client_session_no: number | null;
  readonly client_endpoint_id: bigint | number | null;
  readonly broker_endpoint_id: bigint | number | null;
  readonly last_ping: number | null;
  readonly pings: number | null;
  readonly aio_busy: number | null;
  readonly cached_lost: number | null;
  readonly parked: number | null;
  readonly resends: number | null;
  readonly resend_blocked: number | null;
  readonly send_errors: number | null;
  readonly forwards: number | null;
  readonly data_writes: number | null;
  readonly last_data_write: number | null;
  readonly received: number | null;
  readonly last_received: number | null;
  readonly drops: number | null;
  readonly first_drop: number | null;
  readonly last_drop: number | null;
  readonly enqueue_lost: number | null;
  readonly recv_cancelled: number | null;
  readonly closed_sends: number | null;
  readonly odd_send_error: number | null;
  readonly last_resend: number | null;
  readonly acks: number | null;
  readonly last_ack: number | null;
  readonly subscribe_started: number | null;
  readonly suback: number | null;
  readonly last_line: number | null;
  /** Messages the broker routed without naming a client while this session lived: what came in on QUIC data streams. */
  readonly routed_unnamed: number;
  readonly last_routed_unnamed: number | null;
}

export interface Levels {
  /** The bridge's log is there / shows info lines / shows debug lines. */
  readonly client: boolean;
  readonly clientInfo: boolean;
  readonly clientDebug: boolean;
  /** The broker's log is there / names reasons (info) / shows packets (debug or trace) / shows routed messages. */
  readonly broker: boolean;
  readonly brokerPackets: boolean;
  readonly brokerRouted: boolean;
}

export interface BridgeStory {
  readonly runId: string;
  /** The NanoMQ that has this bridge; null if only a broker's log tells of it. */
  readonly endpointId: bigint | null;
  readonly bridgeId: string;
  readonly clientId: string | null;
  readonly attribution: 'named' | 'only-bridge' | 'ambiguous';
  readonly transport: 'quic' | 'tcp' | null;
  readonly settings: { readonly [key: string]: unknown };
  readonly nanomqVersion: string | null; // a release or `from–to`
  readonly emqxVersion: string | null;
  readonly nanomqReleases: ReleaseRange | null;
  readonly emqxReleases: ReleaseRange | null;
  readonly clockAmbiguous: boolean;
  readonly levels: Levels;
  /** Lines by event: of this bridge, of the whole NanoMQ (lines that name no bridge included), of this client at the broker. */
  readonly tally: Tallies;
  readonly endpointTally: Tallies;
  readonly atBroker: Tallies;
  /** The enabled bridges of the same NanoMQ, this one included, in the order of their names. */
  readonly siblings: readonly {
    readonly bridgeId: string;
    readonly clientId: string | null;
    readonly transport: string | null;
  }[];
  /** The quickest QUIC handshake that the log shows, s (whole-second stamps); null without one. */
  readonly handshakeS: number | null;
  /** Last stamp of the NanoMQ's log, µs; null without one. */
  readonly logEnd: number | null;
  /** Times of at least BROKER_SILENCE_S in which the broker logged nothing at all. */
  readonly brokerSilences: readonly { readonly from: number; readonly to: number }[];
  readonly sessions: readonly Session[];
  /** Sessions the broker ended by keepalive while the link was up. */
  readonly keepaliveSessions: readonly Session[];
  /** Lines of the bridge's log: `where` is SQL over `client_states` (alias e), values bind from $3 on. */
  clientLines(where: string, values: (string | number)[], limit: number): Promise<Evidence[]>;
  /** Lines of the whole NanoMQ, whatever bridge they are of: SQL over `client_events` (alias e), values bind from $3 on. */
  endpointLines(where: string, values: (string | number)[], limit: number): Promise<Evidence[]>;
  /** Lines of the broker's log: `where` is SQL over `broker_events` (alias e), values bind from $2 on. */
  brokerLines(where: string, values: (string | number)[], limit: number): Promise<Evidence[]>;
  /** As `brokerLines`, of the lines only that end a connection: they are few. */
  brokerEnds(where: string, values: (string | number)[], limit: number): Promise<Evidence[]>;
  /** Reads the texts of all lines that the stories of this run gave so far. */
  readTexts(): Promise<void>;
}

export interface ReleaseRange {
  readonly from: string;
  readonly to: string;
}

/** One story a bridge; where no NanoMQ log names its client, one a client of the broker as well. */
export async function loadStories(database: Database, runId: string): Promise<BridgeStory[]> {
  await materialise(database, runId);
  const bridges = await database.all<{
    bridge_id: string;
    client_id: string | null;
    transport: 'quic' | 'tcp' | null;
    settings: string | null;
    endpoint_id: bigint | number | null;
    version: string | null;
    siblings: number;
  }>(
    `SELECT b.bridge_id, b.client_id, b.transport, b.settings, b.endpoint_id, n.product_version AS version,
       (count(*) OVER (PARTITION BY b.endpoint_id))::INTEGER AS siblings
     FROM bridges b LEFT JOIN endpoints n USING (endpoint_id) WHERE b.run_id = $1 ORDER BY b.bridge_id`,
    [runId],
  );
  const sessions = await database.all<Session>('SELECT * FROM run_sessions ORDER BY coalesce(connected, disconnected)');
  const levels = await loadLevels(database);
  const emqxVersion = await brokerVersion(database, runId);
  const ambiguous = await database.all<{ ambiguous: boolean; endpoint_id: bigint | number }>(
    'SELECT endpoint_id, ambiguous FROM clocks JOIN endpoints USING (endpoint_id) WHERE run_id = $1',
    [runId],
  );
  const tally = await bridgeTallies(database);
  const atBroker = await clientTallies(database);
  const shared = [
    ...new Set(bridges.filter((bridge) => bridge.siblings > 1).map((bridge) => BigInt(bridge.endpoint_id ?? 0))),
  ];
  const endpointTally = await endpointTallies(database, shared);
  const handshakes = await quickestHandshakes(database);
  const brokerSilences = await findBrokerSilences(database);
  const ends = await database.all<{ endpoint_id: bigint | number; at: number }>(
    `SELECT endpoint_id, epoch_us(max(s.last_ts)) + coalesce(any_value(c.offset_us), 0) AS at
     FROM sources s JOIN endpoints n USING (endpoint_id) LEFT JOIN clocks c USING (endpoint_id) WHERE n.run_id = $1 GROUP BY 1`,
    [runId],
  );
  const stories: BridgeStory[] = [];
  const evidence = new EvidenceLines(database);
  const sessionsOf = new Map<string, Session[]>();
  for (const session of sessions) {
    const own = sessionsOf.get(session.bridge_id);
    if (own === undefined) sessionsOf.set(session.bridge_id, [session]);
    else own.push(session);
  }
  // A client of the broker that may be a bridge: there is no log of NanoMQ, or one that does not tell its client id.
  const named = new Set(bridges.map((bridge) => bridge.bridge_id));
  const clients = [...new Set(sessions.map((session) => session.bridge_id))].filter((id) => !named.has(id));
  const rows = [
    ...bridges,
    ...clients.map((id) => ({
      bridge_id: id,
      client_id: id,
      transport: null,
      settings: null,
      endpoint_id: null,
      version: null,
      siblings: 1,
    })),
  ];
  for (const bridge of rows) {
    const own = (sessionsOf.get(bridge.bridge_id) ?? []).filter((session) =>
      session.client_endpoint_id === null
        ? session.client_id === bridge.client_id
        : String(session.client_endpoint_id) === String(bridge.endpoint_id),
    );
    stories.push({
      runId,
      endpointId: bridge.endpoint_id === null ? null : BigInt(bridge.endpoint_id),
      bridgeId: bridge.bridge_id,
      clientId: bridge.client_id,
      attribution: bridge.siblings > 1 ? 'named' : 'only-bridge',
      transport: bridge.transport ?? null,
      settings: bridge.settings === null ? {} : (JSON.parse(bridge.settings) as Record<string, unknown>),
      nanomqVersion: bridge.version,
      emqxVersion,
      nanomqReleases: parseRange(bridge.version),
      emqxReleases: parseRange(emqxVersion),
      clockAmbiguous: ambiguous.some(
        (clock) => String(clock.endpoint_id) === String(bridge.endpoint_id) && clock.ambiguous,
      ),
      levels: levels(bridge.endpoint_id),
      tally: tally(`${bridge.endpoint_id} ${bridge.bridge_id}`),
      endpointTally:
        bridge.siblings > 1
          ? endpointTally(String(bridge.endpoint_id))
          : tally(`${bridge.endpoint_id} ${bridge.bridge_id}`),
      atBroker: atBroker(bridge.client_id),
      siblings: bridges
        .filter((one) => bridge.endpoint_id !== null && String(one.endpoint_id) === String(bridge.endpoint_id))
        .map((one) => ({ bridgeId: one.bridge_id, clientId: one.client_id, transport: one.transport })),
      logEnd: ends.find((one) => String(one.endpoint_id) === String(bridge.endpoint_id))?.at ?? null,
      handshakeS: handshakes(`${bridge.endpoint_id} ${bridge.bridge_id}`),
      brokerSilences,
      sessions: own,
      keepaliveSessions: own.filter(isKeepaliveCase),
      clientLines: (where, values, limit) =>
        evidence.find(
          'run_client_states',
          `e.run_id = $1 AND e.bridge_id = $2 AND e.endpoint_id = ${BigInt(bridge.endpoint_id ?? 0)} AND (${where})`,
          [runId, bridge.bridge_id, ...values],
          limit,
        ),
      endpointLines: (where, values, limit) =>
        evidence.find(
          'client_events',
          `e.run_id = $1 AND $2::VARCHAR IS NOT NULL AND e.endpoint_id = ${BigInt(bridge.endpoint_id ?? 0)} AND (${where})`,
          [runId, bridge.bridge_id, ...values],
          limit,
        ),
      brokerLines: (where, values, limit) =>
        evidence.find('run_broker_events', `e.run_id = $1 AND (${where})`, [runId, ...values], limit),
      brokerEnds: (where, values, limit) =>
        evidence.find('run_broker_ends', `e.run_id = $1 AND (${where})`, [runId, ...values], limit),
      readTexts: () => evidence.readTexts(),
    });
  }
  return stories;
}

/** From the last dial before a connection that stood, by `endpoint bridge`. */
async function quickestHandshakes(database: Database): Promise<(owner: string) => number | null> {
  const rows = await database.all<{ owner: string; seconds: number }>(
    `SELECT owner, min(took) AS seconds FROM (
       SELECT concat_ws(' ', endpoint_id, bridge_id) AS owner, event,
         (epoch_us(time) - lag(epoch_us(time)) OVER dials) / 1e6 AS took, lag(event) OVER dials AS before
       FROM run_client_states WHERE event IN ('quic_connecting', 'quic_connected')
       WINDOW dials AS (PARTITION BY endpoint_id, bridge_id ORDER BY seq))
     WHERE event = 'quic_connected' AND before = 'quic_connecting' GROUP BY owner`,
  );
  const found = new Map(rows.map((row) => [row.owner, row.seconds]));
  return (owner) => found.get(owner) ?? null;
}

/** A broker at debug level logs more often than this; at info level a quiet one may not. */
const BROKER_SILENCE_S = 10;
/** Silences kept of a run. */
const MAX_SILENCES = 1000;

async function findBrokerSilences(database: Database): Promise<{ from: number; to: number }[]> {
  return database.all(
    `SELECT epoch_us(before) AS "from", epoch_us(time) AS "to" FROM (
       SELECT time, lag(time) OVER (PARTITION BY endpoint_id ORDER BY time) AS before
       FROM (SELECT DISTINCT endpoint_id, time_bucket(INTERVAL 1 SECOND, time) AS time FROM run_broker_events))
     WHERE time - before > INTERVAL ${BROKER_SILENCE_S} SECOND ORDER BY 1 LIMIT ${MAX_SILENCES}`,
  );
}

/** The link itself had failed where the bridge gave it up for lack of acknowledgements: there a keepalive timeout is a consequence. */
function isKeepaliveCase(session: Session): boolean {
  return (
    session.reason === 'keepalive_timeout' &&
    session.client_reason !== 'connection_timeout' &&
    session.client_reason !== 'connection_idle' &&
    session.client_reason !== 'ping_timeout'
  );
}

/** The views are computed once per analysis; temporary tables live in this connection only. */
async function materialise(database: Database, runId: string): Promise<void> {
  await database.run(
    'CREATE OR REPLACE TEMP TABLE run_client_states AS SELECT * EXCLUDE (head, body) FROM client_states WHERE run_id = $1',
    [runId],
  );
  await database.run(
    'CREATE OR REPLACE TEMP TABLE run_broker_events AS SELECT * EXCLUDE (head, body) FROM broker_events WHERE run_id = $1',
    [runId],
  );
  await database.run(
    `CREATE OR REPLACE TEMP TABLE run_broker_ends AS SELECT * EXCLUDE (attributes) FROM run_broker_events
     WHERE event IN ('socket_force_closed', 'connection_terminated', 'connection_terminate_info')`,
  );
  await database.run(readSql('diagnosis', 'run-sessions.sql'), [runId]);
}

async function loadLevels(database: Database): Promise<(clientEndpoint: bigint | number | null) => Levels> {
  const client = await database.all<{ endpoint_id: bigint | number; info: boolean; debug: boolean }>(
    "SELECT endpoint_id, bool_or(severity = 'info') AS info, bool_or(severity IN ('debug', 'trace')) AS debug FROM run_client_states GROUP BY 1",
  );
  const broker = await database.all<{ n: number; packets: boolean; routed: boolean }>(
    "SELECT count(*)::INTEGER AS n, bool_or(event LIKE 'mqtt_packet%') AS packets, bool_or(event = 'publish_routed') AS routed FROM run_broker_events",
  );
  return (endpoint) => {
    const own = client.find((row) => String(row.endpoint_id) === String(endpoint));
    return {
      client: own !== undefined,
      clientInfo: own?.info ?? false,
      clientDebug: own?.debug ?? false,
      broker: (broker[0]?.n ?? 0) > 0,
      brokerPackets: broker[0]?.packets ?? false,
      brokerRouted: broker[0]?.routed ?? false,
    };
  };
}

async function brokerVersion(database: Database, runId: string): Promise<string | null> {
  const rows = await database.all<{ version: string | null }>(
    "SELECT max(product_version) AS version FROM endpoints WHERE run_id = $1 AND product = 'emqx'",
    [runId],
  );
  return rows[0]?.version ?? null;
}

function parseRange(version: string | null): ReleaseRange | null {
  if (version === null) return null;
  const [from, to] = version.split('–');
  return from === undefined ? null : { from, to: to ?? from };
}
