/** What travels: one MQTT packet, a FIN or a PING frame. */

import type { Message, Micros, Packet } from '../types.ts';

/** Stream of chunks that carry no data (QUIC PING frames). */
export const NO_STREAM = -1;

export interface Chunk {
  readonly stream: number;
  readonly index: number;
  readonly bytes: number;
  readonly packet: Packet | null;
  readonly message: Message | null;
  readonly fin: boolean;
  /** Bytes of the stream before this chunk, for flow control. */
  readonly offset: number;
  firstSentAt: Micros;
  lastSentAt: Micros;
  arrived: boolean;
  delivered: boolean;
  acked: boolean;
  aborted: boolean;
  /** Sent at least once. */
  started: boolean;
  /** Counts against the congestion window. */
  inFlight: boolean;
  /** Taken for lost, and waits for the congestion window to be sent again. */
  lost: boolean;
  onComplete: ((result: number) => void) | null;
}
