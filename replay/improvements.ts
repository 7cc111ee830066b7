/** What would make a cassette say more of its incident: the most useful first. */
import { type Cassette, fidelity } from './cassette.ts';

/** Settings whose value decides how an incident goes; of the others the default is as good. */
const DECISIVE = ['keepaliveS', 'parallel', 'quicQosPriority', 'maxSendQueueLen', 'cleanStart', 'subscriptions'];
/** From this share of inferred and assumed entries on, better logs are worth the trouble. */
const MUCH = 0.05;

export function improvements(cassette: Cassette): string[] {
  const { bridge, broker, visible, uplink } = cassette.header;
  const shares = fidelity(cassette);
  const assumed = DECISIVE.filter((key) => bridge.origins[key] === 'assumed');
  return [
    ...(visible?.bridge === null ? ["NanoMQ's log: what the bridge did is seen from the broker only"] : []),
    ...(visible?.broker === null ? ["EMQX's log: why connections ended is seen from the bridge only"] : []),
    ...(uplink === 'hidden'
      ? ['what was published is not in these logs: NanoMQ at debug level, or --rate MESSAGES a second']
      : uplink === 'partly'
        ? ['only a part of what was published is in these logs: NanoMQ at debug level']
        : []),
    ...(visible && visible.broker !== null && !visible.packets
      ? ['EMQX at debug level or a trace of the client: which packets came, and what was sent to the bridge']
      : []),
    ...(bridge.release_known_by === 'assumed' ? ['the release of NanoMQ: --nanomq RELEASE'] : []),
    ...(broker.release_known_by === 'assumed' ? ['the release of EMQX: --emqx RELEASE'] : []),
    ...(assumed.length > 0 ? [`the bridge's configuration, for ${assumed.join(', ')}: --conf nanomq.conf`] : []),
    ...(shares.inferred + shares.assumed > MUCH && uplink === 'shown'
      ? [`${Math.round(100 * (shares.inferred + shares.assumed))} % of the entries are not from a line of their own`]
      : []),
  ];
}
