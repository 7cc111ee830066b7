/**
 * second-bridge-ignored (NanoMQ D9, all releases): the counter of connected QUIC bridges is one for the whole process, so only the
 * bridge that connects first logs `connected` and subscribes.
 */
import { adviceFor } from './advice.ts';
import { about } from './conditions.ts';
import type { Finding } from './finding.ts';
import type { Rule } from './rule.ts';
import type { BridgeStory } from './story.ts';

const TITLE = 'A second QUIC bridge of one NanoMQ never subscribes';

export const secondBridgeIgnored: Rule = {
  id: 'second-bridge-ignored',
  title: TITLE,
  async evaluate(story) {
    const quic = story.siblings.filter((one) => one.transport === 'quic');
    if (story.transport !== 'quic' || quic.length < 2) return null;
    if (story.levels.brokerPackets && story.clientId !== null) return byBroker(story, quic.length);
    return byBridge(story, quic);
  },
};

/** The broker saw this client connect and never subscribe, while it has subscriptions to make. */
async function byBroker(story: BridgeStory, bridges: number): Promise<Finding | null> {
  if (
    story.atBroker.count('out CONNACK') === 0 ||
    story.atBroker.count('in SUBSCRIBE') > 0 ||
    story.atBroker.count('broker_subscribe') > 0
  )
    return null;
  if (!hasSubscriptions(story)) return null;
  const span = story.atBroker.of('out CONNACK');
  return {
    id: 'second-bridge-ignored',
    title: TITLE,
    certainty: 'must',
    ...about(story, story.sessions),
    first: span.first,
    last: Math.max(story.logEnd ?? span.last, span.last),
    count: span.count,
    summary: `NanoMQ has ${bridges} QUIC bridges; this one connected ${span.count} time(s) and never sent the SUBSCRIBE that its configuration asks for.`,
    evidence: [
      ...(await story.endpointLines("e.event = 'conf_bridge' AND (e.attributes->>'$.key') = 'address'", [], bridges)),
      ...(await story.brokerLines(
        "e.client_id = $2 AND e.event = 'mqtt_packet_sent' AND e.packet = 'CONNACK'",
        [story.clientId ?? ''],
        1,
      )),
    ],
    ruledOut: [{ id: 'subscribe-competition', why: 'no SUBSCRIBE was ever made, so none could be delayed' }],
    missing: [],
    advice: adviceFor('second-bridge-ignored', story),
  };
}

/** Fewer bridges logged a connect than connections stand; whose is missing the lines do not say. Told once, of the last bridge. */
async function byBridge(story: BridgeStory, quic: readonly { readonly bridgeId: string }[]): Promise<Finding | null> {
  if (quic.at(-1)?.bridgeId !== story.bridgeId || !hasSubscriptions(story)) return null;
  const stood = story.endpointTally.count('quic_connected');
  const told = story.endpointTally.count('bridge_connected');
  if (stood < quic.length || told === 0 || told > stood - (quic.length - 1)) return null;
  const span = story.endpointTally.of('quic_connected');
  return {
    id: 'second-bridge-ignored',
    title: TITLE,
    certainty: 'may',
    ...about(story, []),
    first: span.first,
    last: span.last,
    count: stood - told,
    summary: `NanoMQ has ${quic.length} QUIC bridges; ${stood} connections stood, but only ${told} went on to "connected" and subscribed.`,
    evidence: [
      ...(await story.endpointLines(
        "e.event = 'conf_bridge' AND (e.attributes->>'$.key') = 'address'",
        [],
        quic.length,
      )),
      ...(await story.endpointLines("e.event IN ('quic_connected', 'bridge_connected')", [], 4)),
    ],
    ruledOut: [],
    missing: ['EMQX at debug level, or a trace by client id of each bridge: it shows which of them sends no SUBSCRIBE'],
    advice: adviceFor('second-bridge-ignored', story),
  };
}

function hasSubscriptions(story: BridgeStory): boolean {
  return Array.isArray(story.settings.subscription) && story.settings.subscription.length > 0;
}
