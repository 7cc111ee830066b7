/** quic-idle-timeout: nothing went over the QUIC connection for the idle timeout, since its keepalive interval is not below it. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';

const TITLE = 'The QUIC connection idles out: its keepalive interval is not below the idle timeout';

export const quicIdleTimeout: Rule = {
  id: 'quic-idle-timeout',
  title: TITLE,
  async evaluate(story) {
    if (story.transport === 'tcp') return null;
    const ended = story.sessions.filter(
      (session) => session.client_reason === 'connection_idle' || session.broker_reason === 'connection_idle',
    );
    if (ended.length === 0) return null;
    const keepalive = seconds(story.settings.quic_keepalive);
    const idle = seconds(story.settings.qidle_timeout ?? story.settings.quic_idle_timeout);
    const known = keepalive !== null && idle !== null && idle > 0;
    if (known && keepalive > 0 && keepalive < idle) return null; // PINGs were sent, so the path swallowed them
    const told = ended.some((session) => session.client_reason === 'connection_idle');
    return {
      id: 'quic-idle-timeout',
      title: TITLE,
      certainty: known && told ? 'must' : 'may',
      ...about(story, ended),
      summary: `${ended.length} connection(s) idled out${known ? `: a QUIC PING each ${keepalive} s, an idle timeout of ${idle} s` : ''}.`,
      evidence: [
        ...(await story.clientLines(
          "e.event = 'conf_bridge' AND (e.attributes->>'$.key') IN ('quic_keepalive', 'qidle_timeout')",
          [],
          2,
        )),
        ...(await story.clientLines("e.event = 'quic_idle_timeout'", [], 2)),
        ...(await story.brokerEnds("e.client_id = $2 AND e.reason = 'connection_idle'", [story.clientId ?? ''], 2)),
      ],
      ruledOut: told
        ? [
            {
              id: 'client-id-clash',
              why: 'the connection had idled out before its session was discarded; EMQX calls the clean-up `discarded` (no second client)',
            },
          ]
        : [],
      missing: [
        ...(known ? [] : ['quic_keepalive and quic_idle_timeout (nanomq.conf, or the boot dump at level info)']),
        ...(told ? [] : ["NanoMQ's log: `Connection shutdown on idle`"]),
      ],
      advice: adviceFor('quic-idle-timeout', story),
    };
  },
};

function seconds(value: unknown): number | null {
  const parsed = Number(value);
  return value === undefined || value === null || Number.isNaN(parsed) ? null : parsed;
}
