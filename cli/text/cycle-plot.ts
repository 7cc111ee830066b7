/** Connection by connection: what happened in each, as marks on one line. */
import type { Database } from '../../queries/index.ts';
import { type Lane, laneAxis, lanePlot, type Mark } from '../output/plot.ts';
import { wrap } from './wrap.ts';

/** One connection of a bridge with the instants (s after its connect) of what the plot shows. */
export interface CycleLine {
  readonly bridgeId: string;
  readonly connected: number; // µs
  readonly durationS: number | null;
  readonly reason: string | null;
  readonly open: boolean;
  readonly pings: readonly number[];
  readonly busy: readonly number[];
  readonly overflow: readonly number[];
  readonly data: readonly number[];
  readonly down: readonly number[];
}

/** More lines than this say no more; the plot shows the first ones. */
export const MAX_LINES = 24;

/** Needs the temporary tables of an analysis (`run_sessions`, `run_client_states`). */
export async function loadCycles(database: Database): Promise<CycleLine[]> {
  const rows = await database.all<{
    bridge_id: string;
    connected: number;
    duration_s: number | null;
    reason: string | null;
    open: boolean;
    pings: number[] | null;
    busy: number[] | null;
    overflow: number[] | null;
    data: number[] | null;
    down: number[] | null;
  }>(
    `WITH lines AS (
       SELECT s.client_endpoint_id, s.bridge_id, s.client_session_no AS no, e.event, greatest(0, (epoch_us(e.time) - epoch_us(s.client_connected)) / 1e6) AS after_s
       FROM run_sessions s JOIN run_client_states e ON e.bridge_id = s.bridge_id AND e.endpoint_id = s.client_endpoint_id AND e.session_no = s.client_session_no AND e.state = 'connected'
       WHERE e.event IN ('ping_sent', 'aio_busy', 'cached_msg_lost') OR (e.event = 'quic_write_start' AND TRY_CAST((e.attributes->>'$.sid') AS INTEGER) > 0)
     ), grouped AS (
       SELECT client_endpoint_id, bridge_id, no, list(DISTINCT after_s) FILTER (event = 'ping_sent') AS pings, list(DISTINCT after_s) FILTER (event = 'aio_busy') AS busy,
         list(DISTINCT after_s) FILTER (event = 'cached_msg_lost') AS overflow, list(DISTINCT after_s) FILTER (event = 'quic_write_start') AS data
       FROM lines GROUP BY client_endpoint_id, bridge_id, no
     ), downs AS (
       SELECT s.client_id, s.peer, s.connected, list(DISTINCT floor((epoch_us(e.time) - epoch_us(s.connected)) / 1e6)) AS down
       FROM run_sessions s JOIN run_broker_events e ON e.client_id = s.client_id AND e.peer = s.peer AND e.time >= s.connected
       WHERE e.event = 'mqtt_packet_sent' AND (e.attributes->>'$.packet') = 'PUBLISH' GROUP BY ALL
     )
     SELECT s.bridge_id, epoch_us(s.connected) AS connected, s.duration_s, s.reason, s.open, g.pings, g.busy, g.overflow, g.data, d.down
     FROM run_sessions s LEFT JOIN grouped g ON g.client_endpoint_id = s.client_endpoint_id AND g.bridge_id = s.bridge_id AND g.no = s.client_session_no
     LEFT JOIN downs d ON d.client_id = s.client_id AND d.peer = s.peer AND d.connected = s.connected
     WHERE s.connected IS NOT NULL order BY s.bridge_id, s.connected`,
  );
  return rows.map((row) => ({
    bridgeId: row.bridge_id,
    connected: row.connected,
    durationS: row.duration_s,
    reason: row.reason,
    open: row.open,
    pings: row.pings ?? [],
    busy: row.busy ?? [],
    overflow: row.overflow ?? [],
    data: row.data ?? [],
    down: row.down ?? [],
  }));
}

const LEGEND =
  'p PINGREQ, · message sent up, v down, b aio busy, x overflow, B both, D keepalive disconnect, d other end';

/** A lane a connection, all from their own connect on, so that cycles stand under each other. */
export function cyclePlot(lines: readonly CycleLine[], width: number): string[] {
  const shown = lines.slice(0, MAX_LINES);
  const longest = Math.max(1, ...shown.map((line) => lengthOf(line)));
  const lanes: Lane[] = shown.map((line, index) => ({
    label: `${String(index + 1).padStart(2)} ${clockTime(line.connected)}`,
    marks: marksOf(line, longest),
  }));
  const plot = { from: 0, to: longest + 0.5, width: Math.min(width, 100), lanes };
  return [
    ...lanePlot(plot),
    laneAxis(plot, (at) => `${Math.round(at)} s`),
    ...wrap(LEGEND, width, '  '),
    ...(lines.length > shown.length ? [`(${lines.length - shown.length} more connections are not drawn)`] : []),
  ];
}

/** One character a second, so that a second with busy and overflow lines is `B` and not a clash. */
function marksOf(line: CycleLine, longest: number): Mark[] {
  const seconds = (values: readonly number[]) => new Set(values.map(Math.floor));
  const busy = seconds(line.busy);
  const overflow = seconds(line.overflow);
  const pings = seconds(line.pings);
  const data = seconds(line.data);
  const down = seconds(line.down);
  // The first that holds is drawn: what is rare or wrong before what is usual.
  const order: readonly (readonly [string, (second: number) => boolean])[] = [
    ['p', (second) => pings.has(second)],
    ['B', (second) => busy.has(second) && overflow.has(second)],
    ['x', (second) => overflow.has(second)],
    ['b', (second) => busy.has(second)],
    ['·', (second) => data.has(second)],
    ['v', (second) => down.has(second)],
  ];
  const marks: Mark[] = [];
  for (let second = 0; second < Math.ceil(longest); second += 1) {
    // The bridge notices an end up to a second after the broker; what it logs until then is not drawn.
    if (!line.open && line.durationS !== null && second + 0.5 > line.durationS) break;
    const char = order.find(([, shown]) => shown(second))?.[0] ?? null;
    if (char !== null) marks.push({ at: second, until: second + 1, char });
  }
  if (!line.open && line.durationS !== null)
    marks.push({ at: line.durationS, char: line.reason === 'keepalive_timeout' ? 'D' : 'd' });
  return marks;
}

function lengthOf(line: CycleLine): number {
  return Math.max(line.durationS ?? 0, ...line.pings, ...line.busy, ...line.overflow, ...line.data, ...line.down);
}

export function clockTime(micros: number): string {
  return new Date(micros / 1000).toISOString().slice(11, 19);
}
