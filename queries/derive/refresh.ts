/**
 * Recomputes what is derived from all records of a run at once: bridges, clocks, product releases. Runs after every ingest, in one
 * transaction, from the records alone, so the order in which files came in does not matter.
 *
 * There may be 50 million records, so none of the views is asked: one pass counts which kinds of records there are
 * (record-kinds.sql), and the few that matter are taken out into temporary tables. Sorts and joins are over those.
 */
import { type Database, readSql } from '../database.ts';
import { type Alignment, align, type ClockEvents, explainOffset, MAX_EVENTS } from './align.ts';
import { type Bridge, findBridges } from './bridges.ts';
import { BrokerEvents, type EventTimes } from './broker-events.ts';
import { findReleases } from './releases.ts';
import { zoneName, zoneOffsetUs } from './zone.ts';

export async function refreshDerived(
  database: Database,
  runId: string,
  options: { readonly zone?: { readonly name: string; readonly endpoints: ReadonlySet<bigint> } } = {},
): Promise<void> {
  await database.transaction(async () => {
    await database.run(readSql('derive', 'record-kinds.sql'), [runId]);
    await database.run(readSql('derive', 'bridge-lines.sql'));
    const bridges = await findBridges(database);
    await database.run('DELETE FROM bridges WHERE run_id = $1', [runId]);
    for (const bridge of bridges) await insertBridge(database, runId, bridge);
    await alignEndpoints(database, runId, bridges, options.zone);
    await findReleases(database, runId);
    for (const table of ['record_kinds', 'bridge_lines']) await database.run(`DROP TABLE temp.${table}`);
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
  const nodes = endpoints
    .filter((endpoint) => endpoint.product === 'nanomq')
    .map(({ endpoint_id }) => BigInt(endpoint_id));
  const broker = new BrokerEvents(database, nodes.length === 0 ? [] : wantedClients(nodes, bridges));
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

/** A connection's process at the broker ends up to 3 s after the stream that the client saw finish (measured.md §1). */
const END_LAG_US = 3_300_000;
/** Fewer ends than this could be brought together by any shift. */
const MIN_ENDS = 3;

async function alignClient(
  database: Database,
  runId: string,
  endpointId: bigint,
  bridges: readonly Bridge[],
  broker: BrokerEvents,
  wantedZone: string | null,
  firstUs: number,
): Promise<Clock> {
  const client = await clientEvents(database, endpointId);
  const own = bridges.filter((bridge) => bridge.endpointId === endpointId);
  const near =
    wantedZone === null ? undefined : { offsetUs: -zoneOffsetUs(wantedZone, firstUs), withinUs: MAX_SKEW_US };
  const known = own.map((bridge) => bridge.clientId).filter((id) => id !== null);
  const nearest = (
    events: ReadonlyMap<string, EventTimes>,
    kinds: (times: EventTimes) => ClockEvents[],
  ): Nearest | null => {
    let best: Nearest | null = null;
    const candidates = known.length > 0 ? known : [...events.keys()];
    const limit = eventLimit(candidates.length);
    for (const clientId of candidates) {
      const times = events.get(clientId);
      const alignment =
        times === undefined
          ? null
          : align(
              kinds(times).map((kind) => firstOf(kind, limit)),
              near,
            );
      if (alignment === null || (best !== null && alignment.pairs < best.alignment.pairs)) continue;
      const lead: boolean = best === null || alignment.pairs > best.alignment.pairs;
      best = lead ? { clientId, alignment, lead } : { ...(best as Nearest), lead: false };
    }
    return best;
  };
  const best = nearest(await broker.starts(), (times) => [
    pairKind('connect', client.connected, times.connack),
    pairKind('subscribe', client.suback, times.suback),
  ]);
  // A broker's log at info level shows only how connections end. That is a weak mark, so no finding may rest on it alone.
  const weak =
    best !== null
      ? null
      : nearest(await broker.ends(), (times) => [
          { ...pairKind('end', client.disconnected, times.ends), clientEarlyUs: END_LAG_US },
        ]);
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

/** Intervals that may be compared for one clock: without a client id in NanoMQ's log each client of the broker may be the bridge. */
const MAX_INTERVALS = 4_000_000;
/** Of these the shortest lists that still tell one client from another. */
const MIN_EVENTS = 20;

function eventLimit(candidates: number): number {
  return Math.max(MIN_EVENTS, Math.min(MAX_EVENTS, Math.floor(Math.sqrt(MAX_INTERVALS / Math.max(1, candidates)))));
}

function firstOf(kind: ClockEvents, limit: number): ClockEvents {
  return { ...kind, client: kind.client.slice(0, limit), broker: kind.broker.slice(0, limit) };
}

/** Ids of the clients that bridges have by their own logs; null (any) if a NanoMQ's log does not tell. */
function wantedClients(nodes: readonly bigint[], bridges: readonly Bridge[]): string[] | null {
  const idsOf = (node: bigint) =>
    bridges
      .filter((bridge) => bridge.endpointId === node)
      .flatMap(({ clientId }) => (clientId === null ? [] : [clientId]));
  const ids = nodes.map(idsOf);
  return ids.some((own) => own.length === 0) ? null : [...new Set(ids.flat())];
}

/** The bridge's counterparts, as written. */
async function clientEvents(
  database: Database,
  endpointId: bigint,
): Promise<{ connected: Stamp[]; suback: Stamp[]; disconnected: Stamp[] }> {
  const rows = await database.all<Stamp & { event: string }>(readSql('derive', 'bridge-instants.sql'), [
    endpointId,
    MAX_EVENTS,
  ]);
  const of = (event: string) => rows.filter((row) => row.event === event);
  return {
    connected: of('bridge_connected'),
    suback: of('bridge_suback_code'),
    disconnected: of('bridge_disconnected'),
  };
}

interface Stamp {
  ts: number;
  precision: number;
}
