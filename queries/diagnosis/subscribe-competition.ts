/** subscribe-competition: SUBSCRIBE waits behind ordinary traffic for the one send slot, or behind a lost one. No real log shows it yet. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';

const TITLE = 'SUBSCRIBE waits for the send slot, and nothing comes down meanwhile';
/** Two ticks of the resend timer. */
const MIN_WAIT_S = 10;
const RIVALS = ['stuck-busy', 'receiver-dead', 'send-error-stuck', 'second-bridge-ignored', 'auth-refused'];

export const subscribeCompetition: Rule = {
  id: 'subscribe-competition',
  title: TITLE,
  async evaluate(story, earlier) {
    if (earlier.some((finding) => RIVALS.includes(finding.id)) || !story.levels.clientInfo) return null;
    const waiting = story.sessions.filter((session) => {
      if (session.subscribe_started === null) return false;
      const until = session.suback ?? session.client_disconnected ?? session.last_line;
      const competed = (session.resends ?? 0) + (session.resend_blocked ?? 0) + (session.aio_busy ?? 0) > 0;
      return until !== null && until - session.subscribe_started >= MIN_WAIT_S * 1e6 && competed;
    });
    if (waiting.length === 0) return null;
    return {
      id: 'subscribe-competition',
      title: TITLE,
      certainty: 'may',
      ...about(story, waiting),
      summary: `In ${waiting.length} connection(s) the SUBACK came ${MIN_WAIT_S} s or more after the subscription was asked for, or never.`,
      evidence: [
        ...(await story.clientLines("e.event = 'bridge_subscribe_start'", [], 1)),
        ...(await story.clientLines(
          "e.event IN ('bridge_resend', 'bridge_resend_blocked', 'aio_busy') AND e.state = 'connected'",
          [],
          2,
        )),
        ...(await story.clientLines("e.event = 'bridge_suback_code'", [], 1)),
      ],
      ruledOut: [],
      missing: ['an EMQX trace by client id: when the SUBSCRIBE came in'],
      advice: adviceFor('subscribe-competition', story),
    };
  },
};
