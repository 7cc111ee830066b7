/** Everything a report shows, from an incident database: the observed run and the replays in it. */
import path from 'node:path';
import { type Analysis, analyze, type Database, OBSERVED } from '../../queries/index.ts';
import { collectExcerpts } from './excerpts.ts';
import { collectMarks, type MarkRow } from './marks.ts';
import type { LogGap, PingGap, Rate, ReportBridge, ReportData, ReportRun, ReportSource, Segment } from './model.ts';

/** Limits of a report; the page says where one was met. */
const MAX_BRIDGES = 8;
const MAX_REPLAYS = 8;
const OBSERVED_MARKS = 100_000;
const REPLAY_MARKS = 20_000; // of all replays together
const MAX_RATE_BINS = 1500;
const MAX_LOG_GAPS = 30;

export interface Collected {
  readonly data: Omit<ReportData, 'verdicts' | 'sweep' | 'lines_kept' | 'title' | 'version' | 'created'>;
  /** In the order of `data.runs` and their bridges. */
  readonly marks: readonly MarkRow[];
}

export interface CollectOptions {
  readonly clientId?: string;
  readonly onProgress?: (step: string) => void;
}

interface RunRow {
  readonly run_id: string;
  readonly label: string | null;
  readonly seed: number | null;
}

export async function collect(database: Database, options: CollectOptions = {}): Promise<Collected> {
  const replays = await database.all<RunRow>(
    "SELECT run_id, label, seed FROM runs WHERE kind = 'replay' ORDER BY label <> 'baseline', created_at, run_id",
  );
  const drawn = replays.slice(0, MAX_REPLAYS);
  const marks: MarkRow[] = [];
  const runs: RawRun[] = [];
  let observed: Analysis | null = null;
  // The observed run comes last: its temporary tables serve the excerpts as well.
  for (const replay of drawn) {
    options.onProgress?.(replay.run_id);
    runs.push(await collectRun(database, replay, Math.floor(REPLAY_MARKS / drawn.length), {}));
  }
  options.onProgress?.(OBSERVED);
  const first = await collectRun(database, { run_id: OBSERVED, label: null, seed: null }, OBSERVED_MARKS, options);
  observed = first.analysis;
  runs.unshift(first);
  const originMs = Math.min(...runs.map((run) => run.firstMs));
  const origin = Number.isFinite(originMs) ? originMs : 0;
  for (const run of runs) for (const bridge of run.bridges) marks.push(...bridge.rows);
  const excerpts = await collectExcerpts(database, observed.findings, origin);
  return {
    data: {
      schema: 1,
      origin_ms: origin,
      analysis: observed,
      sources: await collectSources(database),
      excerpts,
      log_gaps: await collectGaps(database, origin),
      runs: runs.map((run) => shifted(run, origin)),
      runs_left_out: replays.length - drawn.length,
      mark_sources: [...new Set(marks.map((mark) => mark.source))],
    },
    marks: marks.map((mark) => ({ ...mark, at: mark.at - origin })),
  };
}

interface RawBridge extends Omit<ReportBridge, 'marks'> {
  readonly rows: readonly MarkRow[];
}

interface RawRun extends Omit<ReportRun, 'bridges'> {
  readonly analysis: Analysis;
  readonly bridges: readonly RawBridge[];
  readonly firstMs: number;
}

async function collectRun(
  database: Database,
  run: RunRow,
  limit: number,
  { clientId }: CollectOptions,
): Promise<RawRun> {
  const analysis = await analyze(database, { runId: run.run_id, clientId });
  const shown = mostTelling(analysis).slice(0, MAX_BRIDGES);
  const { rows, bin } = await collectMarks(database, shown, limit);
  const bridges: RawBridge[] = [];
  for (const client of shown) {
    const own = rows.filter((row) => row.bridge === client.bridge_id);
    const segments = await collectSegments(database, client.bridge_id);
    const live = segments.broker.length > 0 ? segments.broker : segments.bridge;
    bridges.push({
      bridge: client.bridge_id,
      client: client.client_id,
      keepalive_s: client.keepalive_s,
      ...toldOf(analysis, client.bridge_id),
      bridge_segments: segments.bridge,
      broker_segments: segments.broker,
      ping_gaps: (await logsPings(database, client.bridge_id)) ? pingGaps(own, live, client.keepalive_s) : [],
      rate: await collectRate(database, client, shown.length === 1),
      rows: own,
    });
  }
  return {
    id: run.run_id,
    kind: run.run_id === OBSERVED ? 'observed' : 'replay',
    label: run.label ?? run.run_id,
    seed: run.seed,
    ...toldOf(analysis, null),
    bridges_all: analysis.clients.length,
    bin,
    analysis,
    bridges,
    firstMs: firstOf(bridges),
  };
}

/** Findings and disconnects of one bridge, or of all (null). */
function toldOf(analysis: Analysis, bridge: string | null): Pick<ReportRun, 'findings' | 'disconnects'> {
  const isOwn = (of: { readonly bridge_id: string }) => bridge === null || of.bridge_id === bridge;
  return {
    findings: [...new Set(analysis.findings.filter(isOwn).map((finding) => finding.id))],
    disconnects: analysis.cycles.filter(isOwn).reduce((sum, cycle) => sum + cycle.count, 0),
  };
}

/** The bridges of a run, those with findings first, then those with most connections. */
function mostTelling(analysis: Analysis): Analysis['clients'][number][] {
  const weight = new Map<string, number>();
  const add = (bridge: string, amount: number) => weight.set(bridge, (weight.get(bridge) ?? 0) + amount);
  for (const finding of analysis.findings) add(finding.bridge_id, finding.certainty === 'must' ? 2e6 : 1e6);
  for (const cycle of analysis.cycles) add(cycle.bridge_id, cycle.count);
  return analysis.clients.toSorted((a, b) => (weight.get(b.bridge_id) ?? 0) - (weight.get(a.bridge_id) ?? 0));
}

/** Needs the temporary tables of an analysis, as all that follows. */
async function collectSegments(database: Database, bridge: string): Promise<{ bridge: Segment[]; broker: Segment[] }> {
  const rows = await database.all<{
    client_from: number | null;
    client_to: number | null;
    client_reason: string | null;
    client_last: number | null;
    broker_from: number | null;
    broker_to: number | null;
    reason: string | null;
  }>(
    `SELECT epoch_us(client_connected) AS client_from, epoch_us(client_disconnected) AS client_to, client_reason,
       epoch_us(last_line) AS client_last,
       CASE WHEN seen_by <> 'client' THEN epoch_us(connected) END AS broker_from,
       CASE WHEN seen_by <> 'client' THEN epoch_us(disconnected) END AS broker_to, reason
     FROM run_sessions WHERE bridge_id = $1 ORDER BY coalesce(connected, disconnected)`,
    [bridge],
  );
  const ends = await database.all<{ client: number | null; broker: number | null }>(
    `SELECT (SELECT epoch_us(max(time)) FROM run_client_states WHERE bridge_id = $1) AS client,
       (SELECT epoch_us(max(time)) FROM run_broker_events) AS broker`,
    [bridge],
  );
  const [end] = ends;
  const side = (from: number | null, to: number | null, last: number | null, reason: string | null): Segment[] =>
    from === null ? [] : [[ms(from), ms(to ?? Math.max(last ?? from, from)), to === null ? null : reason, to === null]];
  return {
    bridge: rows.flatMap((row) =>
      side(row.client_from, row.client_to, end?.client ?? row.client_last, row.client_reason),
    ),
    broker: rows.flatMap((row) => side(row.broker_from, row.broker_to, end?.broker ?? null, row.reason)),
  };
}

const PING_KINDS = { client: 'ping', broker: 'pinged' } as const;

/** Whether a PINGREQ would be in the logs: a bridge that sends none and a log without the level for it look alike otherwise. */
async function logsPings(database: Database, bridge: string): Promise<boolean> {
  const [row] = await database.all<{ logged: boolean | null }>(
    'SELECT bool_or(pings IS NOT NULL OR pings_in IS NOT NULL) AS logged FROM run_sessions WHERE bridge_id = $1',
    [bridge],
  );
  return row?.logged ?? false;
}

/** Times longer than 1.5 × keepalive without a PINGREQ, by the end that logs more of them. */
function pingGaps(rows: readonly MarkRow[], lives: readonly Segment[], keepaliveS: number | null): PingGap[] {
  if (!keepaliveS) return [];
  const of = (kind: string) => rows.filter((row) => row.kind === kind).map((row) => row.at);
  const client = of(PING_KINDS.client);
  const broker = of(PING_KINDS.broker);
  const pings = client.length >= broker.length ? client : broker;
  const gaps: PingGap[] = [];
  for (const [from, to, reason] of lives) {
    const instants = [from, ...pings.filter((at) => at > from && at < to), to];
    for (let index = 1; index < instants.length; index += 1)
      if (instants[index]! - instants[index - 1]! > 1500 * keepaliveS)
        gaps.push([instants[index - 1]!, instants[index]!, reason === 'keepalive_timeout' && instants[index] === to]);
  }
  return gaps;
}

const RATE_SQL = `SELECT name, epoch_us(time) AS us, 1 AS n FROM (
    SELECT 'offered' AS name, time FROM run_client_states WHERE bridge_id = $1 AND event = 'bridge_forward'
    UNION ALL
    SELECT CASE event WHEN 'mqtt_packet_sent' THEN 'down' ELSE 'up' END, time FROM run_broker_events
      WHERE event IN ('mqtt_packet_sent', 'mqtt_packet_received') AND packet = 'PUBLISH' AND client_id = $2
    UNION ALL
    SELECT 'up', time FROM run_broker_events WHERE event = 'publish_routed' AND client_id IS NULL AND $3
  )`;

/** Messages of one bridge over time. What came in on data streams names no client: counted where there is one bridge only. */
async function collectRate(
  database: Database,
  { bridge_id, client_id }: { bridge_id: string; client_id: string | null },
  isOnly: boolean,
): Promise<Rate | null> {
  const values = [bridge_id, client_id ?? '', isOnly ? 1 : 0];
  const [span] = await database.all<{ first: number | null; last: number | null }>(
    `SELECT min(us) AS first, max(us) AS last FROM (${RATE_SQL})`,
    values,
  );
  if (span?.first == null || span.last == null) return null;
  const binUs = Math.max(1, Math.ceil((span.last - span.first) / 1e6 / MAX_RATE_BINS)) * 1e6;
  const start = Math.floor(span.first / binUs) * binUs;
  const rows = await database.all<{ name: 'offered' | 'up' | 'down'; bin: number; n: number }>(
    `SELECT name, ((us - ${start}) // ${binUs})::INTEGER AS bin, count(*)::INTEGER AS n FROM (${RATE_SQL}) GROUP BY ALL`,
    values,
  );
  const bins = Math.floor((span.last - start) / binUs) + 1;
  const series: { [name in 'offered' | 'up' | 'down']?: number[] } = {};
  for (const { name, bin, n } of rows) {
    series[name] ??= new Array<number>(bins).fill(0);
    series[name]![bin] = n;
  }
  return { from: ms(start), bin: binUs / 1000, series };
}

async function collectSources(database: Database): Promise<ReportSource[]> {
  const rows = await database.all<Omit<ReportSource, 'first' | 'last'> & { first: number | null; last: number | null }>(
    `SELECT s.path, n.product, n.node, n.product_version AS version, s.layout, s.lines, s.records, s.continuations, s.unparsed, s.skipped,
       epoch_us(s.first_ts + to_microseconds(coalesce(c.offset_us, 0))) AS first,
       epoch_us(s.last_ts + to_microseconds(coalesce(c.offset_us, 0))) AS last, s.damage
     FROM sources s JOIN endpoints n USING (endpoint_id) LEFT JOIN clocks c USING (endpoint_id)
     WHERE n.run_id = $1 ORDER BY n.product DESC, n.node, s.first_ts, s.path`,
    [OBSERVED],
  );
  const iso = (us: number | null) => (us === null ? null : new Date(us / 1000).toISOString());
  return rows.map((row) => ({ ...row, first: iso(row.first), last: iso(row.last) }));
}

async function collectGaps(database: Database, origin: number): Promise<LogGap[]> {
  const rows = await database.all<{
    source: string;
    kind: string;
    first: number | null;
    last: number | null;
    seconds: number | null;
    line: number;
    count: number;
  }>(
    `SELECT source, kind, epoch_us(first) AS first, epoch_us(last) AS last, seconds, line_no AS line, count FROM log_gaps
     WHERE run_id = $1 ORDER BY kind <> 'throttled', kind <> 'truncated', seconds DESC LIMIT ${MAX_LOG_GAPS}`,
    [OBSERVED],
  );
  const at = (us: number | null) => (us === null ? null : ms(us) - origin);
  return rows.map(({ first, last, ...row }) => ({
    ...row,
    source: path.basename(row.source),
    from: at(first),
    to: at(last),
  }));
}

const ms = (us: number) => Math.round(us / 1000);

function firstOf(bridges: readonly RawBridge[]): number {
  return Math.min(
    ...bridges.flatMap((bridge) => [
      bridge.rows[0]?.at ?? Number.POSITIVE_INFINITY,
      bridge.bridge_segments[0]?.[0] ?? Number.POSITIVE_INFINITY,
      bridge.broker_segments[0]?.[0] ?? Number.POSITIVE_INFINITY,
      bridge.rate?.from ?? Number.POSITIVE_INFINITY,
    ]),
  );
}

function shifted({ analysis: _, firstMs: __, bridges, ...run }: RawRun, origin: number): ReportRun {
  const move = (segments: readonly Segment[]): Segment[] =>
    segments.map(([from, to, reason, open]) => [from - origin, to - origin, reason, open]);
  return {
    ...run,
    bridges: bridges.map(({ rows, ...bridge }) => ({
      ...bridge,
      bridge_segments: move(bridge.bridge_segments),
      broker_segments: move(bridge.broker_segments),
      ping_gaps: bridge.ping_gaps.map(([from, to, fatal]) => [from - origin, to - origin, fatal] as const),
      rate: bridge.rate === null ? null : { ...bridge.rate, from: bridge.rate.from - origin },
      marks: rows.length,
    })),
  };
}
