/** crash: the process starts again, and its log before that ends without a signal. No real log shows it yet. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';

const TITLE = 'NanoMQ started again without having been stopped';

export const crash: Rule = {
  id: 'crash',
  title: TITLE,
  async evaluate(story) {
    const boots = story.endpointTally.of('conf_dump_started');
    const signals = story.endpointTally.count('broker_signal') + story.endpointTally.count('broker_stopped');
    const unexplained = boots.count - 1 - signals;
    if (!story.levels.clientInfo || boots.count < 2 || unexplained < 1) return null;
    const ended = story.sessions.filter((session) => session.client_reason === 'unlogged');
    return {
      id: 'crash',
      title: TITLE,
      certainty: 'may',
      ...about(story, ended),
      first: boots.first,
      last: boots.last,
      count: unexplained,
      summary: `NanoMQ printed its configuration ${boots.count} times, but logged only ${signals} stop(s).`,
      evidence: await story.endpointLines("e.event IN ('conf_dump_started', 'broker_signal')", [], 4),
      ruledOut: [],
      missing: ["the supervisor's log (systemd, docker) or a core dump: why the process ended"],
      advice: adviceFor('crash', story),
    };
  },
};
