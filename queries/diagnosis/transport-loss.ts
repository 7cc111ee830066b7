/** transport-loss: packets or the connection were lost on the way; a keepalive timeout there is a consequence. */
import { adviceFor } from './advice.ts';
import { about, MAX_HANDSHAKE_S } from './conditions.ts';
import type { Finding } from './finding.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory, Session } from './story.ts';

const TITLE = 'The network lost packets or the connection';
const LOST = ['connection_timeout', 'transport_error'];
/** Drops that a slow path explains. */
const MIN_DROPS = 100;

export const transportLoss: Rule = {
  id: 'transport-loss',
  title: TITLE,
  async evaluate(story, earlier) {
    const found = (id: string) => earlier.some((finding) => finding.id === id);
    const lost = story.sessions.filter(
      (session) => isLost(story, session) && !['broker_restart', 'broker_shutdown'].includes(session.reason ?? ''),
    );
    // A broker that is killed looks the same from the bridge, so a known restart explains what only the bridge saw.
    if (
      lost.length > 0 &&
      !found('receiver-dead') &&
      !(found('broker-restart') && lost.every((session) => !aliveAtBroker(story, session)))
    )
      return byEnds(story, lost, found('broker-unresponsive'));
    return lost.length === 0 && earlier.length === 0 ? bySlowPath(story) : null;
  },
};

function isLost(story: BridgeStory, session: Session): boolean {
  if (LOST.includes(session.client_reason ?? '')) return true;
  return story.transport === 'tcp' && session.client_reason === 'ping_timeout';
}

/** The broker ended this client by its keepalive: it was running and heard nothing. */
function aliveAtBroker(story: BridgeStory, session: Session): boolean {
  return story.levels.broker && session.broker_reason === 'keepalive_timeout';
}

async function byEnds(story: BridgeStory, lost: readonly Session[], unresponsive: boolean): Promise<Finding> {
  const proven =
    !unresponsive &&
    lost.some((session) => aliveAtBroker(story, session)) &&
    !story.clockAmbiguous &&
    story.attribution !== 'ambiguous';
  return {
    id: 'transport-loss',
    title: TITLE,
    certainty: proven ? 'must' : 'may',
    ...about(story, lost),
    summary: `The bridge's transport gave up ${lost.length} connection(s) for want of answers${proven ? ', while the broker ran and ended them by keepalive' : ''}.`,
    evidence: await story.clientLines(
      "e.event IN ('quic_connection_timeout', 'quic_shutdown_by_transport', 'bridge_ping_timeout') AND e.state = 'connected'",
      [],
      3,
    ),
    ruledOut: proven ? [{ id: 'broker-unresponsive', why: 'the broker itself decided the end meanwhile' }] : [],
    missing: proven ? [] : ["EMQX's log of the same time: it tells whether the broker ran"],
    advice: adviceFor('transport-loss', story),
  };
}

/** No disconnect, but even the quickest handshake took seconds, and acknowledgements are as slow. */
async function bySlowPath(story: BridgeStory): Promise<Finding | null> {
  const drops = story.sessions.reduce((sum, session) => sum + (session.drops ?? 0), 0);
  const { handshakeS } = story;
  if (handshakeS === null || handshakeS < MAX_HANDSHAKE_S || drops < MIN_DROPS) return null;
  return {
    id: 'transport-loss',
    title: TITLE,
    certainty: 'may',
    ...about(story, story.sessions),
    summary: `The QUIC handshake took ${handshakeS} s at best; acknowledgements that slow hold the send contexts (${drops} messages dropped).`,
    evidence: await story.clientLines("e.event IN ('quic_connecting', 'quic_connected', 'aio_busy')", [], 3),
    ruledOut: [{ id: 'stuck-busy', why: 'acknowledgements go on' }],
    missing: ['loss and delay of the path (ping, or QUIC statistics of the host)'],
    advice: adviceFor('transport-loss', story),
  };
}
