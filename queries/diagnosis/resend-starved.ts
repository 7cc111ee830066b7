/** resend-starved: one message is sent again each tick, so unacknowledged ones hold their contexts long after the outage. */
import { adviceFor } from './advice.ts';
import { backlogged } from './backlog.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';

const TITLE = 'Unacknowledged messages hold their contexts long after the outage: one resend a tick';
const RIVALS = ['stuck-busy', 'receiver-dead', 'queue-capacity-zero', 'aio-leak', 'send-error-stuck'];

export const resendStarved: Rule = {
  id: 'resend-starved',
  title: TITLE,
  async evaluate(story, earlier) {
    if (earlier.some((finding) => RIVALS.includes(finding.id))) return null;
    const cases = backlogged(story);
    if (cases.length === 0) return null;
    const first = cases[0]!;
    const heldS = ((first.last_drop ?? 0) - (first.client_connected ?? 0)) / 1e6;
    const busy = cases.reduce((sum, session) => sum + (session.aio_busy ?? 0), 0);
    return {
      id: 'resend-starved',
      title: TITLE,
      certainty:
        story.levels.clientInfo && story.attribution !== 'ambiguous' && (first.resends ?? 0) >= 3 ? 'must' : 'may',
      ...about(story, cases),
      summary: `Contexts were busy for ${Math.round(heldS)} s after the reconnect and came back with ${first.resends ?? 'the'} resends, one a tick; ${busy} messages were dropped meanwhile.`,
      evidence: [
        ...(await story.clientLines(
          "e.event = 'bridge_connected' AND e.session_no = $3",
          [first.client_session_no ?? 0],
          1,
        )),
        ...(await story.clientLines(
          "e.event = 'aio_busy' AND e.state = 'connected' AND e.session_no = $3",
          [first.client_session_no ?? 0],
          1,
        )),
        ...(await story.clientLines(
          "e.event = 'bridge_resend' AND e.session_no = $3",
          [first.client_session_no ?? 0],
          3,
        )),
      ],
      ruledOut: [
        { id: 'aio-load', why: 'the drops begin with the reconnect and end with the last resend' },
        { id: 'aio-leak', why: 'no cancel timer was set: no message was cancelled' },
      ],
      missing: [],
      advice: adviceFor('resend-starved', story),
    };
  },
};
