/**
 * What the corpus' local publisher did to its messages: one TCP connection with Nagle's algorithm (RFC 1122 §4.2.3.4). A small segment
 * waits until the one before is acknowledged. NanoMQ answers QoS > 0 at once, which acknowledges; else its kernel delays the
 * acknowledgement, but only on a connection on which it also answers (Linux: pingpong mode). Incident 19b shows it: with QoS 0 and 1
 * mixed, messages reach the broker up to 40 ms late and in bunches; with QoS 0 only none does.
 */
import type { Stimulus } from '../../engine/index.ts';

const DELAYED_ACK_US = 40_000;
const ANSWER_US = 1_000;

type Publish = Extract<Stimulus, { kind: 'publish' }>;

export function throughLocalConnection(messages: readonly Publish[]): Publish[] {
  const answers = messages.some(({ message }) => message.qos > 0);
  if (!answers) return [...messages];
  const arrived: Publish[] = [];
  let acknowledgedAt = 0;
  let waiting: Publish[] = [];
  const send = (at: number, segment: readonly Publish[]): void => {
    for (const publish of segment) arrived.push({ ...publish, at });
    const answered = segment.some(({ message }) => message.qos > 0);
    acknowledgedAt = at + (answered ? ANSWER_US : DELAYED_ACK_US);
  };
  for (const publish of messages) {
    if (waiting.length > 0 && acknowledgedAt <= publish.at) {
      send(acknowledgedAt, waiting);
      waiting = [];
    }
    if (waiting.length === 0 && acknowledgedAt <= publish.at) send(publish.at, [publish]);
    else waiting.push(publish);
  }
  if (waiting.length > 0) send(acknowledgedAt, waiting);
  return arrived;
}
