/**
 * Recomputes what is derived from all records of a run at once: bridges, clocks, product releases. Runs after every ingest, in one
 * transaction, from the records alone, so the order in which files came in does not matter.
 */
import type { Database } from '../database.ts';
import { type Alignment, align, type ClockEvents, explainOffset } from './align.ts';
import { type Bridge, findBridges } from './bridges.ts';
import { findReleases } from './releases.ts';
import { zoneName, zoneOffsetUs } from './zone.ts';

export async function refreshDerived(
  database: Database,
  runId: string,
  options: { readonly zone?: { readonly name: string; readonly endpoints: ReadonlySet<bigint> } } = {},
): Promise<void> {
  await database.transaction(async () => {
    const bridges = await findBridges(database, runId);
    await database.run('DELETE FROM bridges WHERE run_id = $1', [runId]);
    for (const bridge of bridges) await insertBridge(database, runId, bridge);
    await alignEndpoints(database, runId, bridges, options.zone);
    await findReleases(database, runId);
  });
}

async function insertBridge(database: Database, runId: string, bridge: Bridge): Promise<void> {
  await database.run('INSERT INTO bridges VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
    runId,
    bridge.endpointId,
    bridge.bridgeId,
    bridge.address,
    bridge.clientId,
    bridge.clientKnownBy,
    bridge.transport,
    bridge.keepaliveS,
    JSON.stringify(bridge.settings),
  ]);
}

async function alignEndpoints(
  database: Database,
  runId: string,
  bridges: readonly Bridge[],
  zone: { readonly name: string; readonly endpoints: ReadonlySet<bigint> } | undefined,
): Promise<void> {
  const endpoints = await database.all<{
    endpoint_id: bigint | number;
    product: string;
    first: number | null;
    wanted_zone: string | null;
  }>(
    `SELECT n.endpoint_id, n.product, epoch_us(min(s.first_ts)) AS first, any_value(c.wanted_zone) AS wanted_zone
     FROM endpoints n LEFT JOIN sources s USING (endpoint_id) LEFT JOIN clocks c USING (endpoint_id)
     WHERE n.run_id = $1 GROUP BY n.endpoint_id, n.product ORDER BY n.endpoint_id`,
    [runId],
  );
  const broker = await brokerEvents(database, runId);
  for (const endpoint of endpoints) {
    const endpointId = BigInt(endpoint.endpoint_id);
    const wanted = (zone?.endpoints.has(endpointId) ? zone.name : endpoint.wanted_zone) ?? null;
    const clock =
      endpoint.product === 'emqx'
        ? REFERENCE
        : await alignClient(database, runId, endpointId, bridges, broker, wanted, endpoint.first ?? 0);
    await database.run('INSERT OR REPLACE INTO clocks VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      endpointId,
      clock.zone,
      BigInt(clock.offsetUs),
      clock.errorUs === null ? null : BigInt(clock.errorUs),
      clock.method,
      clock.pairs,
      clock.ambiguous,
      JSON.stringify(clock.alternatives),
      wanted,
    ]);
  }
}

interface Clock {
  readonly zone: string | null;
  readonly offsetUs: number;
  readonly errorUs: number | null;
  readonly method:
    | 'reference'
    | 'paired-events'
    | 'paired-events-in-zone'
    | 'paired-ends'
    | 'zone-given'
    | 'assumed-utc';
  readonly pairs: number;
  readonly ambiguous: boolean;
  readonly alternatives: Alignment['alternatives'];
}

/** EMQX prints its offset, so its clock is the common one. */
const REFERENCE: Clock = {
  zone: '+00:00',
  offsetUs: 0,
  errorUs: 0,
  method: 'reference',
  pairs: 0,
  ambiguous: false,
  alternatives: [],
};
/** With --tz the rest of the offset is skew; more than this would be another zone. */
const MAX_SKEW_US = 450_000_000;

/** The client whose instants fit best; `lead`: better than every other. */
interface Nearest {
  readonly clientId: string;
  readonly alignment: Alignment;
  readonly lead: boolean;
}

/** Pairs (a connection gives two: connect and subscribe) before a client is taken for the bridge by its instants alone. */
const MIN_GUESS_PAIRS = 4;

type EventTimes = { connack: number[]; suback: number[]; ends: number[] };

/** A connection's process at the broker ends up to 3 s after the stream that the client saw finish (measured.md §1). */
const END_LAG_US = 3_300_000;
/** Fewer ends than this could be brought together by any shift. */
const MIN_ENDS = 3;

async function alignClient(
  database: Database,
  runId: string,
  endpointId: bigint,
  bridges: readonly Bridge[],
  broker: ReadonlyMap<string, EventTimes>,
  wantedZone: string | null,
  firstUs: number,
): Promise<Clock> {
  const client = await clientEvents(database, endpointId);
  const own = bridges.filter((bridge) => bridge.endpointId === endpointId);
  const near =
    wantedZone === null ? undefined : { offsetUs: -zoneOffsetUs(wantedZone, firstUs), withinUs: MAX_SKEW_US };
  const known = own.map((bridge) => bridge.clientId).filter((id) => id !== null);
  const candidates = known.length > 0 ? known : [...broker.keys()];
  const nearest = (kinds: (times: EventTimes) => ClockEvents[]): Nearest | null => {
    let best: Nearest | null = null;
    for (const clientId of candidates) {
      const times = broker.get(clientId);
      const alignment = times === undefined ? null : align(kinds(times), near);
      if (alignment === null || (best !== null && alignment.pairs < best.alignment.pairs)) continue;
      const lead: boolean = best === null || alignment.pairs > best.alignment.pairs;
      best = lead ? { clientId, alignment, lead } : { ...(best as Nearest), lead: false };
    }
    return best;
  };
  const best = nearest((times) => [
    pairKind('connect', client.connected, times.connack),
    pairKind('subscribe', client.suback, times.suback),
  ]);
  // A broker's log at info level shows only how connections end. That is a weak mark, so no finding may rest on it alone.
  const weak =
    best !== null
      ? null
      : nearest((times) => [{ ...pairKind('end', client.disconnected, times.ends), clientEarlyUs: END_LAG_US }]);
  if (weak !== null && weak.alignment.pairs >= MIN_ENDS) {
    const { offsetUs, errorUs, pairs, alternatives } = weak.alignment;
    const zone = wantedZone ?? zoneName(explainOffset(offsetUs).zoneUs);
    return { zone, offsetUs, errorUs, method: 'paired-ends', pairs, ambiguous: true, alternatives };
  }
  if (best === null) {
    const offsetUs = near?.offsetUs ?? 0;
    return {
      zone: wantedZone,
      offsetUs,
      errorUs: null,
      method: wantedZone === null ? 'assumed-utc' : 'zone-given',
      pairs: 0,
      ambiguous: wantedZone === null,
      alternatives: [],
    };
  }
  // Without the client id in the log a few common instants may be chance: any client that connected once would do.
  const guessed = known.length === 0;
  if (guessed && own.length === 1 && best.alignment.pairs >= MIN_GUESS_PAIRS && best.lead) {
    await database.run(
      "UPDATE bridges SET client_id = $3, client_known_by = 'connect-times' WHERE run_id = $1 AND endpoint_id = $2",
      [runId, endpointId, best.clientId],
    );
  }
  const { alignment } = best;
  const { zoneUs } = explainOffset(alignment.offsetUs);
  return {
    zone: wantedZone ?? zoneName(zoneUs),
    offsetUs: alignment.offsetUs,
    errorUs: alignment.errorUs,
    method: wantedZone === null ? 'paired-events' : 'paired-events-in-zone',
    pairs: alignment.pairs,
    ambiguous: alignment.ambiguous || (guessed && (alignment.pairs < MIN_GUESS_PAIRS || !best.lead)),
    alternatives: alignment.alternatives,
  };
}

function pairKind(
  kind: string,
  client: readonly { ts: number; precision: number }[],
  broker: readonly number[],
): ClockEvents {
  return {
    kind,
    client: client.map((event) => event.ts),
    clientPrecisionUs: client[0]?.precision ?? 1_000_000,
    broker,
  };
}

/** CONNACK 0, SUBACK and the ends that the broker decided, by client id, each once. */
async function brokerEvents(database: Database, runId: string): Promise<Map<string, EventTimes>> {
  const rows = await database.all<{ client_id: string; packet: string; at: number }>(
    `SELECT client_id, packet, epoch_us(time) AS "at" FROM packets
     WHERE run_id = $1 AND direction = 'out' AND client_id IS NOT NULL AND (packet = 'SUBACK' OR (packet = 'CONNACK' AND reason_code = 0))
     UNION ALL
     SELECT client_id, 'END', epoch_us(disconnected) FROM broker_sessions
     WHERE run_id = $1 AND closed_by = 'broker' AND reason <> 'broker_restart'
     ORDER BY 3`,
    [runId],
  );
  const byClient = new Map<string, EventTimes>();
  for (const row of rows) {
    const times = byClient.get(row.client_id) ?? { connack: [], suback: [], ends: [] };
    byClient.set(row.client_id, times);
    (row.packet === 'SUBACK' ? times.suback : row.packet === 'END' ? times.ends : times.connack).push(row.at);
  }
  return byClient;
}

/** The bridge's counterparts, as written. A `connected` that is at once `disconnected` was a refusal (measured.md §2.12). */
async function clientEvents(
  database: Database,
  endpointId: bigint,
): Promise<{ connected: Stamp[]; suback: Stamp[]; disconnected: Stamp[] }> {
  const rows = await database.all<Stamp & { event: string; next: string | null; next_ts: number | null }>(
    `SELECT event, epoch_us(ts) AS ts, ts_precision_us AS precision, lead(event) OVER later AS next, epoch_us(lead(ts) OVER later) AS next_ts
     FROM records JOIN sources USING (source_id)
     WHERE endpoint_id = $1 AND event IN ('bridge_connected', 'bridge_disconnected', 'bridge_suback_code') AND ts IS NOT NULL
     WINDOW later AS (ORDER BY first_ts, source_id, line_no)
     ORDER BY first_ts, source_id, line_no`,
    [endpointId],
  );
  const refused = (row: (typeof rows)[number]) =>
    row.next === 'bridge_disconnected' && (row.next_ts ?? row.ts) - row.ts <= 1_000_000;
  return {
    connected: rows.filter((row) => row.event === 'bridge_connected' && !refused(row)),
    suback: rows.filter((row) => row.event === 'bridge_suback_code'),
    disconnected: rows.filter((row) => row.event === 'bridge_disconnected'),
  };
}

interface Stamp {
  ts: number;
  precision: number;
}
