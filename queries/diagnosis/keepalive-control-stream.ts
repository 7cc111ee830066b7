/**
 * keepalive-control-stream (NanoMQ D2 with EMQX ≤ 5.8.1): the broker counts packets of the control stream only, while the bridge
 * sends on data streams, and every such send postpones its PINGREQ on the control stream.
 */
import { adviceFor } from './advice.ts';
import {
  about,
  droppedThroughout,
  keepaliveEnds,
  MIN_CYCLES,
  releaseIs,
  routedUntilTheEnd,
  wasUnpinged,
  wroteUntilTheEnd,
} from './conditions.ts';
import type { Rule } from './rule.ts';
import type { Session } from './story.ts';

const TITLE = 'The broker counts only the control stream, the bridge sends only on data streams';

export const keepaliveControlStream: Rule = {
  id: 'keepalive-control-stream',
  title: TITLE,
  async evaluate(story, earlier) {
    if (story.transport === 'tcp' || earlier.some((finding) => finding.id === 'stuck-busy')) return null;
    const broker = releaseIs(story.emqxReleases, '5.0.5', '5.8.1');
    if (broker === 'outside') return null;
    const cases = story.keepaliveSessions.filter(
      (session) => wasUnpinged(session) && sentOnDataStreams(session) && !droppedThroughout(session),
    );
    if (cases.length < MIN_CYCLES || cases.length < story.keepaliveSessions.length / 2) return null;
    const routed = cases.filter(routedUntilTheEnd);
    // Routed lines of data streams carry no client id, so other gateways could have sent them; the bridge's own writes must agree.
    const proven =
      routed.length >= MIN_CYCLES &&
      cases.filter(wroteUntilTheEnd).length >= MIN_CYCLES &&
      story.attribution !== 'ambiguous' &&
      !story.clockAmbiguous;
    // The lines nearest to the first timeout show best that messages still came through.
    const sample = cases[0]!;
    const routedBefore = sample.last_routed_unnamed ?? sample.decided ?? sample.disconnected ?? 0;
    const wroteBefore = sample.last_data_write ?? sample.client_disconnected ?? 0;
    const evidence = [
      ...(await story.clientLines(
        "e.event = 'quic_write_start' AND e.state = 'connected' AND TRY_CAST((e.attributes->>'$.sid') AS INTEGER) > 0 AND e.session_no = $3 AND e.time >= make_timestamp($4::BIGINT)",
        [sample.client_session_no ?? 0, wroteBefore],
        2,
      )),
      ...(await story.brokerLines(
        "e.event = 'publish_routed' AND e.client_id IS NULL AND e.time <= make_timestamp($2::BIGINT) AND e.time >= make_timestamp($2::BIGINT) - INTERVAL 500 MILLISECOND",
        [routedBefore],
        3,
      )),
      ...(await keepaliveEnds(story, 0, 2)),
    ];
    return {
      id: 'keepalive-control-stream',
      title: TITLE,
      certainty: proven ? 'must' : 'may',
      ...about(story, cases),
      summary: `${cases.length} connections ended by keepalive although messages of the bridge came in on data streams until shortly before; no PINGREQ in any of them.`,
      evidence,
      ruledOut: [
        { id: 'stuck-busy', why: 'messages kept leaving the bridge until the end' },
        ...(routed.length > 0
          ? [{ id: 'transport-loss', why: 'the broker routed the messages, so the link carried them' }]
          : []),
      ],
      missing: [
        ...(broker === 'inside' ? [] : ['the EMQX release (5.8.2 and later count all streams)']),
        ...(routed.length > 0
          ? []
          : ['EMQX at debug level with publish_to lines: they show that data-stream messages arrived']),
        ...(story.levels.clientDebug || routed.length > 0
          ? []
          : ['NanoMQ at debug level: it shows on which stream each message is written']),
      ],
      advice: adviceFor('keepalive-control-stream', story),
    };
  },
};

function sentOnDataStreams(session: Session): boolean {
  return wroteUntilTheEnd(session) || routedUntilTheEnd(session);
}
