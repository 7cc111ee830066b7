/**
 * keepalive-cycle-undetermined: connection after connection ends by the broker's keepalive, or, in a bridge's log at warn level, by
 * the broker without a reason and always after about the same time; and these logs do not tell why.
 */
import { about, keepaliveEnds, MIN_CYCLES } from './conditions.ts';
import { hasDefect } from './defects.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory, Session } from './story.ts';

const TITLE = 'The broker ends the connection by keepalive again and again; these logs do not tell why';
const EXPLAINED = [
  'stuck-busy',
  'send-error-stuck',
  'keepalive-control-stream',
  'keepalive-receive-reset',
  'keepalive-too-short',
  'auth-refused',
  'client-id-clash',
  'kicked',
];
/** Ends without a reason count only from this many on, and only if the connections lasted alike. */
const MIN_UNNAMED = 3;
const MAX_SPREAD = 0.2;
/** Dials are stamped before the handshake, in whole seconds. */
const STAMP_S = 2;

interface Candidate {
  readonly id: string;
  readonly open: boolean;
  readonly evidence: string;
}

export const keepaliveCycleUndetermined: Rule = {
  id: 'keepalive-cycle-undetermined',
  title: TITLE,
  async evaluate(story, earlier) {
    if (earlier.some((finding) => EXPLAINED.includes(finding.id))) return null;
    const known = story.keepaliveSessions;
    const unnamed = known.length >= MIN_CYCLES ? [] : unnamedEnds(story);
    const cases = known.length >= MIN_CYCLES ? known : unnamed;
    if (cases.length < MIN_CYCLES) return null;
    const candidates = candidatesOf(story, unnamed.length > 0).filter((candidate) => candidate.open);
    return {
      id: 'keepalive-cycle-undetermined',
      title: TITLE,
      certainty: 'may',
      ...about(story, cases),
      summary: `${cases.length} ${unnamed.length > 0 ? 'connections that the broker ended after about the same time' : 'keepalive disconnects'}. Candidates: ${candidates.map((candidate) => candidate.id).join(', ')}.`,
      evidence: [
        ...(await keepaliveEnds(story, 0, 3)),
        ...(await story.clientLines("e.event = 'bridge_disconnected'", [], 2)),
      ],
      ruledOut: [],
      candidates: candidates.map((candidate) => candidate.id),
      missing: candidates.map((candidate) => `${candidate.evidence} (would decide ${candidate.id})`),
      advice: [],
    };
  },
};

function candidatesOf(story: BridgeStory, unnamed: boolean): Candidate[] {
  const quic = story.transport !== 'tcp';
  return [
    {
      id: 'stuck-busy',
      open: quic && hasDefect(story, 'stuck-busy') !== 'outside',
      evidence: "NanoMQ's log from warn level on, from before the first disconnect",
    },
    {
      id: 'keepalive-control-stream',
      open: quic && hasDefect(story, 'keepalive-control-stream') !== 'outside',
      evidence: 'EMQX at debug level: publish_to lines of messages that came on data streams',
    },
    {
      id: 'keepalive-receive-reset',
      open: !quic || hasDefect(story, 'keepalive-receive-reset') !== 'outside',
      evidence: 'an EMQX trace by client id: messages sent down, no PINGREQ received',
    },
    {
      id: 'send-error-stuck',
      open: quic && hasDefect(story, 'send-error-stuck') !== 'outside',
      evidence: "NanoMQ's `fail to send on aio` lines (warn level)",
    },
    { id: 'kicked', open: unnamed, evidence: "EMQX's log at level info: the reason of each end" },
    { id: 'client-id-clash', open: unnamed, evidence: "EMQX's log at level info: `discarded` or `takenover`" },
  ];
}

/** A log at warn level hides DISCONNECT codes and PINGREQ: what is left is that the broker ends connections after a steady time. */
function unnamedEnds(story: BridgeStory): Session[] {
  const ended = story.sessions.filter(
    (session) =>
      session.start_known_by === 'dialled' &&
      session.broker_reason === null &&
      ['peer_fin', 'peer_close', 'unknown'].includes(session.client_reason ?? ''),
  );
  if (ended.length < MIN_UNNAMED) return [];
  const lengths = ended.map((session) => session.duration_s ?? 0).sort((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  const alike = ended.filter(
    (session) => Math.abs((session.duration_s ?? 0) - median) <= MAX_SPREAD * median + STAMP_S,
  );
  return median >= 5 && alike.length >= Math.max(MIN_UNNAMED, 0.7 * ended.length) ? alike : [];
}
