/** keepalive-cycle-undetermined: the broker ends connection after connection by keepalive, and these logs do not tell why. */
import { about, keepaliveEnds, MIN_CYCLES, releaseIs } from './conditions.ts';
import type { Rule } from './rule.ts';

const TITLE = 'The broker ends the connection by keepalive again and again; these logs do not tell why';

export const keepaliveCycleUndetermined: Rule = {
  id: 'keepalive-cycle-undetermined',
  title: TITLE,
  async evaluate(story, earlier) {
    const explained = earlier.some((finding) =>
      ['stuck-busy', 'keepalive-control-stream', 'keepalive-receive-reset'].includes(finding.id),
    );
    const cases = story.keepaliveSessions;
    if (explained || cases.length < MIN_CYCLES) return null;
    const candidates = [
      {
        id: 'stuck-busy',
        open: releaseIs(story.nanomqReleases, '0.23.2', '0.23.6') !== 'outside' && story.transport !== 'tcp',
        evidence: "NanoMQ's log from warn level on, from before the first disconnect",
      },
      {
        id: 'keepalive-control-stream',
        open: releaseIs(story.emqxReleases, '5.0.5', '5.8.1') !== 'outside' && story.transport !== 'tcp',
        evidence: 'EMQX at debug level: publish_to lines of messages that came on data streams',
      },
      {
        id: 'keepalive-receive-reset',
        open: story.transport === 'tcp' || releaseIs(story.nanomqReleases, '0.22.10', '0.23.1') !== 'outside',
        evidence: 'an EMQX trace by client id: messages sent down, no PINGREQ received',
      },
      {
        id: 'send-error-stuck',
        open: releaseIs(story.nanomqReleases, '0.23.10', '99') !== 'outside',
        evidence: "NanoMQ's `fail to send on aio` lines (warn level)",
      },
    ].filter((candidate) => candidate.open);
    const evidence = [
      ...(await keepaliveEnds(story, 0, 3)),
      ...(await story.clientLines("e.event = 'bridge_disconnected'", [], 2)),
    ];
    return {
      id: 'keepalive-cycle-undetermined',
      title: TITLE,
      certainty: 'may',
      ...about(story, cases),
      summary: `${cases.length} keepalive disconnects. Candidates: ${candidates.map((candidate) => candidate.id).join(', ')}.`,
      evidence,
      ruledOut: [],
      missing: candidates.map((candidate) => `${candidate.evidence} (would decide ${candidate.id})`),
      advice: [],
    };
  },
};
