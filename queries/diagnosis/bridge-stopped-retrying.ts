/** bridge-stopped-retrying: the connection is gone, the process runs, and no further dial is tried. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory } from './story.ts';

const TITLE = 'The bridge lost its connection and dials no more';
/** Longer than any back-off of the sample settings (5 s) with a handshake time-out (20 s); a longer backoff_max adds to it. */
const MIN_SILENCE_S = 60;

/** Lines of a bridge that dials, or whose connection stands. */
const SIGNS_OF_LIFE = [
  'quic_dial_begin',
  'quic_connecting',
  'quic_no_tls_credentials',
  'quic_connected',
  'quic_stream_started',
  'bridge_reconnect_backoff',
  'bridge_dial_failed',
  'bridge_connected',
  'bridge_keepalive_set',
  'ping_sent',
  'bridge_acked',
  'quic_data_received',
];

export const bridgeStoppedRetrying: Rule = {
  id: 'bridge-stopped-retrying',
  title: TITLE,
  async evaluate(story) {
    if (!story.levels.client || story.logEnd === null) return null;
    const lost = lostAt(story);
    if (lost === null) return null;
    const backoffS = Number(story.settings.backoff_max ?? 0) || 0;
    const idleS = (story.logEnd - lost) / 1e6;
    if (idleS < MIN_SILENCE_S + 2 * backoffS) return null;
    const session = story.sessions.at(-1);
    return {
      id: 'bridge-stopped-retrying',
      title: TITLE,
      certainty: story.levels.clientInfo && story.attribution !== 'ambiguous' ? 'must' : 'may',
      ...about(story, session === undefined ? [] : [session]),
      first: lost,
      last: story.logEnd,
      summary: `The connection was lost, and in the ${Math.round(idleS)} s until the end of the log no dial followed.`,
      evidence: [
        ...(await story.clientLines(
          "e.event IN ('quic_main_stream_aborted', 'quic_shutdown_by_peer', 'quic_shutdown_by_transport', 'bridge_disconnected') AND e.time >= make_timestamp($3::BIGINT)",
          [lost - 2e6],
          2,
        )),
        ...(await story.clientLines(
          "e.event = 'bridge_send_failed' AND e.time >= make_timestamp($3::BIGINT)",
          [lost],
          1,
        )),
      ],
      ruledOut: [{ id: 'transport-loss', why: 'a bridge without a path dials again and again' }],
      missing: story.levels.clientInfo ? [] : ['NanoMQ at level info: each dial is a line there'],
      advice: adviceFor('bridge-stopped-retrying', story),
    };
  },
};

/** When the last connection was lost with no dial after it; null if it stands or a dial followed. */
function lostAt(story: BridgeStory): number | null {
  const { tally } = story;
  const lost = Math.max(
    tally.of('quic_main_stream_aborted').last,
    tally.of('quic_connection_timeout').last,
    tally.of('bridge_disconnected').last,
  );
  if (lost === Number.NEGATIVE_INFINITY) return null;
  const alive = Math.max(...SIGNS_OF_LIFE.map((event) => tally.of(event).last));
  // A process that was told to stop dials no more.
  const stopped = story.endpointTally.of('broker_signal').last;
  if (stopped >= lost && stopped - lost < MIN_SILENCE_S * 1e6) return null;
  return alive >= lost - 1e6 ? null : lost;
}
