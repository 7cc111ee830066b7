/** How often each event was logged of each bridge and each client of the broker: what most rules ask first. */
import type { Database } from '../database.ts';

export interface Tally {
  readonly count: number;
  readonly first: number; // µs, common clock
  readonly last: number;
}

const NONE: Tally = { count: 0, first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY };

/** Counts by event; `state` limits a bridge's to lines logged while connected or down. */
export class Tallies {
  private readonly rows = new Map<string, Tally>();

  add(event: string, state: string, tally: Tally): void {
    for (const key of [event, `${event} ${state}`]) {
      const known = this.rows.get(key) ?? NONE;
      this.rows.set(key, {
        count: known.count + tally.count,
        first: Math.min(known.first, tally.first),
        last: Math.max(known.last, tally.last),
      });
    }
  }

  of(event: string, state?: 'connected' | 'down'): Tally {
    return this.rows.get(state === undefined ? event : `${event} ${state}`) ?? NONE;
  }

  count(event: string, state?: 'connected' | 'down'): number {
    return this.of(event, state).count;
  }
}

interface Row {
  readonly owner: string;
  readonly event: string;
  readonly state: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

function byOwner(rows: readonly Row[]): (owner: string | null) => Tallies {
  const found = new Map<string, Tallies>();
  for (const { owner, event, state, ...tally } of rows) {
    const own = found.get(owner) ?? new Tallies();
    found.set(owner, own);
    own.add(event, state, tally);
  }
  const none = new Tallies();
  return (owner) => (owner === null ? none : (found.get(owner) ?? none));
}

/** Of bridges; owner: `endpoint bridge`. Needs run_client_states. */
export async function bridgeTallies(database: Database): Promise<(owner: string | null) => Tallies> {
  return byOwner(
    await database.all<Row>(
      `SELECT concat_ws(' ', endpoint_id, bridge_id) AS owner, event, state, count(*)::INTEGER AS count,
         epoch_us(min(time)) AS first, epoch_us(max(time)) AS last
       FROM run_client_states GROUP BY ALL`,
    ),
  );
}

/** Of whole NanoMQs, lines that name no bridge included; owner: endpoint. Read only where one has several bridges. */
export async function endpointTallies(
  database: Database,
  endpoints: readonly bigint[],
): Promise<(owner: string | null) => Tallies> {
  if (endpoints.length === 0) return byOwner([]);
  return byOwner(
    await database.all<Row>(
      `SELECT endpoint_id::VARCHAR AS owner, event, '' AS state, count(*)::INTEGER AS count,
         epoch_us(min(time)) AS first, epoch_us(max(time)) AS last
       FROM events WHERE event IS NOT NULL AND endpoint_id IN (SELECT unnest(from_json($1::JSON, '["UBIGINT"]'))) GROUP BY ALL`,
      [`[${endpoints.join(',')}]`],
    ),
  );
}

/**
 * Of clients at the broker; owner: client id. Events as logged; ends by reason (`end kicked`), refusals (`refused banned`), and packets
 * by direction and type (`in SUBSCRIBE`). Needs run_broker_events.
 */
export async function clientTallies(database: Database): Promise<(owner: string | null) => Tallies> {
  return byOwner(
    await database.all<Row>(
      `SELECT client_id AS owner, CASE
           WHEN event = 'mqtt_packet_received' THEN 'in ' || packet
           WHEN event = 'mqtt_packet_sent' THEN 'out ' || packet
           WHEN event IN ('connection_terminated', 'connection_terminate_info', 'socket_force_closed') THEN 'end ' || coalesce(reason, '')
           ELSE event END AS event,
         coalesce(reason, '') AS state, count(*)::INTEGER AS count, epoch_us(min(time)) AS first, epoch_us(max(time)) AS last
       FROM run_broker_events
       WHERE client_id IS NOT NULL AND event IN ('mqtt_packet_received', 'mqtt_packet_sent', 'connection_terminated', 'connection_terminate_info',
         'socket_force_closed', 'authentication_failure', 'session_stepdown_timeout', 'session_kicked_banned', 'broker_subscribe')
       GROUP BY ALL`,
    ),
  );
}
