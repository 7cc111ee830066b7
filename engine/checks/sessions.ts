/** How connections begin and end, as the bridge logs it. */

import { TraceCheckError, type TraceRecord } from './trace.ts';

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

/** Every disconnect has a cause, and a DISCONNECT packet was sent before it was read. */
export function checkDisconnectCauses(records: readonly TraceRecord[]): void {
  const sent = new Set<unknown>();
  let broker = false;
  let caused = false;
  for (const { event, at, endpoint, fields } of records) {
    if (endpoint === 'broker') {
      broker = true;
      if (event === 'mqtt_packet_sent' && fields?.packet === 'DISCONNECT') sent.add(fields.reason_code);
      continue;
    }
    if (event === 'bridge_connected') caused = false;
    if (CAUSES.has(event)) caused = true;
    if (event === 'bridge_disconnect_packet_rx' && broker && sent.size > 0 && !sent.has(fields?.reason_code)) {
      throw new TraceCheckError('disconnect-cause', at, `DISCONNECT ${String(fields?.reason_code)} was never sent`);
    }
    if (event === 'bridge_disconnected' && !caused) {
      throw new TraceCheckError('disconnect-cause', at, 'no cause logged');
    }
  }
}

/**
 * Connects and disconnects alternate. A QUIC bridge whose connect callback did nothing (D9) has a disconnect without a connect;
 * a trace of several bridges cannot be held to this.
 */
export function checkConnectionAlternation(records: readonly TraceRecord[]): void {
  let up = false;
  for (const { event, at } of records) {
    if (event !== 'bridge_connected' && event !== 'bridge_disconnected') continue;
    const connects = event === 'bridge_connected';
    if (connects === up) throw new TraceCheckError('connect-alternation', at, `${event} twice`);
    up = connects;
  }
}
