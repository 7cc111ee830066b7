/**
 * Statements that must hold for every trace, written apart from the machines that made it. They read events and fields only, so
 * that a trace of real logs is held to the same.
 */

import type { DirectionSummary, SimSummary } from '../sim/options.ts';
import { checkKeepaliveArithmetic, type KeepaliveFacts } from './keepalive-arithmetic.ts';
import { checkPacketIds, checkPublishWrites } from './sending.ts';
import { checkConnectionAlternation, checkDisconnectCauses } from './sessions.ts';
import { TraceCheckError, type TraceRecord } from './trace.ts';

export { TraceCheckError, type TraceRecord } from './trace.ts';

export interface TraceFacts {
  /** Broker's keepalive; absent: its arithmetic is not checked. */
  readonly keepalive?: KeepaliveFacts;
  /** PUBREL goes over the publish streams too, next to the one message. */
  readonly qos2Uplink?: boolean;
}

/**
 * Holds a trace of one bridge to every statement.
 *
 * @param summary books of a simulated run; null for a trace of logs, which has none.
 * @throws TraceCheckError
 */
export function checkTrace(records: readonly TraceRecord[], summary: SimSummary | null, facts: TraceFacts = {}): void {
  checkOrder(records);
  if (summary) checkBooks(summary);
  checkDisconnectCauses(records);
  checkConnectionAlternation(records);
  if (!facts.qos2Uplink) checkPublishWrites(records);
  checkPacketIds(records);
  if (facts.keepalive) checkKeepaliveArithmetic(records, facts.keepalive);
}

function checkOrder(records: readonly TraceRecord[]): void {
  let last = 0;
  for (const { at, event } of records) {
    if (!Number.isSafeInteger(at) || at < last) throw new TraceCheckError('time-order', at, event);
    last = at;
  }
}

function checkBooks(summary: SimSummary): void {
  checkConservation('up', summary.up);
  checkConservation('down', summary.down);
  if (summary.unaccounted > 0) throw new TraceCheckError('conservation', null, `${summary.unaccounted} vanished`);
}

/** offered = delivered + lost by a named reason + still held. */
function checkConservation(direction: string, books: DirectionSummary): void {
  const sum = (by: Readonly<Record<0 | 1 | 2, number>>): number => by[0] + by[1] + by[2];
  const named = Object.values(books.lostByReason).reduce((total, one) => total + one, 0);
  if (named !== sum(books.lost)) {
    throw new TraceCheckError('conservation', null, `${direction}: ${sum(books.lost)} lost, ${named} with a reason`);
  }
  const accounted = sum(books.delivered) + sum(books.lost) + books.held;
  if (accounted === sum(books.offered)) return;
  throw new TraceCheckError(
    'conservation',
    null,
    `${direction}: ${sum(books.offered)} offered, ${accounted} accounted`,
  );
}
