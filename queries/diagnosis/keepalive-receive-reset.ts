/**
 * keepalive-receive-reset (NanoMQ D1 over QUIC up to 0.23.1, D1b over TCP in every release): each received packet restarts the
 * client's ping timer, so a bridge that only receives never sends PINGREQ and the broker's keepalive ends it.
 */
import { adviceFor } from './advice.ts';
import {
  about,
  droppedThroughout,
  keepaliveEnds,
  MIN_CYCLES,
  receivedUntilTheEnd,
  releaseIs,
  routedUntilTheEnd,
  wasUnpinged,
  wroteUntilTheEnd,
} from './conditions.ts';
import type { Rule } from './rule.ts';
import type { Session } from './story.ts';

const TITLE = "Received messages keep postponing PINGREQ until the broker's keepalive ends the connection";

export const keepaliveReceiveReset: Rule = {
  id: 'keepalive-receive-reset',
  title: TITLE,
  async evaluate(story, earlier) {
    if (earlier.some((finding) => finding.id === 'stuck-busy')) return null;
    const tcp = story.transport === 'tcp';
    // Without the bridge's log a stuck send path looks the same from the broker: that is for keepalive-cycle-undetermined.
    if (!tcp && !story.levels.client) return null;
    // Over TCP PINGREQ is a debug line from 0.23.2 on; only then, or from the broker's packets, is its absence known.
    if (tcp && !story.levels.clientDebug && !story.levels.brokerPackets) return null;
    const release = tcp ? 'inside' : releaseIs(story.nanomqReleases, '0.22.10', '0.23.1');
    if (release === 'outside') return null;
    const second = earlier.some((finding) => finding.id === 'keepalive-control-stream');
    const cases = story.keepaliveSessions.filter(
      (session) =>
        wasUnpinged(session) &&
        receivedUntilTheEnd(session) &&
        !droppedThroughout(session) &&
        (second || !sent(session)),
    );
    if (cases.length < MIN_CYCLES || cases.length < story.keepaliveSessions.length / 2) return null;
    // With 02b-like QoS 1 uplink the data received is acknowledgements; only downlink PUBLISH makes it this cause as well.
    if (second && !cases.some((session) => (session.publishes_out ?? 0) >= 2)) return null;
    const proven =
      !second &&
      release === 'inside' &&
      (tcp ? story.levels.clientDebug : story.levels.clientInfo) &&
      cases.every((session) => session.seen_by === 'both') &&
      story.attribution !== 'ambiguous' &&
      !story.clockAmbiguous;
    const sample = cases[0]!;
    const end = sample.decided ?? sample.disconnected ?? 0;
    const window = [story.clientId ?? '', end - 1e6 * (sample.keepalive_s ?? 10), end];
    const evidence = [
      ...(await story.clientLines(
        "e.event = 'bridge_connected' AND e.session_no = $3",
        [sample.client_session_no ?? 0],
        1,
      )),
      ...(await story.brokerLines(
        "e.client_id = $2 AND e.event = 'mqtt_packet_sent' AND e.packet = 'PUBLISH' AND e.time BETWEEN make_timestamp($3::BIGINT) AND make_timestamp($4::BIGINT)",
        window,
        2,
      )),
      ...(await story.clientLines(
        "e.event = 'quic_data_received' AND e.state = 'connected' AND e.session_no = $3",
        [sample.client_session_no ?? 0],
        1,
      )),
      ...(await keepaliveEnds(story, 0, 2)),
    ];
    return {
      id: 'keepalive-receive-reset',
      title: TITLE,
      certainty: proven ? 'must' : 'may',
      ...about(story, cases),
      summary: `${cases.length} connections ended by keepalive while messages kept coming down to the bridge; it sent no PINGREQ in the last ${1.5 * (sample.keepalive_s ?? 10)} s of any of them.`,
      evidence,
      ruledOut: [
        { id: 'stuck-busy', why: 'no message was dropped by a busy send path' },
        ...(second
          ? []
          : [
              {
                id: 'keepalive-control-stream',
                why: 'nothing was sent upward that a broker could have failed to count',
              },
            ]),
      ],
      missing: [
        ...(release === 'inside' ? [] : ['the NanoMQ release (lines with file:line numbers)']),
        ...(story.levels.clientInfo ? [] : ["NanoMQ's log at info level: it shows every PINGREQ up to 0.25"]),
        ...(story.levels.brokerPackets
          ? []
          : ['an EMQX trace by client id: it shows the messages sent to the bridge and the missing PINGREQ']),
      ],
      advice: adviceFor('keepalive-receive-reset', story),
    };
  },
};

function sent(session: Session): boolean {
  return wroteUntilTheEnd(session) || routedUntilTheEnd(session);
}
