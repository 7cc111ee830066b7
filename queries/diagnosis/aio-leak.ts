/**
 * aio-leak (NanoMQ D5, all releases): the cancel timer of a message fires while there is no connection, does nothing and is not set
 * again, so the context stays busy after cancel_timeout until the message is sent again and acknowledged.
 */
import { adviceFor } from './advice.ts';
import { backlogged } from './backlog.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';

const TITLE = 'Send contexts stayed busy past cancel_timeout although the bridge was back';

export const aioLeak: Rule = {
  id: 'aio-leak',
  title: TITLE,
  async evaluate(story, earlier) {
    if (earlier.some((finding) => ['stuck-busy', 'receiver-dead', 'queue-capacity-zero'].includes(finding.id)))
      return null;
    // Cancels in the log show that cancel timers are set at all: not with quic_qos_priority=true.
    const cancelled = story.tally.of('bridge_qos_cancelled');
    const cases = cancelled.count === 0 ? [] : backlogged(story);
    if (cases.length === 0) return null;
    const timeoutS = Number(story.settings.cancel_timeout ?? 8000) / 1000;
    const outlived = cases.every((session) => (session.last_drop ?? 0) - cancelled.last > 2 * timeoutS * 1e6);
    if (!outlived) return null;
    const busy = cases.reduce((sum, session) => sum + (session.aio_busy ?? 0), 0);
    return {
      id: 'aio-leak',
      title: TITLE,
      certainty:
        story.levels.clientInfo && story.attribution !== 'ambiguous' && story.settings.cancel_timeout !== undefined
          ? 'must'
          : 'may',
      ...about(story, cases),
      summary: `${busy} messages met busy contexts after the reconnect, long after cancel_timeout (${timeoutS} s); contexts came back one a resend.`,
      evidence: [
        ...(await story.clientLines("e.event = 'bridge_qos_cancelled'", [], 1)),
        ...(await story.clientLines(
          "e.event = 'bridge_connected' AND e.session_no = $3",
          [cases[0]!.client_session_no ?? 0],
          1,
        )),
        ...(await story.clientLines(
          "e.event = 'aio_busy' AND e.state = 'connected' AND e.session_no = $3",
          [cases[0]!.client_session_no ?? 0],
          1,
        )),
        ...(await story.clientLines(
          "e.event = 'bridge_resend' AND e.session_no = $3",
          [cases[0]!.client_session_no ?? 0],
          2,
        )),
      ],
      ruledOut: [
        { id: 'aio-load', why: 'the drops begin with the reconnect and end when the last context is back' },
        { id: 'resend-starved', why: 'cancel timers were set, and should have freed the contexts long before' },
      ],
      missing:
        story.settings.cancel_timeout === undefined
          ? ['cancel_timeout (nanomq.conf, or the boot dump at level info)']
          : [],
      advice: adviceFor('aio-leak', story),
    };
  },
};
