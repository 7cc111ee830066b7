/**
 * send-error-stuck (NanoMQ D6, D7, 0.23.10 and later): a send that fails in an unexpected way, as for a message larger than the
 * broker's maximum packet size, leaves the pipe marked busy.
 */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import { hasDefect, releaseMissing } from './defects.ts';
import type { Rule } from './rule.ts';
import type { Session } from './story.ts';

const TITLE = 'A send that failed left the pipe marked busy: nothing goes out until the broker disconnects';

export const sendErrorStuck: Rule = {
  id: 'send-error-stuck',
  title: TITLE,
  async evaluate(story, earlier) {
    const release = hasDefect(story, 'send-error-stuck');
    if (release === 'outside' || story.transport === 'tcp' || earlier.some((finding) => finding.id === 'receiver-dead'))
      return null;
    const stuck = story.sessions.filter((session) => isStuck(session, release === 'inside'));
    if (stuck.length === 0) return null;
    const ended = stuck.filter((session) => session.reason === 'keepalive_timeout').length;
    return {
      id: 'send-error-stuck',
      title: TITLE,
      certainty:
        release === 'inside' && ended > 0 && story.levels.clientInfo && story.attribution !== 'ambiguous'
          ? 'must'
          : 'may',
      ...about(story, stuck),
      summary: `${stuck.length} connection(s) sent nothing ordinary after a send had failed with an unexpected code; the broker ended ${ended} of them by keepalive.`,
      evidence: [
        ...(await story.clientLines("e.event = 'bridge_server_max_packet'", [], 1)),
        ...(await story.clientLines(
          "e.event IN ('bridge_send_failed', 'quic_stream_send_failed') AND e.state = 'connected'",
          [],
          2,
        )),
        ...(await story.clientLines("e.event = 'bridge_disconnected'", [], 1)),
      ],
      ruledOut: [
        { id: 'stuck-busy', why: 'nothing was parked before; the failed send comes first' },
        { id: 'keepalive-receive-reset', why: 'the silence begins with the failed send' },
      ],
      missing: releaseMissing(story, 'send-error-stuck'),
      advice: adviceFor('send-error-stuck', story),
    };
  },
};

/** The odd failure came while connected, no PINGREQ after it, and the broker ended it (or, where the release is known to have the defect, it still stands). */
function isStuck(session: Session, hasDefect: boolean): boolean {
  if (session.odd_send_error === null) return false;
  if (session.last_ping !== null && session.last_ping > session.odd_send_error) return false;
  return (
    (session.open && hasDefect) ||
    ['keepalive_timeout', 'peer_fin', 'peer_close', 'unknown'].includes(session.reason ?? '')
  );
}
