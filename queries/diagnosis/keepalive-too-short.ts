/** keepalive-too-short: PINGREQ goes out, but its period leaves no margin below the broker's limit. No real log shows it yet. */
import { adviceFor } from './advice.ts';
import { about, keepaliveEnds, MIN_CYCLES, wasUnpinged } from './conditions.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory } from './story.ts';

const TITLE = 'The keepalive leaves no margin over timer tick, resend and round trip';
/** NanoMQ's timer runs each 5 s unless resend_interval says otherwise (over QUIC from 0.24.3 on). */
const TICK_S = 5;
/** Room for a lost packet and its repetition. */
const MIN_MARGIN_S = 3;

export const keepaliveTooShort: Rule = {
  id: 'keepalive-too-short',
  title: TITLE,
  async evaluate(story) {
    const cases = story.keepaliveSessions.filter(
      (session) => !wasUnpinged(session) && (session.pings ?? session.pings_in ?? 0) > 0,
    );
    if (cases.length < MIN_CYCLES) return null;
    const keepaliveS = cases[0]!.keepalive_s ?? 0;
    const marginS = 1.5 * keepaliveS - Math.ceil(keepaliveS / tickS(story)) * tickS(story);
    if (keepaliveS <= 0 || marginS >= MIN_MARGIN_S) return null;
    return {
      id: 'keepalive-too-short',
      title: TITLE,
      certainty: 'may',
      ...about(story, cases),
      summary: `Keepalive ${keepaliveS} s and a timer tick of ${tickS(story)} s leave ${marginS.toFixed(1)} s between a PINGREQ and the broker's limit; ${cases.length} connections that pinged were ended by keepalive.`,
      evidence: [...(await story.clientLines("e.event = 'ping_sent'", [], 2)), ...(await keepaliveEnds(story, 0, 2))],
      ruledOut: [{ id: 'keepalive-receive-reset', why: 'PINGREQ was sent in these connections' }],
      missing: ['an EMQX trace by client id: when each PINGREQ came in'],
      advice: adviceFor('keepalive-too-short', story),
    };
  },
};

function tickS(story: BridgeStory): number {
  const interval = Number(story.settings.resend_interval ?? 0) / 1000;
  return story.transport === 'tcp' && interval > 0 ? interval : TICK_S;
}
