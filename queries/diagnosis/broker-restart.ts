/** broker-restart: the broker went away and came back; the disconnect is a consequence. */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Rule } from './rule.ts';

const TITLE = 'The broker was stopped and started again';

export const brokerRestart: Rule = {
  id: 'broker-restart',
  title: TITLE,
  async evaluate(story) {
    const ended = story.sessions.filter(
      (session) => session.reason === 'broker_restart' || session.reason === 'broker_shutdown',
    );
    if (ended.length === 0) return null;
    const seenBooting = ended.some((session) => session.reason === 'broker_restart');
    // Without lines of the client shortly before the boot its connection may have ended long before, unseen.
    const heardUntilThen = ended.some(
      (session) =>
        session.reason === 'broker_restart' &&
        ((session.silence_s ?? 0) <= 3 * (session.keepalive_s ?? 20) || session.seen_by === 'both'),
    );
    const first = ended[0]!.disconnected ?? ended[0]!.connected ?? 0;
    const evidence = [
      ...(await story.brokerLines("e.event = 'node_boot' AND e.time >= make_timestamp($2::BIGINT)", [first - 2e6], 2)),
      ...(await story.clientLines(
        "e.event = 'quic_shutdown_by_peer' AND ((e.attributes->>'$.error_code'))::BIGINT = 0",
        [],
        2,
      )),
      ...(await story.clientLines(
        "e.event = 'bridge_disconnected' AND e.time >= make_timestamp($3::BIGINT)",
        [first - 2e6],
        1,
      )),
    ];
    return {
      id: 'broker-restart',
      title: TITLE,
      certainty: seenBooting && heardUntilThen && !story.clockAmbiguous ? 'must' : 'may',
      ...about(story, ended),
      summary: seenBooting
        ? `The broker's log shows it booting again ${ended.length} time(s) while this client was connected.`
        : `The broker closed the connection with code 0 ${ended.length} time(s), as EMQX does when it is stopped.`,
      evidence,
      ruledOut: seenBooting ? [{ id: 'transport-loss', why: 'the broker process itself started again' }] : [],
      missing: story.levels.broker ? [] : ["EMQX's log around the disconnects: it shows the boot"],
      advice: adviceFor('broker-restart', story),
    };
  },
};
