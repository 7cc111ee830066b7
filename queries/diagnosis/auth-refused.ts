/**
 * auth-refused: the broker refuses the bridge's CONNECT (credentials, ACL, ban). NanoMQ never logs the reason, and logs a part of
 * the refusals as `connected` and at once `disconnected` (measured.md §2.12): only the broker tells.
 */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Finding } from './finding.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory } from './story.ts';

const TITLE = 'The broker refuses the connection';
/** Reasons with which EMQX ends a connection that it refused. */
const REFUSALS = [
  'not_authorized',
  'banned',
  'bad_username_or_password',
  'clientid_not_valid',
  'bad_clientid_or_password',
];
/** One refusal may be an accident of a restart. */
const MIN_REFUSALS = 2;
/** Dials that stand and end at once, in the bridge's log alone. */
const MIN_SHORT = 3;

export const authRefused: Rule = {
  id: 'auth-refused',
  title: TITLE,
  async evaluate(story) {
    const refused = Math.max(
      story.atBroker.count('authentication_failure'),
      ...REFUSALS.map((reason) => story.atBroker.of(`end ${reason}`).count / 2),
    );
    if (refused >= MIN_REFUSALS) return byBroker(story, Math.round(refused));
    // The refusals of a bridge whose id its own log does not tell belong to the only client that was refused.
    return story.levels.broker && story.clientId !== null ? null : byBridge(story);
  },
};

async function byBroker(story: BridgeStory, refused: number): Promise<Finding> {
  const spans = ['authentication_failure', ...REFUSALS.map((reason) => `end ${reason}`)].map((event) =>
    story.atBroker.of(event),
  );
  const first = Math.min(...spans.map((span) => span.first));
  const last = Math.max(...spans.map((span) => span.last));
  return {
    id: 'auth-refused',
    title: TITLE,
    certainty: 'must',
    ...about(story, []),
    first,
    last,
    count: refused,
    summary: `The broker refused this client ${refused} time(s).`,
    evidence: await story.brokerLines(
      `e.client_id = $2 AND (e.event = 'authentication_failure' OR e.reason IN (${REFUSALS.map((reason) => `'${reason}'`).join(', ')}))`,
      [story.clientId ?? ''],
      3,
    ),
    ruledOut: [{ id: 'transport-loss', why: 'the broker answered, with a refusal' }],
    missing: [],
    advice: adviceFor('auth-refused', story),
  };
}

/** Connections that stood and were finished by the broker within a second or two, again and again. */
async function byBridge(story: BridgeStory): Promise<Finding | null> {
  if (story.transport === 'tcp' || !story.levels.client) return null;
  const refused = story.tally.count('bridge_negotiation_failed');
  const short = story.sessions.filter(
    (session) =>
      session.start_known_by === 'logged' && (session.duration_s ?? 99) <= 1.5 && session.client_reason === 'peer_fin',
  ).length;
  const fins = story.tally.count('quic_fin_received') - story.sessions.length;
  const attempts = story.levels.clientInfo ? refused + short : fins;
  if (attempts < MIN_SHORT) return null;
  const span = story.tally.of('quic_fin_received');
  return {
    id: 'auth-refused',
    title: TITLE,
    certainty: 'may',
    ...about(story, []),
    first: span.first,
    last: span.last,
    count: attempts,
    summary: `${attempts} connections stood and were finished by the broker at once, before or with their CONNACK.`,
    evidence: await story.clientLines(
      "e.event IN ('bridge_negotiation_failed', 'quic_fin_received') AND e.state = 'down'",
      [],
      3,
    ),
    ruledOut: [{ id: 'transport-loss', why: 'the handshake succeeded and the broker closed the stream in order' }],
    missing: ["EMQX's log (level warning is enough): NanoMQ's never says why a CONNECT was refused"],
    advice: adviceFor('auth-refused', story),
  };
}
