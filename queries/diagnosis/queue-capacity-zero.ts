/** queue-capacity-zero (NanoMQ D12): max_send_queue_len is absent, so the send queue has room for nothing. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import { hasDefect, releaseMissing } from './defects.ts';
import type { Rule } from './rule.ts';

const TITLE = 'The send queue has no room: max_send_queue_len is not set';

export const queueCapacityZero: Rule = {
  id: 'queue-capacity-zero',
  title: TITLE,
  async evaluate(story) {
    const release = hasDefect(story, 'queue-capacity-zero');
    const lost = story.tally.of('msg_lost_enqueue');
    if (lost.count === 0 || release === 'outside') return null;
    const busy = story.tally.count('aio_busy', 'connected');
    return {
      id: 'queue-capacity-zero',
      title: TITLE,
      certainty: release === 'inside' && story.attribution !== 'ambiguous' ? 'must' : 'may',
      ...about(story, story.sessions),
      first: lost.first,
      last: lost.last,
      count: lost.count,
      summary: `${lost.count} messages found a queue without room ("Message lost while enqueing"), and ${busy} more a busy context while connected.`,
      evidence: [
        ...(await story.clientLines("e.event = 'msg_lost_enqueue'", [], 2)),
        ...(await story.clientLines("e.event = 'bridge_qos_cancelled'", [], 1)),
        ...(await story.clientLines("e.event = 'aio_busy'", [], 1)),
      ],
      ruledOut: [{ id: 'aio-load', why: 'the queue in front of the contexts refuses the first message already' }],
      missing: [
        ...releaseMissing(story, 'queue-capacity-zero'),
        'max_send_queue_len in nanomq.conf (the boot dump does not print it)',
      ],
      advice: adviceFor('queue-capacity-zero', story),
    };
  },
};
