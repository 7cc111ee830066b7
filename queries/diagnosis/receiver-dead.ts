/**
 * receiver-dead (NanoMQ D4, up to 0.23.9): the receive that a dying stream cancelled is not armed again. Acknowledgements, PINGRESP
 * and even the end of the connection are then never seen (measured.md §2.4, §2.5).
 */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import { hasDefect, releaseMissing } from './defects.ts';
import type { Rule } from './rule.ts';
import type { Session } from './story.ts';

const TITLE = 'The bridge no longer receives: its receive was not armed again after a stream died';
/** Sends that fail, or the same message sent again, after the receive was lost. */
const MIN_SIGNS = 3;
const MIN_SECONDS = 15;

export const receiverDead: Rule = {
  id: 'receiver-dead',
  title: TITLE,
  async evaluate(story) {
    const release = hasDefect(story, 'receiver-dead');
    if (release === 'outside' || story.transport === 'tcp' || !story.levels.client) return null;
    if (story.tally.count('bridge_substream_recv_rearmed') > 0) return null;
    const dead = story.sessions.filter(isDead);
    if (dead.length === 0) return null;
    const { recv_cancelled: since } = dead[0]!;
    const heard = dead.some(
      (session) => session.last_ack !== null && session.last_ack > (session.recv_cancelled ?? 0) + 2e6,
    );
    if (heard) return null;
    return {
      id: 'receiver-dead',
      title: TITLE,
      certainty: release === 'inside' && story.attribution !== 'ambiguous' && story.levels.clientInfo ? 'must' : 'may',
      ...about(story, dead),
      first: since,
      last: dead.at(-1)!.client_disconnected ?? dead.at(-1)!.last_line,
      summary: `After "recv error 20" the bridge handled nothing that came in, for the rest of the connection (${Math.round(((story.logEnd ?? since ?? 0) - (since ?? 0)) / 1e6)} s of log).`,
      evidence: [
        ...(await story.clientLines("e.event = 'quic_substream_timeout_close'", [], 1)),
        ...(await story.clientLines("e.event = 'bridge_recv_error' AND (e.attributes->>'$.nng_rv') = '20'", [], 1)),
        ...(await story.clientLines("e.event = 'quic_main_stream_aborted'", [], 1)),
        ...(await story.clientLines(
          "e.event IN ('bridge_send_failed', 'bridge_resend') AND e.state = 'connected' AND e.time >= make_timestamp($3::BIGINT)",
          [since ?? 0],
          2,
        )),
      ],
      ruledOut: [
        { id: 'aio-load', why: 'not slow acknowledgements: none was handled any more' },
        { id: 'stuck-busy', why: 'sends are still tried after the receive was lost' },
      ],
      missing: releaseMissing(story, 'receiver-dead'),
      advice: adviceFor('receiver-dead', story),
    };
  },
};

function isDead(session: Session): boolean {
  if (
    session.recv_cancelled === null ||
    !(session.client_disconnected === null || session.client_reason === 'ping_timeout')
  )
    return false;
  const until = session.client_disconnected ?? session.last_line;
  if (until === null || until - session.recv_cancelled < MIN_SECONDS * 1e6) return false;
  const resentLate = (session.last_resend ?? 0) - session.recv_cancelled >= MIN_SECONDS * 1e6;
  return (
    (session.closed_sends ?? 0) >= MIN_SIGNS ||
    ((session.resends ?? 0) >= MIN_SIGNS && resentLate) ||
    // resends are hidden at warn level, where drops until the end of the log remain
    (session.start_known_by === 'dialled' && (session.last_drop ?? 0) - session.recv_cancelled >= 60e6) ||
    session.client_reason === 'ping_timeout'
  );
}
