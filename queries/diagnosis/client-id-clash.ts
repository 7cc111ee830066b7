/** client-id-clash: two clients use one client id and take the session from each other. */
import { adviceFor } from './advice.ts';
import { about, MIN_CYCLES } from './conditions.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory, Session } from './story.ts';

const TITLE = 'Another client uses the same client id and takes the session';
const TAKEN = ['discarded', 'takenover', 'takeovered', 'session_taken_over'];

export const clientIdClash: Rule = {
  id: 'client-id-clash',
  title: TITLE,
  async evaluate(story) {
    const taken = story.sessions.filter((session) => TAKEN.includes(session.reason ?? '') && !lostBefore(session));
    // What took it over: a connection of the same client id that the bridge's own log does not know.
    const foreign = story.sessions.filter((session) => session.seen_by === 'broker');
    const told = taken.filter((session) => session.client_reason === 'session_taken_over');
    if (taken.length < MIN_CYCLES) return null;
    // EMQX calls the clean-up after a lost connection `discarded` too; one that it saw idle out shows which it was.
    if (!story.levels.client && story.sessions.some((session) => session.broker_reason === 'connection_idle'))
      return null;
    if (foreign.length === 0 && told.length === 0 && story.levels.client && story.levels.broker) return null;
    const proven =
      story.levels.client &&
      foreign.length >= MIN_CYCLES &&
      told.length > 0 &&
      !story.clockAmbiguous &&
      story.attribution !== 'ambiguous';
    const evidence = [
      ...(await story.clientLines(
        "e.event = 'bridge_disconnect_packet_rx' AND ((e.attributes->>'$.reason_code'))::INTEGER = 142",
        [],
        2,
      )),
      ...(await story.brokerEnds(
        "e.client_id = $2 AND e.event IN ('socket_force_closed', 'connection_terminated', 'connection_terminate_info') AND e.reason IN ('discarded', 'takenover', 'takeovered')",
        [story.clientId ?? ''],
        3,
      )),
      ...(await foreignConnects(story, foreign)),
    ];
    const peers = new Set(story.sessions.map((session) => session.peer).filter(Boolean));
    return {
      id: 'client-id-clash',
      title: TITLE,
      certainty: proven ? 'must' : 'may',
      ...about(story, taken),
      summary: `${taken.length} connections of this client id were taken over, ${foreign.length} connections at the broker are not in the bridge's own log (${peers.size} peer addresses in all).`,
      evidence,
      ruledOut: [
        {
          id: 'quic-idle-timeout',
          why: "the bridge's log shows no idle or timed-out connection before the take-overs",
        },
      ],
      missing: [
        ...(story.levels.client ? [] : ["NanoMQ's log: it tells which of the connections are the bridge's own"]),
        ...(story.levels.broker ? [] : ["EMQX's log: it tells who took the session"]),
      ],
      advice: adviceFor('client-id-clash', story),
    };
  },
};

/** The bridge had already lost the connection and came back: EMQX calls that `discarded` as well (measured.md §2.17). */
function lostBefore(session: Session): boolean {
  return (
    session.client_reason !== null &&
    ['connection_timeout', 'connection_idle', 'transport_error', 'ping_timeout'].includes(session.client_reason)
  );
}

async function foreignConnects(story: BridgeStory, foreign: readonly Session[]) {
  const peer = foreign.find((session) => session.peer !== null)?.peer;
  if (!peer) return [];
  return story.brokerLines(
    "e.client_id = $2 AND e.peer = $3 AND e.event = 'mqtt_packet_received' AND e.packet = 'CONNECT'",
    [story.clientId ?? '', peer],
    1,
  );
}
