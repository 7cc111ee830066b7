/** broker-unresponsive: the broker's process did nothing for a while, and the bridge's transport gave up. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory, Session } from './story.ts';

const TITLE = 'The broker did not respond for a while';

/** As long as the transport waits for answers; a quiet broker logs at least its keepalive checks in this time. */
const MIN_SILENCE_S = 20;

export const brokerUnresponsive: Rule = {
  id: 'broker-unresponsive',
  title: TITLE,
  async evaluate(story) {
    if (!story.levels.broker) return null;
    const hung = story.sessions.filter((session) => silenceOf(story, session) !== null);
    if (hung.length === 0) return null;
    const silence = silenceOf(story, hung[0]!)!;
    const lengthS = (silence.to - silence.from) / 1e6;
    // A broker that runs would have ended a client it does not hear within 2 × keepalive, or would have logged its packets.
    const proven =
      story.levels.brokerPackets &&
      !story.clockAmbiguous &&
      lengthS > 2 * (hung[0]!.keepalive_s ?? Number.POSITIVE_INFINITY);
    return {
      id: 'broker-unresponsive',
      title: TITLE,
      certainty: proven ? 'must' : 'may',
      ...about(story, hung),
      summary: `The broker logged nothing at all for ${Math.round(lengthS)} s, neither of this client nor of any other, while the bridge waited; then it went on without a restart.`,
      evidence: [
        ...(await story.brokerLines(
          'e.time BETWEEN make_timestamp($2::BIGINT) AND make_timestamp($3::BIGINT)',
          [silence.from - 1e6, silence.from + 1e6],
          1,
        )),
        ...(await story.brokerLines('e.time >= make_timestamp($2::BIGINT)', [silence.to], 1)),
        ...(await story.clientLines("e.event = 'quic_connection_timeout' AND e.state = 'connected'", [], 1)),
      ],
      ruledOut: [
        ...(proven
          ? [
              {
                id: 'transport-loss',
                why: 'a broker that runs would have ended the unheard client by keepalive meanwhile',
              },
            ]
          : []),
        { id: 'broker-restart', why: 'no boot in its log' },
      ],
      missing: proven ? [] : ["EMQX at debug level, or the host's CPU and disk figures of that time"],
      advice: adviceFor('broker-unresponsive', story),
    };
  },
};

/** The broker's silence that ends when, or after, the bridge gave the connection up; none if the broker decided something meanwhile. */
function silenceOf(story: BridgeStory, session: Session) {
  if (session.client_reason !== 'connection_timeout' || session.client_disconnected === null) return null;
  if (session.broker_reason === 'keepalive_timeout' || session.broker_reason === 'broker_restart') return null;
  const end = session.client_disconnected;
  const leastUs = 1e6 * Math.max(MIN_SILENCE_S, session.keepalive_s ?? 0);
  const fits = ({ from, to }: { from: number; to: number }) =>
    to - from >= leastUs && from <= end - 10e6 && to >= end - 2e6 && to <= end + 60e6;
  return story.brokerSilences.find(fits) ?? null;
}
