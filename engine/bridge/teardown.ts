/** The end of a pipe (nanomq-bridge-model §5; measured §2 for the log lines). */

import { connectionPointer, log, lost, NNG_ECONNABORTED, NNG_ECONNSHUT } from './log.ts';
import { waitForRedial } from './redial.ts';
import { type Bridge, isPublishQos0, type Pipe } from './state.ts';

/** What a dial that failed and a TCP receive that was cut end with. */
export const DIAL_FAILED = 136;
export const REASON_SERVER_SHUTTING_DOWN = 139;

/** What the teardown of a pipe looks like in the log. */
interface Teardown {
  /** RC of the disconnect line: real on TCP, always 0 on QUIC (D10). */
  readonly reasonCode: number;
  /** The receive ends with an error of its own. */
  readonly receiveError: number | null;
  /** We close the transport; else it is gone already. */
  readonly closesTransport: boolean;
}

export function closeByDisconnectPacket(bridge: Bridge, reasonCode: number): void {
  if (bridge.phase.kind !== 'up') return;
  const quic = bridge.settings.transport === 'quic';
  if (quic) log(bridge, 'info', 'bridge_disconnect_packet_rx', { reason_code: reasonCode });
  teardown(bridge, bridge.phase.pipe, {
    reasonCode: quic ? 0 : reasonCode,
    receiveError: quic ? NNG_ECONNABORTED : DIAL_FAILED,
    closesTransport: true,
  });
}

export function closeByPingTimeout(bridge: Bridge): void {
  if (bridge.phase.kind !== 'up') return;
  log(bridge, 'warn', 'bridge_ping_timeout');
  if (bridge.settings.transport === 'quic') {
    teardown(bridge, bridge.phase.pipe, { reasonCode: 0, receiveError: null, closesTransport: true });
    return;
  }
  // Measured (incidents 11a, 24c): the receive that is closed with the pipe reports itself, and 139 is what remains.
  log(bridge, 'info', 'tcp_bridge_aio_error', { nng_errstr: 'Object closed' });
  teardown(bridge, bridge.phase.pipe, {
    reasonCode: REASON_SERVER_SHUTTING_DOWN,
    receiveError: DIAL_FAILED,
    closesTransport: true,
  });
}

export function closeBySendError(bridge: Bridge): void {
  if (bridge.phase.kind !== 'up') return;
  const reasonCode = bridge.settings.transport === 'quic' ? 0 : REASON_SERVER_SHUTTING_DOWN;
  teardown(bridge, bridge.phase.pipe, { reasonCode, receiveError: null, closesTransport: true });
}

/** §5: the send queue is flushed; unacked, parked, packet id and ctx_msgs survive. */
export function teardown(bridge: Bridge, pipe: Pipe, how: Teardown): void {
  for (const outgoing of pipe.queue) {
    if (isPublishQos0(outgoing)) lost(bridge, outgoing.message!, 'queue-flushed');
  }
  pipe.queue.length = 0;
  const quic = bridge.settings.transport === 'quic';
  if (how.receiveError !== null) {
    log(bridge, 'warn', 'bridge_recv_error', quic ? { nng_rv: how.receiveError } : { rv: how.receiveError });
  }
  log(bridge, 'info', 'bridge_connection_closed', { nng_rv: NNG_ECONNSHUT });
  if (how.closesTransport) bridge.out.push({ kind: 'close', code: 0 });
  if (quic) log(bridge, 'info', 'quic_shutdown_complete', { conn_ptr: connectionPointer(bridge) });
  log(bridge, 'warn', 'bridge_disconnected', { reason_code: how.reasonCode });
  if (quic) log(bridge, 'info', 'bridge_pipe_stopped');
  waitForRedial(bridge);
}
