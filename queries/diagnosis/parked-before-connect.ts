/** parked-before-connect (NanoMQ D3b, 0.23.2–0.23.9): messages published while the bridge is down occupy send contexts, QoS 0 too. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import { hasDefect, releaseMissing } from './defects.ts';
import type { Rule } from './rule.ts';

const TITLE = 'Messages published while the bridge was down occupied its send contexts';

export const parkedBeforeConnect: Rule = {
  id: 'parked-before-connect',
  title: TITLE,
  async evaluate(story) {
    // Later releases park QoS 1 and 2 only, as they should; where the release is open nothing tells which it was.
    if (story.transport === 'tcp' || hasDefect(story, 'parked-before-connect') !== 'inside') return null;
    const { count, first, last } = story.tally.of('msg_cached_disconnected');
    if (count === 0) return null;
    const busy = story.tally.count('aio_busy', 'down');
    return {
      id: 'parked-before-connect',
      title: TITLE,
      certainty: story.attribution === 'ambiguous' ? 'may' : 'must',
      ...about(
        story,
        story.sessions.filter((session) => (session.parked ?? 0) > 0),
      ),
      first,
      last,
      count,
      summary: `${count} message(s) were parked while the bridge was down; ${busy} more met a busy context and were dropped meanwhile.`,
      evidence: await story.clientLines("e.event = 'msg_cached_disconnected'", [], 3),
      ruledOut: [],
      missing: releaseMissing(story, 'parked-before-connect'),
      advice: adviceFor('parked-before-connect', story),
    };
  },
};
