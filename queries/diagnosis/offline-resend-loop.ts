/** offline-resend-loop (NanoMQ D8, 0.24.3 and later): cached QoS 1 and 2 messages circle at full speed while the bridge is down. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import { hasDefect, releaseMissing } from './defects.ts';
import type { Rule } from './rule.ts';

const TITLE = 'Cached messages circle at full speed while the bridge is down';
/** A loop, not a retry: so many lines a second. */
const MIN_RATE = 100;

export const offlineResendLoop: Rule = {
  id: 'offline-resend-loop',
  title: TITLE,
  async evaluate(story) {
    const release = hasDefect(story, 'offline-resend-loop');
    const { count, first, last } = story.tally.of('ctx_cache_flush', 'down');
    if (release === 'outside' || count < 10 * MIN_RATE) return null;
    const rate = count / Math.max(1, (last - first) / 1e6);
    if (rate < MIN_RATE) return null;
    return {
      id: 'offline-resend-loop',
      title: TITLE,
      certainty: story.attribution === 'ambiguous' ? 'may' : 'must',
      ...about(story, []),
      first,
      last,
      count: 1,
      summary: `${count} lines "resending cached msg" in ${Math.round((last - first) / 1e6)} s without a connection: one CPU is spent on it.`,
      evidence: await story.clientLines("e.event = 'ctx_cache_flush' AND e.state = 'down'", [], 3),
      ruledOut: [{ id: 'aio-load', why: 'there is no connection to be loaded' }],
      missing: releaseMissing(story, 'offline-resend-loop'),
      advice: adviceFor('offline-resend-loop', story),
    };
  },
};
