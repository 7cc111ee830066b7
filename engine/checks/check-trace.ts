/** Statements that must hold for every trace, written apart from the machines that made it. */

import type { DirectionSummary, SimSummary } from '../sim/options.ts';
import type { SimRecord } from '../types.ts';

/** A trace broke a rule; `details` says where. */
export class TraceCheckError extends Error {
  readonly code = 'trace-check';
  readonly details: { readonly rule: string; readonly at: number | null; readonly what: string };

  constructor(rule: string, at: number | null, what: string) {
    super(`${rule}${at === null ? '' : ` at ${at} µs`}: ${what}`);
    this.name = 'TraceCheckError';
    this.details = { rule, at, what };
  }
}

/** @throws TraceCheckError */
export function checkTrace(records: readonly SimRecord[], summary: SimSummary): void {
  checkOrder(records);
  checkConservation('up', summary.up);
  checkConservation('down', summary.down);
  if (summary.unaccounted > 0) throw new TraceCheckError('conservation', null, `${summary.unaccounted} vanished`);
  checkDisconnectCauses(records);
  checkConnectionAlternation(records);
}

function checkOrder(records: readonly SimRecord[]): void {
  let last = 0;
  for (const { at, event } of records) {
    if (!Number.isSafeInteger(at) || at < last) throw new TraceCheckError('time-order', at, event);
    last = at;
  }
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

/** What may stand before a `bridge_disconnected` since the connect. TCP says so only by its receive error. */
const CAUSES: ReadonlySet<string> = new Set([
  'bridge_disconnect_packet_rx',
  'quic_fin_received',
  'quic_shutdown_by_peer',
  'quic_shutdown_by_transport',
  'bridge_ping_timeout',
  'bridge_recv_error',
  'bridge_send_failed',
]);

function checkDisconnectCauses(records: readonly SimRecord[]): void {
  let caused = false;
  for (const { event, at } of records) {
    if (event === 'bridge_connected') caused = false;
    if (CAUSES.has(event)) caused = true;
    if (event === 'bridge_disconnected' && !caused)
      throw new TraceCheckError('disconnect-cause', at, 'no cause logged');
  }
}

function checkConnectionAlternation(records: readonly SimRecord[]): void {
  let up = false;
  for (const { event, at } of records) {
    if (event !== 'bridge_connected' && event !== 'bridge_disconnected') continue;
    const connects = event === 'bridge_connected';
    if (connects === up) throw new TraceCheckError('connect-alternation', at, `${event} twice`);
    up = connects;
  }
}
