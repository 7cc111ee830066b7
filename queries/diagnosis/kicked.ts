/** kicked: an administrator, a rule or a script at the broker ended the connection. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';

const TITLE = 'The broker ended the connection by an administrative action';
const KICKED = ['kicked', 'administrative_action'];

export const kicked: Rule = {
  id: 'kicked',
  title: TITLE,
  async evaluate(story) {
    const ended = story.sessions.filter(
      (session) => KICKED.includes(session.broker_reason ?? '') || KICKED.includes(session.client_reason ?? ''),
    );
    if (ended.length === 0) return null;
    // A bridge sees DISCONNECT 152 in a part of the cases only: the stream's end often overtakes it.
    const alike = story.levels.broker
      ? []
      : story.sessions.filter((session) => !ended.includes(session) && session.client_reason === 'peer_fin');
    return {
      id: 'kicked',
      title: TITLE,
      certainty: 'must',
      ...about(story, ended),
      summary:
        `${ended.length} connection(s) were ended by an administrative action.` +
        (alike.length > 0 ? ` ${alike.length} more ended without a reason in NanoMQ's log.` : ''),
      evidence: [
        ...(await story.brokerEnds("e.client_id = $2 AND e.reason = 'kicked'", [story.clientId ?? ''], 2)),
        ...(await story.clientLines(
          "e.event = 'bridge_disconnect_packet_rx' AND ((e.attributes->>'$.reason_code'))::INTEGER = 152",
          [],
          2,
        )),
      ],
      ruledOut: [
        { id: 'keepalive-cycle-undetermined', why: 'the reason given is an administrative action, not the keepalive' },
      ],
      missing: story.levels.broker ? [] : ["EMQX's log or audit log: it tells who asked for it"],
      advice: adviceFor('kicked', story),
    };
  },
};
