/**
 * From joined logs to a cassette: who offered which message when, what the network and the broker did, with which settings.
 *
 * What the lines show is `observed`; what follows from them by the model of the bridge is `inferred` (each entry says by which
 * rule). Nothing here knows the outcome: the replay has to show it again by itself.
 */
import { type BridgeConf, bridgeSettings, type Qos } from '../engine/index.ts';
import {
  analyze,
  type BridgeStory,
  type Database,
  InputError,
  isoTime,
  loadStories,
  UsageError,
} from '../queries/index.ts';
import { CASSETTE_SCHEMA, type Cassette, type Header, type UplinkKnown } from './cassette.ts';
import { type Entry, type EntryBase, inOrder } from './entry.ts';
import { measureIncident } from './incident.ts';
import { rebuildSettings } from './settings.ts';
import { silentTraffic } from './silent-traffic.ts';
import { topicMatches } from './topic-match.ts';
import { visibilityOf } from './visibility.ts';

export interface RebuildOptions {
  readonly runId: string;
  readonly clientId?: string;
  readonly from?: number; // µs since the epoch
  readonly to?: number;
  /** What the user knows better than the logs. */
  readonly nanomq?: string;
  readonly emqx?: string;
  readonly conf?: BridgeConf;
}

/** Messages that fit behind a stuck pipe before the overflow line appears: the send queue of the releases that print it (§1). */
const SEND_QUEUE = 64;
/** QUIC gives up a connection this long after the first unacknowledged packet, unless configured otherwise. */
const DEFAULT_DISCONNECT_TIMEOUT_S = 20;
/** A broker that logs its boot listens about this much later (measured: 0.6 to 1.1 s in the corpus). */
const BOOT_TO_LISTEN_US = 1_000_000;
/** A handshake of this length was answered only when it was sent again: stamps are whole seconds. */
const LONG_HANDSHAKE_US = 3_000_000;
/** How near the estimated start of an outage a line of the broker must be to replace it. */
const OUTAGE_MARK_US = 2_000_000;
/** Taken where no line tells the release. */
const DEFAULT_NANOMQ = '0.23.6';
/** Size of a payload that no line tells. */
const DEFAULT_PAYLOAD_BYTES = 64;

/** Throws UsageError if the run has several bridges and none was named, InputError if there is nothing to rebuild from. */
export async function rebuild(database: Database, options: RebuildOptions): Promise<Cassette> {
  const stories = await loadStories(database, options.runId);
  const story = choose(stories, options.clientId);
  const analysis = await analyze(database, { runId: options.runId, clientId: story.clientId ?? undefined });
  // Two nodes may give their bridges the same name.
  await database.run(
    'CREATE OR REPLACE TEMP TABLE bridge_lines AS SELECT * FROM run_client_states WHERE bridge_id = $1 AND endpoint_id = $2',
    [story.bridgeId, story.endpointId ?? 0n],
  );
  const range = await window(database, story, options);
  const facts = await settingsFacts(database, story);
  const { release, knownBy } =
    options.nanomq === undefined ? bridgeRelease(story) : { release: options.nanomq, knownBy: 'stated' };
  const transport = story.transport ?? 'quic';
  const rebuilt = rebuildSettings({
    ...facts,
    release,
    transport,
    dump: story.settings,
    clientId: story.clientId,
  });
  const causes = analysis.findings.map((finding) => finding.id);
  // No release prints the length of its queues; one without any shows in the lines (D12).
  if (causes.includes('queue-capacity-zero')) {
    rebuilt.settings.maxSendQueueLen = 0;
    rebuilt.origins.maxSendQueueLen = 'inferred';
  }
  const { settings, origins } = withConf(rebuilt, release, transport, options.conf);
  const filters = settings.subscriptions.map((subscription) => subscription.topic);
  const entries = [
    ...(await uplink(database, story, settings.parallel)),
    ...(await downlink(database, story, filters)),
    ...outside(story, await dials(database, story), settings.quicDisconnectTimeoutS),
    ...(await boots(database, story)),
    ...(await refusals(database, story)),
    ...(await redials(database, story)),
    ...(await receiveRaces(database, story)),
  ]
    .filter((entry) => entry.at >= range.from && entry.at <= range.to)
    .map((entry) => ({ ...entry, at: Math.round(entry.at - range.from) }))
    .sort(inOrder);
  const keepalive = settings.keepaliveS;
  const packetLimit = causes.includes('send-error-stuck') ? await refusedSize(database, story, entries) : null;
  const serverKeepalive = facts.keepaliveS !== null && facts.keepaliveS !== keepalive ? facts.keepaliveS : null;
  const visible = await visibilityOf(database, story);
  const header: Header = {
    type: 'header',
    schema: CASSETTE_SCHEMA,
    start: isoTime(range.from) ?? '',
    duration_us: Math.round(range.to - range.from),
    bridge: {
      id: story.bridgeId,
      release,
      release_known_by: knownBy,
      settings,
      origins,
    },
    broker: {
      ...(options.emqx === undefined ? brokerRelease(story) : { release: options.emqx, release_known_by: 'stated' }),
      settings: {
        ...(serverKeepalive === null ? {} : { serverKeepaliveS: serverKeepalive }),
        ...(packetLimit === null ? {} : { maxPacketSize: packetLimit }),
      },
      origins: {
        ...(serverKeepalive === null ? {} : { serverKeepaliveS: 'observed' }),
        ...(packetLimit === null ? {} : { maxPacketSize: 'inferred' }),
      },
    },
    ...(await linkOf(database, story)),
    incident: await measureIncident(database, story, analysis.findings[0]?.id ?? null, visible, range),
    visible,
    uplink: uplinkKnown(story, entries),
  };
  return { header, entries };
}

/**
 * The network at the start. A SUBSCRIBE follows the CONNACK at once, so that the time between the two at the broker is that of the way
 * there and back. What a dial met while the broker was away: an ICMP error names itself in the bridge's log.
 */
async function linkOf(database: Database, story: BridgeStory): Promise<Pick<Header, 'link'>> {
  const [bridge] = await database.all<{ unreachable: number }>(
    `SELECT (count(*) FILTER (ltrim(attributes->>'$.status_hex', '0x') = '71'))::INTEGER AS unreachable
     FROM bridge_lines WHERE bridge_id = $1 AND event = 'quic_shutdown_by_transport'`,
    [story.bridgeId],
  );
  const [broker] = await database.all<{ round_trip_us: number | null }>(
    `SELECT min(epoch_us(next_time) - epoch_us(time)) AS round_trip_us FROM (
       SELECT event, packet, time, lead(time) OVER answers AS next_time, lead(packet) OVER answers AS next_packet
       FROM run_broker_events WHERE client_id = $1 AND event IN ('mqtt_packet_received', 'mqtt_packet_sent')
       WINDOW answers AS (PARTITION BY peer ORDER BY time))
     WHERE packet = 'CONNACK' AND next_packet = 'SUBSCRIBE'`,
    [story.clientId],
  );
  const roundTrip = broker?.round_trip_us ?? 0;
  const link = {
    ...(roundTrip >= SLOW_ROUND_TRIP_US ? { delay_ms: Math.round(roundTrip / 200) / 10 } : {}),
    ...((bridge?.unreachable ?? 0) > 0 ? { broker_down: 'refused' as const } : {}),
  };
  return Object.keys(link).length === 0 ? {} : { link };
}

/** Shorter ones are the time that the two need to answer. */
const SLOW_ROUND_TRIP_US = 10_000;

/** Between the largest message that the broker got and the next larger one that was offered: bytes, or null where none is larger. */
async function refusedSize(database: Database, story: BridgeStory, entries: readonly Entry[]): Promise<number | null> {
  const got = await deliveredOffers(database, story);
  const sizes = (list: readonly Entry[]) => list.flatMap((entry) => (entry.type === 'publish' ? [entry.size] : []));
  const largest = sizes(got).reduce((most, size) => Math.max(most, size), 0);
  const larger = sizes(entries).reduce(
    (least, size) => (size > largest ? Math.min(least, size) : least),
    Number.POSITIVE_INFINITY,
  );
  return largest > 0 && Number.isFinite(larger) ? Math.floor((largest + larger) / 2) : null;
}

type Rebuilt = ReturnType<typeof rebuildSettings>;

/** A configuration file says what no line says; a line that shows the value in force wins over the file. */
function withConf(rebuilt: Rebuilt, release: string, transport: 'quic' | 'tcp', conf: BridgeConf | undefined): Rebuilt {
  if (conf === undefined) return rebuilt;
  const read = bridgeSettings(release, transport, conf).settings;
  const settings: Record<string, unknown> = { ...rebuilt.settings };
  const origins = { ...rebuilt.origins };
  for (const [key, value] of Object.entries(read)) {
    if (key === 'transport' || rebuilt.origins[key] === 'observed') continue;
    if (key === 'subscriptions' && read.subscriptions.length === 0) continue;
    settings[key] = value;
    origins[key] = 'observed';
  }
  return { settings: settings as unknown as Rebuilt['settings'], origins };
}

/** A debug log has a line a message; else there are those that the broker routed and those that were dropped with a line. */
function uplinkKnown(story: BridgeStory, entries: readonly Entry[]): UplinkKnown {
  if (story.tally.count('bridge_forward') > 0 || story.levels.clientDebug) return 'shown';
  if (story.levels.brokerRouted) return 'partly';
  return entries.some((entry) => entry.type === 'publish') ? 'partly' : 'hidden';
}

function choose(stories: readonly BridgeStory[], clientId: string | undefined): BridgeStory {
  const matching = stories.filter((story) => clientId === undefined || story.clientId === clientId);
  const story = matching[0];
  if (story === undefined) {
    throw new InputError(
      'nothing-to-rebuild',
      clientId === undefined ? 'The database holds no bridge.' : `The database holds no client ${clientId}.`,
      {
        hint:
          stories.length > 0
            ? `Clients: ${stories.map((one) => one.clientId).join(', ')}.`
            : "Ingest the bridge's log and the broker's first.",
      },
    );
  }
  if (matching.length > 1) {
    throw new UsageError('several-bridges', `The database holds ${matching.length} bridges.`, {
      hint: `Name one with --client: ${matching.map((one) => one.clientId).join(', ')}.`,
    });
  }
  return story;
}

async function window(
  database: Database,
  story: BridgeStory,
  options: RebuildOptions,
): Promise<{ from: number; to: number }> {
  const rows = await database.all<{ first: number | null; last: number | null }>(
    `SELECT epoch_us(min(first)) AS first, epoch_us(max(last)) AS last FROM (
       SELECT min(time) AS first, max(time) + INTERVAL 1 SECOND AS last FROM bridge_lines WHERE bridge_id = $1
       UNION ALL SELECT min(time), max(time) FROM run_broker_events WHERE client_id = $2)`,
    [story.bridgeId, story.clientId],
  );
  const { first, last } = rows[0] ?? { first: null, last: null };
  if (first === null || last === null)
    throw new InputError('nothing-to-rebuild', 'The database holds no lines of this bridge.', {
      hint: "Ingest the bridge's log or the broker's first.",
    });
  const from = Math.max(first, options.from ?? first);
  const to = Math.min(last, options.to ?? last);
  if (to <= from)
    throw new UsageError('empty-range', 'The range given with --from and --to holds nothing of this bridge.', {
      hint: `Its lines reach from ${isoTime(first)} to ${isoTime(last)}.`,
    });
  return { from, to };
}

async function settingsFacts(database: Database, story: BridgeStory) {
  const [client, control, subscribed] = await Promise.all([
    database.all<{ keepalive_s: number | null; contexts: number }>(
      `SELECT max(TRY_CAST((attributes->>'$.keepalive_ms') AS DOUBLE)) FILTER (event = 'bridge_keepalive_set') / 1000 AS keepalive_s,
         count(DISTINCT (attributes->>'$.ctx_id')) FILTER (event = 'aio_busy')::INTEGER AS contexts
       FROM bridge_lines WHERE bridge_id = $1`,
      [story.bridgeId],
    ),
    database.all<{
      connects: number;
      subscribes: number;
      keepalive_s: number | null;
      protocol: number | null;
      clean_start: boolean | null;
    }>(
      `SELECT (count(*) FILTER (attributes->>'$.packet' = 'CONNECT'))::INTEGER AS connects,
         (count(*) FILTER (attributes->>'$.packet' = 'SUBSCRIBE'))::INTEGER AS subscribes,
         max(TRY_CAST((attributes->>'$.keepalive_s') AS INTEGER)) AS keepalive_s, max(TRY_CAST((attributes->>'$.protocol_version') AS INTEGER)) AS protocol,
         bool_or(TRY_CAST((attributes->>'$.clean_start') AS BOOLEAN)) AS clean_start
       FROM run_broker_events WHERE client_id = $1 AND event = 'mqtt_packet_received'`,
      [story.clientId],
    ),
    database.all<{ filters: string | null }>(
      "SELECT (attributes->>'$.topic_filters') AS filters FROM run_broker_events WHERE client_id = $1 AND (attributes->>'$.packet') = 'SUBSCRIBE' LIMIT 1",
      [story.clientId],
    ),
  ]);
  const seen = control[0];
  const filters = subscribed[0]?.filters;
  return {
    keepaliveS: client[0]?.keepalive_s ?? seen?.keepalive_s ?? null,
    contexts: client[0]?.contexts ? client[0].contexts : null,
    protocol: seen?.protocol ?? null,
    cleanStart: seen?.clean_start ?? null,
    subscribesOnControl: seen === undefined || seen.connects === 0 ? null : seen.subscribes > 0,
    subscriptions: filters ? (JSON.parse(filters) as { topic: string; qos: Qos }[]) : null,
  };
}

/**
 * The file:line marks often leave several releases. Whether messages were parked while the bridge was down tells the older kind
 * from the newer (parking came with 0.23.2), so the end of the range that agrees with the log is taken.
 */
function bridgeRelease(story: BridgeStory): { release: string; knownBy: string } {
  if (story.nanomqReleases === null) return { release: DEFAULT_NANOMQ, knownBy: 'assumed' };
  const parked = story.sessions.some((session) => (session.parked ?? 0) > 0);
  const { from, to } = story.nanomqReleases;
  return {
    release: parked ? to : from,
    knownBy: `${parked ? 'newest' : 'oldest'} that fits the file:line marks of its log (${story.nanomqVersion})`,
  };
}

/** The newest release that fits the log; a current one where nothing tells. */
function brokerRelease(story: BridgeStory): { release: string; release_known_by: string } {
  if (story.emqxReleases === null) return { release: '5.8.9', release_known_by: 'assumed' };
  return {
    release: story.emqxReleases.to.replace('x', '0'),
    release_known_by: `newest that fits the shape of its log lines (${story.emqxVersion})`,
  };
}

interface OfferRow {
  at: number;
  source: string;
  line_no: number;
  topic: string | null;
  qos: number | null;
  size: number | null;
  event: string;
  second_index: number;
  second_count: number;
}

/** Lines stamped with the same second are spread over it in their order. */
const WITHIN_SECOND = `row_number() OVER (PARTITION BY time ORDER BY seq) - 1 AS second_index, count(*) OVER (PARTITION BY time) AS second_count`;

async function uplink(database: Database, story: BridgeStory, contexts: number): Promise<Entry[]> {
  // At debug level each offered message has its line, with QoS and size in the lines of the same thread before it.
  const rows = await database.all<OfferRow>(
    `WITH lines AS (
       SELECT time, precision_us, seq, source, line_no, event, (attributes->>'$.remote_topic') AS topic,
         last_value(CASE WHEN event IN ('publish_decoded', 'publish_topic') THEN TRY_CAST((attributes->>'$.qos') AS INTEGER) END IGNORE NULLS) OVER same_thread AS qos,
         last_value(CASE WHEN event = 'publish_decoded' THEN TRY_CAST((attributes->>'$.remaining_len') AS INTEGER) END IGNORE NULLS) OVER same_thread AS remaining,
         last_value(CASE WHEN event = 'publish_payload' THEN TRY_CAST((attributes->>'$.payload_bytes') AS INTEGER) END IGNORE NULLS) OVER same_thread AS size
       FROM bridge_lines
       WHERE bridge_id = $1 AND event IN ('bridge_forward', 'publish_decoded', 'publish_topic', 'publish_payload')
       WINDOW same_thread AS (PARTITION BY thread ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
     )
     SELECT epoch_us(time) AS "at", source, line_no, topic, qos,
       -- [MQTT-3.3.2] without its line the payload is what is left after topic and packet id
       coalesce(size, greatest(0, remaining - 2 - strlen(topic) - CASE WHEN qos > 0 THEN 2 ELSE 0 END)) AS size, event, ${WITHIN_SECOND}
     FROM lines WHERE event = 'bridge_forward' ORDER BY seq`,
    [story.bridgeId],
  );
  if (rows.length > 0) return rows.map((row) => offer(row, 'observed'));
  const dropped = await droppedOffers(database, story, contexts);
  const delivered = await deliveredOffers(database, story);
  // What the broker routed is what came through; without it the bridge's own lines must tell.
  if (story.levels.brokerRouted) return [...dropped, ...delivered];
  const shown = [...evenly(dropped, story), ...delivered];
  return [...shown, ...(await silentTraffic(database, story, shown))];
}

function offer(row: OfferRow, origin: Entry['origin'], why?: string): Entry {
  return {
    at: row.at + Math.floor(((row.second_index + 0.5) / row.second_count) * 1_000_000),
    type: 'publish',
    topic: row.topic ?? 'bridge/unknown',
    qos: (row.qos ?? 0) as Qos,
    size: row.size ?? DEFAULT_PAYLOAD_BYTES,
    origin,
    source: row.source,
    line: row.line_no,
    ...(why === undefined ? {} : { why }),
  };
}

/** At info and warn level: every line about a dropped or parked message is one message that was offered. */
async function droppedOffers(database: Database, story: BridgeStory, contexts: number): Promise<Entry[]> {
  const rows = await database.all<OfferRow>(
    `SELECT epoch_us(time) AS "at", source, line_no, NULL AS topic, NULL AS qos, NULL AS size, event, ${WITHIN_SECOND}
     FROM bridge_lines
     WHERE bridge_id = $1 AND event IN ('aio_busy', 'cached_msg_lost', 'msg_cached_disconnected', 'bridge_qos0_dropped_disconnected',
       'bridge_qos0_dropped_busy', 'bridge_msg_dropped_already_cached', 'ctx_cache_overwrite', 'msg_lost_enqueue')
     ORDER BY seq`,
    [story.bridgeId],
  );
  const entries = rows.map((row) => offer(row, 'observed'));
  // Behind a stuck pipe the first 64 messages of the free contexts are queued without a line, then each overflow has one.
  for (const session of story.sessions) {
    if (session.client_connected === null || (session.cached_lost ?? 0) === 0) continue;
    const firstLost = rows.find((row) => row.event === 'cached_msg_lost' && row.at >= (session.client_connected ?? 0));
    if (firstLost === undefined) continue;
    const span = firstLost.at - session.client_connected;
    for (let index = 0; index < SEND_QUEUE; index += 1) {
      entries.push({
        at: session.client_connected + Math.floor((span * (index + 0.5)) / SEND_QUEUE),
        type: 'publish',
        topic: 'bridge/unknown',
        qos: 0,
        size: DEFAULT_PAYLOAD_BYTES,
        origin: 'inferred',
        source: firstLost.source,
        line: firstLost.line_no,
        why: `the send queue of ${SEND_QUEUE} filled before this overflow line (${contexts} contexts)`,
      });
    }
  }
  return entries;
}

/**
 * Whole seconds do not tell whether a message came just before or just after a reconnect, and in the replay that decides whether it is
 * parked. From one end of a session to the next the messages are spread evenly over the time from the first to the last of them.
 */
function evenly(offers: readonly Entry[], story: BridgeStory): Entry[] {
  const ends = story.sessions.flatMap((session) => session.client_disconnected ?? session.disconnected ?? []);
  const partOf = (at: number) => ends.filter((end) => end <= at).length;
  const parts = new Map<number, Entry[]>();
  for (const entry of [...offers].sort(inOrder)) {
    const part = partOf(entry.at);
    const known = parts.get(part);
    if (known === undefined) parts.set(part, [entry]);
    else known.push(entry);
  }
  return [...parts.values()].flatMap((part) => {
    const first = part[0]!.at;
    const span = part.at(-1)!.at - first;
    return part.map((entry, index): Entry => {
      const at = part.length === 1 ? first : Math.floor(first + (span * index) / (part.length - 1));
      const why = entry.why ?? 'a line shows it; its time is spread evenly from one end of a session to the next';
      return { ...entry, at, origin: 'inferred', why };
    });
  });
}

/** What the broker routed or received of the bridge was offered just before. */
async function deliveredOffers(database: Database, story: BridgeStory): Promise<Entry[]> {
  const rows = await database.all<{
    at: number;
    source: string;
    line_no: number;
    topic: string | null;
    qos: number | null;
    size: number | null;
  }>(
    `SELECT epoch_us(e.time) AS "at", e.source, e.line_no, (e.attributes->>'$.topic') AS topic, ((e.attributes->>'$.qos'))::INTEGER AS qos,
       ((e.attributes->>'$.payload_bytes'))::INTEGER AS size
     FROM run_broker_events e
     WHERE (e.event = 'publish_routed' AND e.client_id IS NULL) OR (e.event = 'mqtt_packet_received' AND (e.attributes->>'$.packet') = 'PUBLISH' AND e.client_id = $1)
     ORDER BY e.time`,
    [story.clientId],
  );
  return rows.map((row) => ({
    at: row.at,
    type: 'publish' as const,
    topic: row.topic ?? 'bridge/unknown',
    qos: (row.qos ?? 0) as Qos,
    size: row.size ?? DEFAULT_PAYLOAD_BYTES,
    origin: 'observed' as const,
    source: row.source,
    line: row.line_no,
  }));
}

/** What others published at the broker on the topics the bridge subscribes to; else what the broker sent to it. */
async function downlink(database: Database, story: BridgeStory, filters: readonly string[]): Promise<Entry[]> {
  const rows = await database.all<{
    at: number;
    source: string;
    line_no: number;
    topic: string;
    size: number | null;
    qos: number | null;
    routed: boolean;
  }>(
    `SELECT epoch_us(time) AS "at", source, line_no, (attributes->>'$.topic') AS topic, TRY_CAST((attributes->>'$.payload_bytes') AS INTEGER) AS size,
       TRY_CAST((attributes->>'$.qos') AS INTEGER) AS qos, event = 'publish_routed' AS routed
     FROM run_broker_events
     WHERE (event = 'publish_routed' AND client_id IS NOT NULL AND client_id IS DISTINCT FROM $1)
        OR (event = 'mqtt_packet_received' AND (attributes->>'$.packet') = 'PUBLISH' AND client_id IS DISTINCT FROM $1)
        OR (event = 'mqtt_packet_sent' AND (attributes->>'$.packet') = 'PUBLISH' AND client_id = $1)
     ORDER BY time`,
    [story.clientId],
  );
  const wanted = rows.filter((row) => filters.some((filter) => topicMatches(filter, row.topic ?? '')));
  const routed = wanted.filter((row) => row.routed);
  const sent = await database.all<{ line_no: number; source: string }>(
    "SELECT line_no, source FROM run_broker_events WHERE event = 'mqtt_packet_sent' AND (attributes->>'$.packet') = 'PUBLISH' AND client_id = $1",
    [story.clientId],
  );
  const sentKeys = new Set(sent.map((row) => `${row.source}:${row.line_no}`));
  const toBridge = wanted.filter((row) => sentKeys.has(`${row.source}:${row.line_no}`));
  const chosen = routed.length >= toBridge.length ? routed : toBridge;
  const qosByTopic = new Map(wanted.filter((row) => row.qos !== null).map((row) => [row.topic, row.qos]));
  return chosen.map((row) => ({
    at: row.at,
    type: 'downlink' as const,
    topic: row.topic,
    qos: (row.qos ?? qosByTopic.get(row.topic) ?? 0) as Qos,
    size: row.size ?? DEFAULT_PAYLOAD_BYTES,
    origin: 'observed' as const,
    source: row.source,
    line: row.line_no,
  }));
}

interface Dial {
  readonly at: number; // start of the logged second
  readonly source: string;
  readonly line: number;
  readonly failed: number | null; // when it was given up
  readonly stood: number | null; // when it was a connection
  readonly session: number;
}

async function dials(database: Database, story: BridgeStory): Promise<Dial[]> {
  return database.all<Dial & Record<string, never>>(
    `SELECT epoch_us(time) AS "at", source, line_no AS line, session_no AS session,
       CASE WHEN next_event = 'bridge_dial_failed' THEN epoch_us(next_at) END AS failed,
       CASE WHEN next_event = 'bridge_connected' THEN epoch_us(next_at) END AS stood
     FROM (
       SELECT *, lead(event) OVER later AS next_event, lead(time) OVER later AS next_at FROM bridge_lines
       WHERE bridge_id = $1 AND event IN ('quic_dial_begin', 'bridge_dial_failed', 'bridge_connected')
       WINDOW later AS (ORDER BY seq))
     WHERE event = 'quic_dial_begin' ORDER BY seq`,
    [story.bridgeId],
  );
}

/** Outages of the network, rivals and kicks, from how sessions ended. */
function outside(story: BridgeStory, dialed: readonly Dial[], disconnectTimeoutS: number): Entry[] {
  const entries: Entry[] = [];
  const giveUp = (disconnectTimeoutS || DEFAULT_DISCONNECT_TIMEOUT_S) * 1e6;
  const line = (dial: Dial | undefined): Partial<EntryBase> =>
    dial === undefined ? {} : { source: dial.source, line: dial.line };
  const good = dialed.filter((dial) => dial.failed === null);
  const restored = (after: number): { at: number; dial: Dial | undefined } => {
    const dial = good.find((one) => one.at >= after);
    const before = dialed.filter((one) => one.at < (dial?.at ?? after)).at(-1);
    // A handshake that took long began before it could succeed: it was answered when it was sent again.
    if (dial?.stood && dial.stood - dial.at > LONG_HANDSHAKE_US)
      return { at: Math.max(dial.stood - 1_000_000, after), dial };
    // It worked again when the dial that succeeded began; stamps are whole seconds, so a second earlier, but after the last failure.
    return { at: Math.max((dial?.at ?? after) - 1_000_000, (before?.failed ?? after) - 500_000, after), dial };
  };
  const firstConnect = story.sessions.find((session) => session.client_connected !== null)?.client_connected ?? null;
  const early = dialed[0];
  if (early !== undefined && early.failed !== null && firstConnect !== null && early.at < firstConnect) {
    const up = restored(early.failed);
    entries.push({
      at: early.at,
      type: 'network',
      down: true,
      origin: 'inferred',
      why: 'the first dial failed',
      ...line(early),
    });
    entries.push({
      at: up.at,
      type: 'network',
      down: false,
      origin: 'inferred',
      why: 'the next dial succeeded',
      ...line(up.dial),
    });
  }
  for (const session of story.sessions) {
    if (session.client_reason === 'connection_timeout' && session.client_disconnected !== null) {
      const noticed = session.client_disconnected;
      // The bridge stamps whole seconds; the last message that came through is a better mark where the broker logged it near there.
      const estimate = Math.max(noticed + 500_000 - giveUp, session.client_connected ?? 0);
      const through = Math.max(session.last_routed_unnamed ?? 0, session.last_inbound ?? 0);
      const start = Math.abs(through - estimate) < OUTAGE_MARK_US ? through + 50_000 : estimate;
      const up = restored(noticed);
      entries.push({
        at: start,
        type: 'network',
        down: true,
        origin: 'inferred',
        why: `the bridge gave up ${giveUp / 1e6} s after the first unacknowledged packet`,
      });
      entries.push({
        at: up.at,
        type: 'network',
        down: false,
        origin: 'inferred',
        why: 'the next dial succeeded',
        ...line(up.dial),
      });
    }
    if (session.reason === 'broker_restart' && session.disconnected !== null) {
      entries.push({
        at:
          session.client_disconnected === null
            ? session.disconnected
            : Math.max(session.client_disconnected, session.last_inbound ?? 0),
        type: 'broker-stop',
        origin: 'observed',
        why: 'the broker booted again',
      });
    }
    // NanoMQ saw it shut down in order, and no log of the broker tells more.
    if (session.reason === 'broker_shutdown' && session.disconnected !== null) {
      const up = restored(session.disconnected);
      const why = 'the broker closed the connection as at its own end';
      entries.push({ at: session.disconnected, type: 'broker-stop', origin: 'inferred', why });
      if (up.dial !== undefined)
        entries.push({
          at: up.at,
          type: 'broker-start',
          origin: 'inferred',
          why: 'the next dial succeeded',
          ...line(up.dial),
        });
    }
    const kicked = session.reason === 'kicked' ? (session.decided ?? session.disconnected) : null;
    if (kicked !== null) entries.push({ at: kicked, type: 'kick', origin: 'observed' });
    if (
      session.seen_by === 'broker' &&
      story.levels.client &&
      session.connected !== null &&
      takesOver(story, session.connected)
    ) {
      entries.push({
        at: session.connected,
        type: 'rival-connect',
        origin: 'observed',
        why: "a connection of this client id that the bridge's log does not know",
      });
    }
  }
  return entries;
}

function takesOver(story: BridgeStory, connected: number): boolean {
  return story.sessions.some(
    (other) =>
      other.seen_by === 'both' &&
      other.disconnected !== null &&
      Math.abs(other.disconnected - connected) < 6e6 &&
      ['discarded', 'takenover'].includes(other.reason ?? ''),
  );
}

async function boots(database: Database, story: BridgeStory): Promise<Entry[]> {
  const stops = story.sessions.filter((session) => session.reason === 'broker_restart');
  if (stops.length === 0) return [];
  const rows = await database.all<{ at: number; source: string; line_no: number }>(
    `SELECT epoch_us(time) AS "at", source, line_no FROM run_broker_events WHERE event = 'node_boot' ORDER BY time`,
  );
  return rows
    .filter((row) => stops.some((session) => session.disconnected !== null && row.at >= session.disconnected - 2e6))
    .map((row) => ({
      at: row.at + BOOT_TO_LISTEN_US,
      type: 'broker-start' as const,
      origin: 'observed' as const,
      source: row.source,
      line: row.line_no,
    }));
}

/** MQTT 5.0 §3.2.2.2, for the reasons that EMQX logs. */
const REFUSED_WITH: { readonly [reason: string]: number } = {
  not_authorized: 135,
  banned: 138,
  bad_username_or_password: 134,
  clientid_not_valid: 133,
};

/** From the first refused connect on the broker refuses, until shortly before the bridge's next session. */
async function refusals(database: Database, story: BridgeStory): Promise<Entry[]> {
  const rows = await database.all<{ at: number; source: string; line_no: number; reason: string | null }>(
    `SELECT epoch_us(time) AS "at", source, line_no, reason FROM run_broker_events
     WHERE client_id = $1 AND (event = 'authentication_failure'
       OR (event LIKE 'connection_terminat%' AND reason IN ('not_authorized', 'banned', 'bad_username_or_password', 'clientid_not_valid')))
     ORDER BY time`,
    [story.clientId],
  );
  const connects = story.sessions.flatMap((session) =>
    session.connected !== null && (session.open || (session.duration_s ?? 0) >= ACCEPTED_S) ? [session.connected] : [],
  );
  const entries: Entry[] = [];
  let refusing = false;
  for (const row of rows) {
    if (!refusing) {
      entries.push({
        at: Math.max(0, row.at - REFUSED_BEFORE_US),
        type: 'refuse',
        reason_code: REFUSED_WITH[row.reason ?? ''] ?? REFUSED_WITH.not_authorized!,
        origin: 'inferred',
        why: 'the broker logs the refused connect',
        source: row.source,
        line: row.line_no,
      });
    }
    refusing = true;
    const next = rows.find((later) => later.at > row.at)?.at ?? Number.POSITIVE_INFINITY;
    const accepted = connects.find((connect) => connect > row.at + REFUSED_BEFORE_US && connect < next);
    if (accepted === undefined) continue;
    refusing = false;
    entries.push({
      at: accepted - REFUSED_BEFORE_US,
      type: 'refuse',
      reason_code: null,
      origin: 'inferred',
      why: 'the next connect was accepted',
    });
  }
  return entries;
}

/** Some refused connects look like sessions that ended at once (measured §2.12). */
const ACCEPTED_S = 1;
/** A connect is on its way for less than this before the broker logs what it made of it. */
const REFUSED_BEFORE_US = 20_000;

/** How long the bridge waited before each dial: random in the product, so the baseline replays what the log shows. */
async function redials(database: Database, story: BridgeStory): Promise<Entry[]> {
  const rows = await database.all<{ ended: number; dialed: number; source: string; line_no: number }>(
    `SELECT epoch_us(ended) AS ended, epoch_us(time) AS dialed, source, line_no FROM (
       SELECT event, time, source, line_no, seq,
         last_value(CASE WHEN event IN ('bridge_disconnected', 'bridge_dial_failed') THEN time END IGNORE NULLS) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended
       FROM bridge_lines WHERE bridge_id = $1 AND event IN ('bridge_disconnected', 'bridge_dial_failed', 'quic_dial_begin'))
     WHERE event = 'quic_dial_begin' AND ended IS NOT NULL ORDER BY seq`,
    [story.bridgeId],
  );
  const ordered = story.sessions.filter((session) => session.connected !== null);
  return rows.map((row) => {
    // Where the broker saw both ends of the gap its µs are better than the bridge's whole seconds.
    const index = ordered.findIndex(
      (session) => session.client_disconnected === row.ended && session.broker_reason !== null,
    );
    const before = ordered[index];
    const after = ordered[index + 1];
    const exact =
      index >= 0 &&
      before?.disconnected &&
      after?.connected &&
      after.seen_by === 'both' &&
      // A broker at info level logs no connect: the session then has the bridge's whole second.
      after.connected !== after.client_connected &&
      row.dialed - row.ended < 15e6 &&
      before.client_reason !== 'connection_timeout'
        ? after.connected - before.disconnected
        : null;
    return {
      at: row.dialed,
      type: 'choice' as const,
      what: 'redial' as const,
      ms: exact === null ? waitedMs(row.dialed - row.ended) : Math.max(0, Math.round(exact / 1000) - 5),
      origin: 'observed' as const,
      source: row.source,
      line: row.line_no,
    };
  });
}

/** Two stamps of one second may be up to a second apart; no wait at all would be the least likely. */
const WITHIN_ONE_SECOND_MS = 350;

function waitedMs(apartUs: number): number {
  return apartUs < 1e6 ? WITHIN_ONE_SECOND_MS : Math.round(apartUs / 1000);
}

/**
 * At a graceful stop of the broker the bridge can lose its receive and stay dead (measured.md §2.4); the log shows whether it did:
 * a bridge that survived logs its disconnect.
 */
async function receiveRaces(database: Database, story: BridgeStory): Promise<Entry[]> {
  const rows = await database.all<{ at: number; source: string; line_no: number; next: string | null }>(
    `SELECT epoch_us(time) AS "at", source, line_no, next FROM (
       SELECT *, lead(event) OVER (ORDER BY seq) AS next FROM bridge_lines
       WHERE bridge_id = $1 AND (event IN ('bridge_disconnected', 'bridge_connected')
         OR (event = 'quic_shutdown_by_peer' AND TRY_CAST((attributes->>'$.error_code') AS BIGINT) = 0)))
     WHERE event = 'quic_shutdown_by_peer' ORDER BY seq`,
    [story.bridgeId],
  );
  return rows.map((row) => ({
    at: row.at,
    type: 'choice' as const,
    what: 'receive-lost' as const,
    lost: row.next !== 'bridge_disconnected',
    origin: 'observed' as const,
    source: row.source,
    line: row.line_no,
  }));
}
