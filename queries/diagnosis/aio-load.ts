/** aio-load: more messages come in than acknowledgements release send contexts for; the connection itself is fine. */
import { adviceFor } from './advice.ts';
import { about, seconds } from './conditions.ts';
import type { Rule } from './rule.ts';
import type { Session } from './story.ts';

const TITLE =
  'More messages come in than the bridge can hand over: send contexts are busy with unacknowledged messages';
/** Below this share of messages dropped by busy contexts the drops are bursts, not a lasting overload. */
const MIN_SHARE = 0.4;
const MIN_SECONDS = 20;
/** Where the number of messages offered is not known, fewer drops a second than this say nothing. */
const MIN_RATE = 10;
/** Drops that begin this soon after a reconnect belong to the backlog of the outage. */
const BACKLOG_S = 3;

/** Findings that explain busy contexts by themselves. */
const EXPLAIN_DROPS = [
  'stuck-busy',
  'receiver-dead',
  'queue-capacity-zero',
  'send-error-stuck',
  'aio-leak',
  'resend-starved',
];

export const aioLoad: Rule = {
  id: 'aio-load',
  title: TITLE,
  async evaluate(story, earlier) {
    if (earlier.some((finding) => EXPLAIN_DROPS.includes(finding.id))) return null;
    const loaded = story.sessions.filter(
      (session, index) => isOverloaded(session) && !isBacklog(story.sessions, index),
    );
    if (loaded.length === 0) return null;
    const healthy = loaded.every((session) => session.reason !== 'keepalive_timeout' && (session.pings ?? 0) > 0);
    const shares = loaded.map(busyShare);
    const known = shares.every((share) => share !== null);
    const busy = loaded.reduce((sum, session) => sum + (session.aio_busy ?? 0), 0);
    const evidence = [
      ...(await story.clientLines("e.event = 'aio_busy' AND e.state = 'connected'", [], 3)),
      ...(await story.clientLines("e.event = 'ping_sent' AND e.state = 'connected'", [], 2)),
    ];
    const contexts = story.settings.parallel;
    return {
      id: 'aio-load',
      title: TITLE,
      certainty: healthy && known && story.attribution !== 'ambiguous' ? 'must' : 'may',
      ...about(story, loaded),
      summary: `${busy} messages met a busy send context while connected${known ? ` (${Math.round(100 * Math.max(...shares.map((share) => share ?? 0)))} % of those offered)` : ''}; the connection stayed up.`,
      evidence,
      ruledOut: healthy ? [{ id: 'stuck-busy', why: 'PINGREQ was sent and answered while messages were dropped' }] : [],
      missing: [
        ...(known ? [] : ['how many messages were offered (NanoMQ debug level, or EMQX publish_to lines)']),
        ...(contexts === undefined ? ['system.parallel (boot dump at info level)'] : []),
      ],
      advice: adviceFor('aio-load', story),
    };
  },
};

function isOverloaded(session: Session): boolean {
  const busy = session.aio_busy ?? 0;
  if (busy === 0 || session.first_drop === null || session.last_drop === null || (session.enqueue_lost ?? 0) > 0)
    return false;
  if (seconds(session.last_drop - session.first_drop) < MIN_SECONDS || session.reason === 'keepalive_timeout')
    return false;
  const share = busyShare(session);
  return share === null ? busy / seconds(session.last_drop - session.first_drop) >= MIN_RATE : share >= MIN_SHARE;
}

/**
 * Drops that start with the reconnect come from the messages the outage left unacknowledged, which hold their contexts until they
 * are resent one by one (nanomq-bridge-model §3.2); unless it was already like that before.
 */
function isBacklog(sessions: readonly Session[], index: number): boolean {
  const session = sessions[index]!;
  if (index === 0 || session.first_drop === null || session.client_connected === null) return false;
  if (seconds(session.first_drop - session.client_connected) > BACKLOG_S) return false;
  return !sessions.slice(0, index).some(isOverloaded);
}

/** Dropped by busy contexts / offered; from the bridge's debug lines, else from what the broker routed or received. */
function busyShare(session: Session): number | null {
  const busy = session.aio_busy ?? 0;
  if ((session.forwards ?? 0) > 0) return busy / (session.forwards ?? 1);
  // An acknowledgement is a message that got through; at info level some releases log each.
  const through = Math.max(session.routed_unnamed + inboundPublishes(session), session.acks ?? 0);
  return through > 0 ? busy / (busy + through) : null;
}

function inboundPublishes(session: Session): number {
  const entry = (session.packets_in as { key: string; value: number }[] | null)?.find?.((one) => one.key === 'PUBLISH');
  return entry?.value ?? 0;
}
