/**
 * One replay: the cassette through the machines in the simulator, written as a run into the same tables as the logs, so that the
 * same views and rules read it.
 */
import { type Endpoint, type Message, type SimRecord, type SimSummary, simulate } from '../engine/index.ts';
import type { LiveError } from '../engine/live/errors.ts';
import type { ForeignTarget, LiveOptions } from '../engine/live/run-live.ts';
import { type LogRecord, renderNanomqStatement } from '../parsers/index.ts';
import { hash64 } from '../queries/ids.ts';
import { type Database, diagnose, EnvironmentError, loadStories, RecordWriter, UsageError } from '../queries/index.ts';
import type { Cassette } from './cassette.ts';
import { type Incident, measureIncident } from './incident.ts';
import { withNetwork } from './network-change.ts';
import { printEmqxBody } from './print-emqx.ts';
import { choices, linkSettings, stimuli } from './stimuli.ts';
import { type Outage, Surroundings } from './surroundings.ts';
import { type FlowSummary, SymptomWatch } from './symptoms.ts';
import type { Setup } from './variant.ts';
import { EVERYTHING, isVisible, type Visibility } from './visibility.ts';
import { stallUs, watched } from './watched.ts';

/** A replay that would simulate more than this is refused: four weeks. */
export const MAX_SIMULATED_US = 28 * 86_400_000_000;

export interface RunRequest {
  readonly cassette: Cassette;
  readonly setup: Setup;
  readonly label: string;
  readonly seed: number;
  /** Hold the run to the races whose outcome the log shows (baseline only). */
  readonly forced: boolean;
  readonly loops: number;
  /** Leave out the per-message debug lines that no verdict needs. */
  readonly brief?: boolean;
  /** Only what such logs would hold is recorded. */
  readonly visible?: Visibility;
  /** On real sockets and the real clock. */
  readonly live?: LiveRequest;
  readonly signal?: AbortSignal;
  /** Told of every record, those that are not kept included. */
  readonly onRecord?: (record: SimRecord) => void;
  /** Asked now and then during a simulated run; true ends it with an error. */
  readonly interrupted?: () => boolean;
  /** How far a live run is, s of the incident. */
  readonly onProgress?: (doneS: number) => void;
}

export interface LiveRequest {
  /** This many times as fast as the incident was. */
  readonly speed: number;
  /** Absent: against the broker of our own, on loopback. */
  readonly foreign?: Omit<ForeignTarget, 'plan'>;
}

export interface RunResult {
  readonly runId: string;
  readonly seed: number;
  readonly incident: Incident;
  readonly findings: readonly string[];
  /** Disconnects by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly unprovoked: number;
  readonly flows: readonly FlowSummary[];
  readonly summary: SimSummary;
}

/**
 * A run of many loops (keepalive 3600 s needs hours) keeps this many lines of one kind a second: sessions, causes and cycles are the
 * same, only the counts of such lines are not.
 */
const THIN_FROM_LOOPS = 4;
const THIN_PER_SECOND = 2;
/** Lines of single messages: half of a run's records, and no rule of the verdict reads them. */
const PER_MESSAGE = new Set([
  'bridge_aio_done',
  'bridge_acked',
  'bridge_ack_rx',
  'quic_send_complete',
  'quic_tran_deliver',
  'bridge_send_qos',
  'bridge_send_qos_begin',
  'bridge_send_priority',
  'quic_write_priority_start',
  'quic_tran_recv_armed_main',
  'quic_tran_recv_armed_sub',
  'quic_data_stream_packets_sent',
]);

export async function runReplay(database: Database, request: RunRequest): Promise<RunResult> {
  const { setup, seed } = request;
  const cassette = withNetwork(request.cassette, setup.network);
  const runId = `replay-${request.label}-seed${seed}`;
  const watch = new SymptomWatch({ stallUs: stallUs(cassette.header.bridge.settings) });
  const surroundings = new Surroundings();
  const writer = await openRun(database, runId, request);
  const start = Date.parse(cassette.header.start) * 1000 || 0;
  const lineNo: Record<Endpoint, number> = { bridge: 0, broker: 0 };
  const thinned = request.brief && request.loops >= THIN_FROM_LOOPS ? thinner() : null;
  let connected = false;
  const options = {
    bridge: setup.bridge,
    broker: setup.broker,
    stimuli: watched(stimuli(cassette, request.loops), watch, surroundings),
    durationUs: Math.min(cassette.header.duration_us * request.loops, MAX_SIMULATED_US),
    seed,
    choices: request.forced ? choices(cassette) : undefined,
    link: cassette.header.link === undefined ? undefined : linkSettings(cassette.header.link),
    onDelivery: (direction: 'up' | 'down', message: Message) => watch.delivered(direction, message),
  };
  /** What comes while rows are handed to the database. */
  const waiting: [bigint, LogRecord][] = [];
  let saving: Promise<void> | null = null;
  const write = (source: bigint, record: LogRecord) => {
    if (saving) waiting.push([source, record]);
    else writer.record(source, record);
  };
  const save = async () => {
    await writer.save();
    saving = null;
    for (const [source, record] of waiting.splice(0)) writer.record(source, record);
  };
  const sink = (record: SimRecord) => {
    request.onRecord?.(record);
    if (record.event === 'bridge_connected' || record.event === 'bridge_disconnected') {
      connected = record.event === 'bridge_connected';
      watch.bridge(connected);
    }
    if (request.visible && !isVisible(record, request.visible)) return;
    if (request.brief && PER_MESSAGE.has(record.event)) return;
    if (thinned?.(record)) return;
    lineNo[record.endpoint] += 1;
    if (lineNo[record.endpoint] % ASK_EVERY === 0 && request.interrupted?.()) throw new Error('interrupted');
    write(
      record.endpoint === 'bridge' ? writer.client : writer.broker,
      toLogRecord(record, lineNo[record.endpoint], start, setup),
    );
  };
  let summary: SimSummary;
  const saver = request.live
    ? setInterval(() => {
        saving ??= save();
        saving.catch(() => {}); // Awaited below.
      }, SAVE_MS)
    : null;
  try {
    summary =
      request.live === undefined
        ? simulate(options, sink)
        : await liveRun(
            {
              ...options,
              speed: request.live.speed,
              foreign: request.live.foreign && {
                ...request.live.foreign,
                plan: stimuli(cassette, request.loops),
              },
              signal: request.signal,
              onProgress: ({ at }) => request.onProgress?.(at / 1e6),
            },
            sink,
          );
  } catch (error) {
    if (saver) clearInterval(saver);
    await saving;
    // Nothing of a live run comes a second time: what was recorded is kept, and named for what it is.
    if (request.live && lineNo.bridge > 0) await writer.finish(lineNo, 'interrupted');
    else await writer.abandon();
    throw error;
  }
  if (saver) clearInterval(saver);
  await saving;
  await writer.finish(lineNo, 'complete');
  return {
    ...(await judgeRun(database, runId, surroundings.outages, start, request.visible ?? EVERYTHING)),
    seed,
    flows: watch.summary({ up: summary.up.held, down: summary.down.held }),
    summary,
  };
}

/** Sockets are loaded only here: everything else works where the QUIC library has no binary. */
async function liveRun(options: LiveOptions, sink: (record: SimRecord) => void): Promise<SimSummary> {
  const { runLive } = await import('../engine/live/run-live.ts');
  try {
    return await runLive(options, sink);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'LiveError') throw error;
    const { code, hint, details } = error as LiveError;
    const settings = { hint: hint ?? undefined, details, cause: error };
    throw OF_THE_MACHINE.has(code)
      ? new EnvironmentError(code, error.message, settings)
      : new UsageError(code, error.message, settings);
  }
}

/** Records between two looks at whether a run is still wanted. */
const ASK_EVERY = 1024;
/** How often a live run is saved, ms. */
const SAVE_MS = 2_000;
const OF_THE_MACHINE: ReadonlySet<string> = new Set([
  'quic-unavailable',
  'port-taken',
  'address-unusable',
  'broker-unreachable',
  'broker-refused',
  'broker-unsuitable',
  'certificate-unreadable',
  'overloaded',
]);

/** True for a record that may be left out: the third and later of its kind in a second. */
function thinner(): (record: SimRecord) => boolean {
  const seen = new Map<string, { second: number; count: number }>();
  return (record) => {
    const kind = `${record.event} ${record.fields?.packet ?? ''} ${record.fields?.sid ?? ''}`;
    const second = Math.floor(record.at / 1e6);
    const entry = seen.get(kind);
    if (entry === undefined || entry.second !== second) {
      seen.set(kind, { second, count: 1 });
      return false;
    }
    entry.count += 1;
    return entry.count > THIN_PER_SECOND;
  };
}

/** The same views and rules as for an incident, over this run. */
async function judgeRun(
  database: Database,
  runId: string,
  outages: readonly Outage[],
  start: number,
  visible: Visibility,
): Promise<Pick<RunResult, 'runId' | 'incident' | 'findings' | 'reasons' | 'unprovoked'>> {
  const story = (await loadStories(database, runId))[0];
  if (story === undefined) throw new Error(`the run ${runId} holds no bridge`);
  const findings = (await diagnose(story)).map((finding) => finding.id);
  const reasons: Record<string, number> = {};
  let unprovoked = 0;
  for (const session of story.sessions) {
    if (session.open || session.disconnected === null || session.reason === null || session.seen_by === 'broker')
      continue;
    reasons[session.reason] = (reasons[session.reason] ?? 0) + 1;
    const end = session.disconnected - start;
    const reach = (3 * (session.keepalive_s ?? 10) + 25) * 1e6;
    const afterOutage = outages.some((outage) => outage.from <= end && outage.to >= end - reach);
    if (story.keepaliveSessions.includes(session) || (!afterOutage && session.reason !== 'keepalive_timeout'))
      unprovoked += 1;
  }
  return {
    runId,
    incident: await measureIncident(database, story, findings[0] ?? null, visible),
    findings,
    reasons,
    unprovoked,
  };
}

interface RunWriter {
  abandon(): Promise<void>;
  readonly client: bigint;
  readonly broker: bigint;
  record(source: bigint, record: LogRecord): void;
  /** Commits what there is so far. Nothing may be recorded until it settles. */
  save(): Promise<void>;
  finish(lines: Record<Endpoint, number>, how: 'complete' | 'interrupted'): Promise<void>;
}

async function openRun(database: Database, runId: string, request: RunRequest): Promise<RunWriter> {
  const { setup, cassette } = request;
  await dropRun(database, runId);
  const settings = setup.bridge.settings;
  await database.run(
    'INSERT INTO runs (run_id, kind, label, seed, profile, settings) VALUES ($1, $2, $3, $4, $5, $6)',
    [
      runId,
      'replay',
      request.label,
      BigInt(request.seed),
      `nanomq ${setup.nanomq}, emqx ${setup.emqx}`,
      JSON.stringify(settings),
    ],
  );
  const ids: Record<string, { endpoint: bigint; source: bigint }> = {};
  for (const [product, layout, version] of [
    ['nanomq', 'nanomq-file', setup.nanomq],
    ['emqx', 'emqx-text', setup.emqx],
  ] as const) {
    const endpoint = await replayedEndpoint(database, runId, product, version);
    const source = await replayedSource(database, runId, product, layout, endpoint);
    ids[product] = { endpoint, source };
  }
  const client = ids.nanomq!;
  const broker = ids.emqx!;
  await database.run('INSERT INTO bridges VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
    runId,
    client.endpoint,
    cassette.header.bridge.id,
    settings.address ?? null,
    settings.clientId,
    'cassette',
    settings.transport,
    settings.keepaliveS,
    JSON.stringify({ parallel: settings.parallel }),
  ]);
  const writer = new RecordWriter(database);
  await database.run('BEGIN');
  await writer.begin();
  return {
    client: client.source,
    broker: broker.source,
    record: (source, record) => writer.record(source, record),
    abandon: async () => {
      writer.abandon();
      await database.run('ROLLBACK');
      await dropRun(database, runId);
    },
    save: async () => {
      await writer.flush();
      await database.run('COMMIT');
      await database.run('BEGIN');
      await writer.begin();
    },
    finish: async (lines, how) => {
      await writer.flush();
      if (how === 'interrupted') {
        await database.run("UPDATE runs SET label = label || ' (interrupted)' WHERE run_id = $1", [runId]);
      }
      for (const [id, count] of [
        [client.source, lines.bridge],
        [broker.source, lines.broker],
      ] as const) {
        await database.run(
          `UPDATE sources SET lines = $2, records = $2, complete = $3,
             first_ts = (SELECT min(ts) FROM records WHERE source_id = $1), last_ts = (SELECT max(ts) FROM records WHERE source_id = $1) WHERE source_id = $1`,
          [id, count, how === 'complete'],
        );
      }
      await database.run('COMMIT');
    },
  };
}

async function replayedEndpoint(database: Database, runId: string, product: string, version: string): Promise<bigint> {
  const id = hash64(runId, product, 'replay');
  await database.run('INSERT INTO endpoints VALUES ($1, $2, $3, $4, $5, $6, $7)', [
    id,
    runId,
    product,
    'replay',
    'replay',
    version,
    'profile',
  ]);
  await database.run("INSERT INTO clocks VALUES ($1, '+00:00', 0, 0, 'simulated', 0, false, '[]', NULL)", [id]);
  return id;
}

async function replayedSource(
  database: Database,
  runId: string,
  product: string,
  layout: string,
  endpoint: bigint,
): Promise<bigint> {
  const id = hash64(endpoint.toString(), layout);
  await database.run(
    `INSERT INTO sources (source_id, endpoint_id, path, layout, layout_evidence, prefix_hash, prefix_bytes, bytes_done, lines, records, continuations, unparsed, complete)
     VALUES ($1, $2, $3, $4, 'replay', '', 0, 0, 0, 0, 0, 0, false)`,
    [id, endpoint, `${runId}/${product}.log`, layout],
  );
  return id;
}

/** Takes a run and everything that belongs to it out of the database. */
export async function dropRun(database: Database, runId: string): Promise<void> {
  const sources = 'SELECT source_id FROM sources JOIN endpoints USING (endpoint_id) WHERE run_id = $1';
  const endpoints = 'SELECT endpoint_id FROM endpoints WHERE run_id = $1';
  await database.transaction(async () => {
    await database.run(`DELETE FROM packed_records WHERE source_id IN (${sources})`, [runId]);
    await database.run(`DELETE FROM clocks WHERE endpoint_id IN (${endpoints})`, [runId]);
    await database.run(`DELETE FROM sources WHERE endpoint_id IN (${endpoints})`, [runId]);
    for (const table of ['bridges', 'endpoints', 'runs'])
      await database.run(`DELETE FROM ${table} WHERE run_id = $1`, [runId]);
  });
}

function toLogRecord(record: SimRecord, lineNo: number, start: number, { nanomq, emqx }: Setup): LogRecord {
  const bridge = record.endpoint === 'bridge';
  const statement = bridge ? renderNanomqStatement(record.event, record.fields ?? {}, nanomq) : null;
  return {
    lineNo,
    byteOffset: 0,
    byteLength: 0,
    continuations: 0,
    ts: start + record.at,
    tsPrecisionUs: 1,
    severity: record.severity,
    thread: null,
    file: statement?.file ?? null,
    line: null,
    func: null,
    tag: null,
    clientId: record.clientId,
    bridgeId: null,
    peer: record.peer,
    event: record.event,
    head: '',
    body: (bridge ? statement?.message : printEmqxBody(record, emqx, 'hidden')) ?? record.event,
    attributes: record.fields,
  };
}
