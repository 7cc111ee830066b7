/**
 * What the corpus' local publisher did to its messages: one TCP connection with Nagle's algorithm (RFC 1122 §4.2.3.4), so a small
 * segment waits until the one before is acknowledged. NanoMQ's PUBACK acknowledges at once. Else the kernel does at once too, but
 * for the first segment after an answer: that one it keeps back for 40 ms (Linux' pingpong mode, which its delayed-ACK timer ends).
 * Incident 19b shows it: with QoS 0 and 1 mixed at 60 Hz messages come up to 40 ms late and in bunches, with QoS 0 only none does.
 */
import { createRng, type Stimulus } from '../../engine/index.ts';

const DELAYED_ACK_US = 40_000;
const ANSWER_US = 1_000;
/** NanoMQ's threads take the messages of a segment one after the other; how soon is up to the scheduler. */
const NEXT_MESSAGE_US = [20, 280] as const;

export type Publish = Extract<Stimulus, { kind: 'publish' }>;

export function throughLocalConnection(messages: readonly Publish[], seed: number): Publish[] {
  const rng = createRng(seed, 'publisher');
  const arrived: Publish[] = [];
  let waiting: Publish[] = [];
  let acknowledgedAt = 0;
  let pingpong = false;
  const send = (at: number, segment: readonly Publish[]): void => {
    let next = at;
    for (const publish of segment) {
      arrived.push({ ...publish, at: next });
      next += rng.int(...NEXT_MESSAGE_US);
    }
    const answered = segment.some(({ message }) => message.qos > 0);
    if (answered) acknowledgedAt = at + ANSWER_US;
    else acknowledgedAt = pingpong ? at + DELAYED_ACK_US : at;
    pingpong = answered;
  };
  for (const publish of messages) {
    if (waiting.length > 0 && acknowledgedAt <= publish.at) {
      send(acknowledgedAt, waiting);
      waiting = [];
    }
    if (acknowledgedAt <= publish.at) send(publish.at, [publish]);
    else waiting.push(publish);
  }
  if (waiting.length > 0) send(acknowledgedAt, waiting);
  return arrived;
}
