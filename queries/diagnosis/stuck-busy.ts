/**
 * stuck-busy (NanoMQ D3, 0.23.2–0.23.6): after a reconnect a parked message is re-submitted while the pipe is still marked busy.
 * From then on nothing ordinary leaves the bridge, often not even PINGREQ, until the broker disconnects it; with QoS 1 on the
 * priority path it can stay connected for ever (measured.md §2.1).
 */
import { adviceFor } from './advice.ts';
import { about, droppedThroughout, keepaliveEnds, parkedSoFar, releaseIs, wasUnpinged } from './conditions.ts';
import type { Finding } from './finding.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory, Session } from './story.ts';

const TITLE = 'The send path is stuck: a parked message left the pipe marked busy after the reconnect';

export const stuckBusy: Rule = {
  id: 'stuck-busy',
  title: TITLE,
  async evaluate(story) {
    const release = releaseIs(story.nanomqReleases, '0.23.2', '0.23.6');
    if (release === 'outside' || story.transport === 'tcp' || !story.levels.client) return null;
    const stuck = story.sessions.filter((session) => isStuck(story, session));
    if (stuck.length === 0) return null;
    const proven =
      release === 'inside' &&
      story.levels.clientInfo &&
      story.attribution !== 'ambiguous' &&
      stuck.every((session) => (session.pings ?? 0) === 0);
    return finding(story, stuck, proven, release === 'inside');
  },
};

/** Parked before, no PINGREQ although one was due, and drops all the way; ended by keepalive or still open. */
function isStuck(story: BridgeStory, session: Session): boolean {
  if (parkedSoFar(story, session) < 1 || !droppedThroughout(session) || !wasUnpinged(session)) return false;
  // Plain load drops too, but then acknowledgements and writes go on; the overflow line appears only behind a busy pipe.
  if ((session.cached_lost ?? 0) === 0 && (session.resend_blocked ?? 0) === 0 && writesGoOn(session)) return false;
  return (
    session.open ||
    ['keepalive_timeout', 'peer_fin', 'peer_close', 'unknown', 'broker_restart'].includes(session.reason ?? '')
  );
}

function writesGoOn(session: Session): boolean {
  return (
    session.last_data_write !== null &&
    session.client_connected !== null &&
    session.last_data_write - session.client_connected > 5_000_000
  );
}

async function finding(story: BridgeStory, stuck: Session[], proven: boolean, releaseKnown: boolean): Promise<Finding> {
  const first = stuck[0]!;
  const from = first.client_connected ?? 0;
  const to = stuck.at(-1)?.client_disconnected ?? Number.MAX_SAFE_INTEGER;
  const inside = 'e.time >= make_timestamp($3::BIGINT) AND e.time <= make_timestamp($4::BIGINT)';
  const evidence = [
    ...(await story.clientLines(
      "e.event = 'msg_cached_disconnected' AND e.time <= make_timestamp($3::BIGINT)",
      [from],
      2,
    )),
    ...(await story.clientLines(`e.event = 'bridge_connected' AND ${inside}`, [from, to], 1)),
    ...(await story.clientLines(`e.event = 'aio_busy' AND e.state = 'connected' AND ${inside}`, [from, to], 2)),
    ...(await story.clientLines(`e.event = 'cached_msg_lost' AND ${inside}`, [from, to], 2)),
    ...(await keepaliveEnds(story, from, 2)),
  ];
  const cycling = stuck.filter((session) => session.reason === 'keepalive_timeout').length;
  const busy = sum(stuck, (session) => session.aio_busy);
  const overflow = sum(stuck, (session) => session.cached_lost);
  return {
    id: 'stuck-busy',
    title: TITLE,
    certainty: proven ? 'must' : 'may',
    ...about(story, stuck),
    summary:
      `${stuck.length} connection(s) after messages were parked while the bridge was down: not one PINGREQ, ${busy} "aio busy" and ${overflow} overflow lines. ` +
      (cycling > 0
        ? `The broker ended ${cycling} of them by keepalive.`
        : 'The broker never ended it: traffic on the priority path keeps the session alive, QoS 0 stays dead.'),
    evidence,
    ruledOut: [
      {
        id: 'keepalive-receive-reset',
        why: 'messages are dropped by a full send path all along, so the silence is not the ping timer alone',
      },
      {
        id: 'aio-load',
        why: 'under load PINGREQ and acknowledgements go on; here none was sent for longer than the keepalive',
      },
    ],
    missing: [
      ...(releaseKnown
        ? []
        : ['the NanoMQ release (lines with file:line numbers, level info or the start of the log)']),
      ...(story.levels.broker ? [] : ["EMQX's log or a trace by client id of the same time"]),
    ],
    advice: adviceFor('stuck-busy', story),
  };
}

function sum(sessions: readonly Session[], pick: (session: Session) => number | null): number {
  return sessions.reduce((total, session) => total + (pick(session) ?? 0), 0);
}
