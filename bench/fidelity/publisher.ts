/**
 * When the messages of the corpus' local publisher reached NanoMQ: one TCP connection with Nagle's algorithm (RFC 1122 §4.2.3.4),
 * so a small segment waits until the one before is acknowledged. NanoMQ's PUBACK acknowledges at once. Else the kernel does at
 * once too, but for the first segment after an answer: that one it keeps back for 40 ms (Linux' pingpong mode, which its
 * delayed-ACK timer ends). Of a message with QoS > 0 the ground truth has the time of its PUBACK, which NanoMQ sends at once; the
 * rule is for the others only, and even these cannot come after a later one that was answered.
 */
import { createRng, type Stimulus } from '../../engine/index.ts';

const DELAYED_ACK_US = 40_000;
/** From a message at NanoMQ to its PUBACK at the publisher. */
const ANSWER_US = 1_000;
/**
 * NanoMQ takes the messages of a segment one after the other, sooner than a write completes: of 441 QoS 0 messages of incident 19b that came
 * in the segment of a QoS 1 message 363 were dropped, for the busy pipe or a busy aio.
 */
const NEXT_MESSAGE_US = [10, 90] as const;

export type Publish = Extract<Stimulus, { kind: 'publish' }>;

export interface Published {
  readonly publish: Publish;
  /** µs from the start; null: QoS 0, or no answer came. */
  readonly answeredAt: number | null;
}

export function throughLocalConnection(messages: readonly Published[], seed: number): Publish[] {
  const rng = createRng(seed, 'publisher');
  const arrived: Publish[] = [];
  let waiting: Published[] = [];
  let acknowledgedAt = 0;
  let pingpong = false;
  let freeAt = 0;
  const send = (at: number, segment: readonly Published[]): void => {
    for (const { publish } of segment) {
      const arrivedAt = Math.max(at, freeAt);
      arrived.push({ ...publish, at: arrivedAt });
      freeAt = arrivedAt + rng.int(...NEXT_MESSAGE_US);
    }
    const answered = segment.some(({ publish }) => publish.message.qos > 0);
    if (answered) acknowledgedAt = at + ANSWER_US;
    else acknowledgedAt = pingpong ? at + DELAYED_ACK_US : at;
    pingpong = answered;
  };
  const sendWaiting = (at: number): void => {
    const segment = waiting;
    waiting = [];
    if (segment.length > 0) send(at, segment);
  };
  for (const published of messages) {
    const { publish, answeredAt } = published;
    if (waiting.length > 0 && acknowledgedAt <= publish.at) sendWaiting(acknowledgedAt);
    if (answeredAt !== null) {
      waiting.push(published);
      sendWaiting(Math.max(publish.at, answeredAt - ANSWER_US));
    } else if (acknowledgedAt <= publish.at) {
      send(publish.at, [published]);
    } else {
      waiting.push(published);
    }
  }
  sendWaiting(acknowledgedAt);
  return arrived;
}
