/** The answer to "what happened, and why": clients, findings, cycles, sessions, clocks, evidence gaps (JSON: docs, `analyze --json`). */
import type { Database } from './database.ts';
import type { Finding } from './diagnosis/finding.ts';
import { diagnose } from './diagnosis/rules.ts';
import { type BridgeStory, loadStories, type Session } from './diagnosis/story.ts';
import { isoTime } from './time.ts';

export interface AnalyzedFinding
  extends Omit<Finding, 'bridgeId' | 'clientId' | 'ruledOut' | 'advice' | 'first' | 'last'> {
  readonly bridge_id: string;
  readonly client_id: string | null;
  readonly first: string | null;
  readonly last: string | null;
  readonly ruled_out: Finding['ruledOut'];
  readonly advice: readonly {
    readonly change: string;
    readonly why: string;
    readonly known_fix: boolean;
    readonly source: string;
  }[];
}

export interface AnalyzedCycle {
  readonly bridge_id: string;
  readonly client_id: string | null;
  readonly reason: string;
  readonly closed_by: string | null;
  readonly count: number;
  readonly period_s: number | null;
  readonly period_sd_s: number | null;
  readonly dwell_s: number | null;
  readonly reconnect_s: number | null;
}

export interface Analysis {
  readonly schema: 1;
  readonly clients: readonly {
    bridge_id: string;
    client_id: string | null;
    transport: string | null;
    nanomq_version: string | null;
    emqx_version: string | null;
    keepalive_s: number | null;
  }[];
  readonly findings: readonly AnalyzedFinding[];
  readonly cycles: readonly AnalyzedCycle[];
  readonly sessions: readonly AnalyzedSession[];
  readonly clocks: readonly {
    source: string;
    product: string;
    zone: string | null;
    offset_s: number;
    error_s: number | null;
    method: string;
    pairs: number;
    ambiguous: boolean;
  }[];
  readonly evidence_gaps: readonly { what: string; how_to_collect: string }[];
}

export interface AnalyzedSession {
  readonly bridge_id: string;
  readonly client_id: string | null;
  readonly seen_by: string;
  readonly connected: string | null;
  readonly disconnected: string | null;
  readonly closed_by: string | null;
  readonly reason: string | null;
  readonly reason_known_by: string | null;
  readonly keepalive_s: number | null;
  readonly last_inbound: string | null;
  readonly silence_ratio: number | null;
  readonly clock_error_s: number | null;
  readonly pings: number | null;
  readonly aio_busy: number | null;
  readonly cached_lost: number | null;
  readonly packets_in: Readonly<Record<string, number>>;
  readonly packets_out: Readonly<Record<string, number>>;
}

/**
 * Analyses one run. `clientId` limits the answer to one client, `from` and `to` (µs, common clock) to the connections and findings of
 * that time; the rules still see the whole log, since a cause often lies before its effect.
 */
export async function analyze(
  database: Database,
  options: { readonly runId: string; readonly clientId?: string; readonly from?: number; readonly to?: number },
): Promise<Analysis> {
  const { runId, clientId, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = options;
  const inTime = (first: number | null, last: number | null) =>
    (first ?? last ?? from) <= to && (last ?? Number.POSITIVE_INFINITY) >= from;
  const stories = (await loadStories(database, runId)).filter(
    (story) => clientId === undefined || story.clientId === clientId,
  );
  const findings: Finding[] = [];
  for (const story of stories)
    findings.push(...(await diagnose(story)).filter((finding) => inTime(finding.first, finding.last)));
  await stories[0]?.readTexts();
  const bridges = new Set(stories.map((story) => story.bridgeId));
  const cycles = await database.all<AnalyzedCycle>(
    `SELECT bridge_id, client_id, reason, closed_by, count, period_s, period_sd_s, dwell_s, reconnect_s
     FROM cycles_of('run_sessions') WHERE run_id = $1 ORDER BY count DESC, reason`,
    [runId],
  );
  return {
    schema: 1,
    clients: stories.map((story) => ({
      bridge_id: story.bridgeId,
      client_id: story.clientId,
      transport: story.transport,
      nanomq_version: story.nanomqVersion,
      emqx_version: story.emqxVersion,
      keepalive_s: keepaliveOf(story),
    })),
    findings: findings.map(asJson),
    cycles: cycles.filter((cycle) => bridges.has(cycle.bridge_id)),
    sessions: stories.flatMap((story) =>
      story.sessions
        .filter((session) => inTime(session.connected ?? session.disconnected, session.disconnected))
        .map(sessionJson),
    ),
    clocks: await clocks(database, runId),
    evidence_gaps: evidenceGaps(stories),
  };
}

function asJson(finding: Finding): AnalyzedFinding {
  const { bridgeId, clientId, ruledOut, advice, first, last, ...rest } = finding;
  return {
    ...rest,
    bridge_id: bridgeId,
    client_id: clientId,
    first: isoTime(first),
    last: isoTime(last),
    ruled_out: ruledOut,
    advice: advice.map(({ change, why, knownFix, source }) => ({ change, why, known_fix: knownFix, source })),
  };
}

function sessionJson(session: Session): AnalyzedSession {
  return {
    bridge_id: session.bridge_id,
    client_id: session.client_id,
    seen_by: session.seen_by,
    connected: isoTime(session.connected),
    disconnected: isoTime(session.disconnected),
    closed_by: session.closed_by,
    reason: session.reason,
    reason_known_by: session.reason_known_by,
    keepalive_s: session.keepalive_s,
    last_inbound: isoTime(session.last_inbound),
    silence_ratio: session.silence_s === null || !session.keepalive_s ? null : session.silence_s / session.keepalive_s,
    clock_error_s: session.clock_error_s,
    pings: session.pings ?? session.pings_in,
    aio_busy: session.aio_busy,
    cached_lost: session.cached_lost,
    packets_in: counts(session.packets_in),
    packets_out: counts(session.packets_out),
  };
}

/** A DuckDB map of counts, as it comes from the driver, as an object. */
export function counts(map: unknown): Record<string, number> {
  if (!Array.isArray(map)) return {};
  return Object.fromEntries((map as { key: string; value: number }[]).map((entry) => [entry.key, entry.value]));
}

function keepaliveOf(story: BridgeStory): number | null {
  return story.sessions.map((session) => session.keepalive_s).find((keepalive) => keepalive !== null) ?? null;
}

async function clocks(database: Database, runId: string): Promise<Analysis['clocks']> {
  return database.all(
    `SELECT n.node AS source, n.product, c.zone, c.offset_us / 1e6 AS offset_s, c.error_us / 1e6 AS error_s, c.method, c.pairs, c.ambiguous
     FROM clocks c JOIN endpoints n USING (endpoint_id) WHERE n.run_id = $1 ORDER BY n.product DESC, n.node`,
    [runId],
  );
}

function evidenceGaps(stories: readonly BridgeStory[]): Analysis['evidence_gaps'] {
  const gaps = new Map<string, string>();
  for (const story of stories) {
    const { levels } = story;
    if (!levels.client)
      gaps.set(
        "no log of NanoMQ: the bridge's own side is missing",
        'collect nanomq.log (log.to = [file], level info or debug) of the time of the incident',
      );
    else if (!levels.clientInfo)
      gaps.set(
        "NanoMQ's log has no info lines: PINGREQ, connects and the configuration are not in it",
        'set log.level = info in nanomq.conf and restart NanoMQ',
      );
    else if (!levels.clientDebug)
      gaps.set(
        "NanoMQ's log has no debug lines: messages that were sent are not in it",
        'set log.level = debug in nanomq.conf for one cycle',
      );
    if (!levels.broker)
      gaps.set(
        'no log of EMQX: who closed the connection and why is inferred',
        `collect emqx.log at level info, or a trace: emqx ctl trace start client ${story.clientId ?? 'CLIENTID'} trace.log`,
      );
    else if (!levels.brokerPackets)
      gaps.set(
        'EMQX logged no packets: the last packet before a disconnect is not known',
        `emqx ctl trace start client ${story.clientId ?? 'CLIENTID'} trace.log`,
      );
    if (story.clockAmbiguous)
      gaps.set(
        'the clocks of the two ends cannot be aligned without doubt',
        'give the zone of the NanoMQ host with --tz, or collect logs that reach from before the first connect',
      );
    if (story.nanomqVersion === null && levels.client)
      gaps.set(
        'the NanoMQ release is not known',
        'collect the log from the start of the process, or note the output of nanomq --version',
      );
  }
  return [...gaps].map(([what, how_to_collect]) => ({ what, how_to_collect }));
}
