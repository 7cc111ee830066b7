/** The marks of a run's time line with their log lines. */
import type { Database } from '../../queries/index.ts';
import { KINDS } from './kinds.ts';

export interface MarkRow {
  readonly bridge: string;
  readonly kind: string;
  readonly at: number; // ms
  readonly source: string; // path
  readonly line: number;
  readonly count: number;
  readonly text: string;
}

/** Longer lines are cut: a payload says nothing on a time line. */
const MAX_TEXT = 400;

/** [event, packet or '', kind], bound as lists. */
function kindRows(side: 'client' | 'broker'): { events: string; packets: string; kinds: string } {
  const rows = KINDS.filter((kind) => kind.side === side).flatMap((kind) =>
    kind.events.map((event) => [event, kind.packet ?? '', kind.name] as const),
  );
  const list = (column: 0 | 1 | 2) => JSON.stringify(rows.map((row) => row[column]));
  return { events: list(0), packets: list(1), kinds: list(2) };
}

const ALL = `WITH kinds AS (
    SELECT 'client' AS side, unnest($1::JSON::VARCHAR[]) AS event, unnest($2::JSON::VARCHAR[]) AS packet, unnest($3::JSON::VARCHAR[]) AS kind
    UNION ALL
    SELECT 'broker', unnest($4::JSON::VARCHAR[]), unnest($5::JSON::VARCHAR[]), unnest($6::JSON::VARCHAR[])
  ), owners AS (
    SELECT unnest($7::JSON::VARCHAR[]) AS bridge, unnest($8::JSON::VARCHAR[]) AS client
  ), found AS (
    SELECT o.bridge, k.kind, e.time, e.source_id, e.source, e.line_no, e.event
    FROM run_client_states e JOIN kinds k ON k.side = 'client' AND k.event = e.event JOIN owners o ON o.bridge = e.bridge_id
    UNION ALL
    SELECT o.bridge, k.kind, e.time, e.source_id, e.source, e.line_no, e.event
    FROM run_broker_events e JOIN kinds k ON k.side = 'broker' AND k.event = e.event AND (k.packet = '' OR k.packet = e.packet)
    JOIN owners o ON o.client = e.client_id
  )`;

/**
 * Needs the temporary tables of an analysis.
 * @param limit more marks than this are put together: those of one kind in the same `bin` (ms) become one
 * @returns the marks by bridge, in the order of `bridges`, and then by time
 */
export async function collectMarks(
  database: Database,
  bridges: readonly { readonly bridge_id: string; readonly client_id: string | null }[],
  limit: number,
): Promise<{ rows: MarkRow[]; bin: number }> {
  const client = kindRows('client');
  const broker = kindRows('broker');
  const values = [
    client.events,
    client.packets,
    client.kinds,
    broker.events,
    broker.packets,
    broker.kinds,
    JSON.stringify(bridges.map((bridge) => bridge.bridge_id)),
    JSON.stringify(bridges.map((bridge) => bridge.client_id ?? '')),
  ];
  const [size] = await database.all<{ n: number; lanes: number; span: number | null }>(
    `${ALL} SELECT count(*)::INTEGER AS n, count(DISTINCT concat_ws(' ', bridge, kind))::INTEGER AS lanes,
       epoch_us(max(time)) - epoch_us(min(time)) AS span FROM found`,
    values,
  );
  const bin =
    (size?.n ?? 0) <= limit ? 0 : await narrowestBin(database, values, limit, size?.span ?? 0, size?.lanes ?? 1);
  await database.run(
    bin === 0
      ? `CREATE OR REPLACE TEMP TABLE report_marks AS ${ALL} SELECT *, 1 AS count FROM found`
      : `CREATE OR REPLACE TEMP TABLE report_marks AS ${ALL}
         SELECT bridge, kind, min(time) AS time, arg_min(source_id, (time, line_no)) AS source_id, arg_min(source, (time, line_no)) AS source,
           arg_min(line_no, (time, line_no)) AS line_no, arg_min(event, (time, line_no)) AS event, count(*)::INTEGER AS count
         FROM found GROUP BY bridge, kind, epoch_us(time) // ${bin * 1000}`,
    values,
  );
  const rows = await database.all<Omit<MarkRow, 'text'> & { text: string | null }>(
    `SELECT m.bridge, m.kind, (epoch_us(m.time) / 1000)::BIGINT AS at, m.source, m.line_no AS line, m.count, r.text
     FROM report_marks m LEFT JOIN (
       SELECT source_id, line_no, event, any_value(left(split_part(head || body, chr(10), 1), ${MAX_TEXT})) AS text
       FROM records SEMI JOIN report_marks USING (source_id, line_no, event) GROUP BY ALL
     ) r USING (source_id, line_no, event)
     ORDER BY list_position($1::JSON::VARCHAR[], m.bridge), m.time, m.source, m.line_no, m.kind`,
    [values[6]!],
  );
  return { rows: rows.map((row) => ({ ...row, text: row.text ?? '' })), bin };
}

/** Events come in clumps, so that a bin narrower than an even spread asks for often does. */
const BIN_SHARES = [1 / 1024, 1 / 256, 1 / 64, 1 / 16, 1 / 4];

/** The narrowest bin (ms) tried that leaves no more than `limit` marks. */
async function narrowestBin(
  database: Database,
  values: string[],
  limit: number,
  spanUs: number,
  lanes: number,
): Promise<number> {
  const widest = Math.max(1, Math.ceil((spanUs / 1000) * (lanes / limit)));
  for (const share of BIN_SHARES) {
    const bin = Math.max(1, Math.round(widest * share));
    const [left] = await database.all<{ n: number }>(
      `${ALL} SELECT count(*)::INTEGER AS n FROM (SELECT DISTINCT bridge, kind, epoch_us(time) // ${bin * 1000} FROM found)`,
      values,
    );
    if ((left?.n ?? 0) <= limit) return bin;
  }
  return widest;
}
