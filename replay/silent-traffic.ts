/**
 * Messages that went up without a line of their own, from what the lines do say: acknowledgements, the counters of later releases'
 * PINGREQ lines, and the rate at which the bridge dropped messages before and after. Each entry says by which rule it was made.
 */
import type { Qos } from '../engine/index.ts';
import type { BridgeStory, Database, Session } from '../queries/index.ts';
import type { Entry } from './entry.ts';
import { ASSUMED_UPLINK } from './offered.ts';

/** More than so many a second is a counter that was read wrongly. */
const RATE_MAX = 10_000;
/** A connection shorter than this says nothing about a rate. */
const MIN_SESSION_S = 5;

/** `shown`: what has entries already; `filled` is only made of what it leaves. */
export async function silentTraffic(
  database: Database,
  story: BridgeStory,
  shown: readonly Entry[],
): Promise<readonly Entry[]> {
  const acked = await ackedOffers(database, story);
  const counted = await countedOffers(database, story, acked.length > 0);
  const known = [...acked, ...counted];
  return known.length > 0 ? known : steadyOffers(story, shown);
}

/** An acknowledgement at info level is a message with QoS that came through. */
async function ackedOffers(database: Database, story: BridgeStory): Promise<Entry[]> {
  const rows = await database.all<{ at: number; source: string; line: number; index: number; among: number }>(
    `SELECT epoch_us(time) AS "at", source, line_no AS line,
       row_number() OVER (PARTITION BY time ORDER BY seq) - 1 AS "index", count(*) OVER (PARTITION BY time) AS among
     FROM bridge_lines WHERE bridge_id = $1 AND event = 'bridge_acked' ORDER BY seq`,
    [story.bridgeId],
  );
  return rows.map(({ at, source, line, index, among }) =>
    message(at + Math.floor(((index + 0.5) / among) * 1e6), 1, `its acknowledgement`, { source, line }),
  );
}

interface Ping {
  readonly at: number;
  readonly source: string;
  readonly line: number;
  readonly qos: number | null;
  readonly qos0: number | null;
}

/** The counters are of the whole process: with one bridge they are its own. */
async function countedOffers(database: Database, story: BridgeStory, acksKnown: boolean): Promise<Entry[]> {
  if (story.siblings.length > 1) return [];
  const pings = await database.all<Ping & Record<string, never>>(
    `SELECT epoch_us(time) AS "at", source, line_no AS line,
       TRY_CAST((attributes->>'$.qos_sent') AS INTEGER) AS qos, TRY_CAST((attributes->>'$.qos0_sent') AS INTEGER) AS qos0
     FROM bridge_lines WHERE bridge_id = $1 AND event = 'ping_sent' ORDER BY seq`,
    [story.bridgeId],
  );
  const entries: Entry[] = [];
  for (const [index, ping] of pings.entries()) {
    const before = pings[index - 1];
    const from = before?.at ?? story.sessions.find((session) => session.client_connected !== null)?.client_connected;
    if (from === undefined || from === null || ping.qos0 === null) continue;
    entries.push(...spread(from, ping, ping.qos0 - (before?.qos0 ?? 0), 0));
    if (!acksKnown && ping.qos !== null) entries.push(...spread(from, ping, ping.qos - (before?.qos ?? 0), 1));
  }
  return entries;
}

function spread(from: number, { at, source, line }: Ping, count: number, qos: Qos): Entry[] {
  // The counters begin anew with the process.
  if (count <= 0 || count > RATE_MAX * ((at - from) / 1e6)) return [];
  return Array.from({ length: count }, (_, index) =>
    message(from + Math.floor(((index + 0.5) / count) * (at - from)), qos, 'the counters of the next PINGREQ', {
      source,
      line,
    }),
  );
}

/**
 * A bridge that drops what it is offered shows the rate at which it is offered it. Where it was connected and dropped nothing, it is
 * taken to have been offered as much.
 */
function steadyOffers(story: BridgeStory, shown: readonly Entry[]): Entry[] {
  const offers = shown.filter((entry) => entry.type === 'publish').map((entry) => entry.at);
  const within = (session: Session) => {
    const [from, to] = spanOf(session, story);
    return offers.filter((at) => at >= from && at < to).length;
  };
  const lived = story.sessions.filter((session) => {
    const [from, to] = spanOf(session, story);
    return session.client_connected !== null && to - from >= MIN_SESSION_S * 1e6;
  });
  const rates = lived
    .filter((session) => (session.drops ?? 0) > 0)
    .map((session) => {
      const [from, to] = spanOf(session, story);
      return within(session) / ((to - from) / 1e6);
    })
    .sort((left, right) => left - right);
  const rate = rates[Math.floor(rates.length / 2)];
  if (rate === undefined || rate <= 0 || rate > RATE_MAX) return [];
  const why = `the rate at which it was offered messages while it dropped them (${rate.toFixed(1)} a second)`;
  return lived
    .filter((session) => within(session) === 0)
    .flatMap((session) => {
      const [from, to] = spanOf(session, story);
      const count = Math.floor(rate * ((to - from) / 1e6));
      return Array.from({ length: count }, (_, index) =>
        message(from + Math.floor(((index + 0.5) * 1e6) / rate), 0, why),
      );
    });
}

function spanOf(session: Session, story: BridgeStory): [number, number] {
  const from = session.client_connected ?? 0;
  return [from, session.client_disconnected ?? session.last_line ?? story.logEnd ?? from];
}

function message(at: number, qos: Qos, why: string, place: { source?: string; line?: number } = {}): Entry {
  return { at, type: 'publish', ...ASSUMED_UPLINK, qos, origin: 'inferred', ...place, why };
}
