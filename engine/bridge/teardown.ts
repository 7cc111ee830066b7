/** The end of a pipe (nanomq-bridge-model §5; measured §2 for the log lines). */

import { log, lost, NNG_ECLOSED, NNG_ECONNABORTED, NNG_ECONNSHUT } from './log.ts';
import { logConnectionReleased, logReadsCancelled, logReceivesEnded, logStreamsDown } from './quic-lines.ts';
import { waitForRedial } from './redial.ts';
import { addTurn, type Bridge, isPublishQos0, type Pipe } from './state.ts';

/** What a TCP receive that was cut ends with. */
export const TCP_RECEIVE_CUT = 136;
/** RC of the disconnect line on TCP, whatever broke the connection (measured §2.21). */
export const REASON_SERVER_SHUTTING_DOWN = 139;

/** What the teardown of a pipe looks like in the log. */
export interface Teardown {
  /** RC of the disconnect line: real on TCP, always 0 on QUIC (D10). */
  readonly reasonCode: number;
  /** We close the transport; else it is gone already. */
  readonly closesTransport: boolean;
  /** The end was our decision, not an answer to the peer's. */
  readonly byUs: boolean;
  /** msquic gave the connection up. */
  readonly byTransport: boolean;
  /** The protocol timer found it out, so it was not running and is not aborted. */
  readonly fromTimer: boolean;
}

export function closeByDisconnectPacket(bridge: Bridge, reasonCode: number): void {
  if (bridge.phase.kind !== 'up') return;
  const quic = bridge.settings.transport === 'quic';
  if (quic) log(bridge, 'info', 'bridge_disconnect_packet_rx', { reason_code: reasonCode });
  if (quic) log(bridge, bridge.profile.log.receiveCancelled, 'quic_tran_recv_cancel');
  closeByUs(bridge, bridge.phase.pipe, quic ? 0 : reasonCode, false);
}

export function closeByPingTimeout(bridge: Bridge): void {
  if (bridge.phase.kind !== 'up') return;
  log(bridge, 'warn', 'bridge_ping_timeout');
  // Measured (11a, 24c): TCP reports 139 here, not the 141 of the model.
  const reasonCode = bridge.settings.transport === 'quic' ? 0 : REASON_SERVER_SHUTTING_DOWN;
  closeByUs(bridge, bridge.phase.pipe, reasonCode, true);
}

export function closeBySendError(bridge: Bridge): void {
  if (bridge.phase.kind !== 'up') return;
  const reasonCode = bridge.settings.transport === 'quic' ? 0 : REASON_SERVER_SHUTTING_DOWN;
  closeByUs(bridge, bridge.phase.pipe, reasonCode, false);
}

function closeByUs(bridge: Bridge, pipe: Pipe, reasonCode: number, fromTimer: boolean): void {
  teardown(bridge, pipe, { reasonCode, closesTransport: true, byUs: true, byTransport: false, fromTimer });
}

/** §5: the send queue is flushed; unacked, parked, packet id and ctx_msgs survive. */
export function teardown(bridge: Bridge, pipe: Pipe, how: Teardown): void {
  for (const outgoing of pipe.queue) {
    if (isPublishQos0(outgoing)) lost(bridge, outgoing.message!, 'queue-flushed');
  }
  pipe.queue.length = 0;
  for (const message of pipe.awaitingRelease.values()) lost(bridge, message, 'half-received', 'down');
  pipe.awaitingRelease.clear();
  if (bridge.settings.transport === 'quic') logQuicTeardown(bridge, pipe, how);
  else logTcpTeardown(bridge, pipe, how);
  bridge.flaggedConnected = false;
  // Counted down at every disconnect, counted up only with subscriptions (§4-3).
  if (bridge.settings.transport === 'quic') bridge.process.execone--;
  waitForRedial(bridge);
  if (!pipe.connackDelivered && bridge.profile.subscribeRetry)
    addTurn(bridge, { at: bridge.now, kind: 'retry-subscribe' });
}

function logQuicTeardown(bridge: Bridge, pipe: Pipe, how: Teardown): void {
  logStreamsDown(bridge, how.byTransport);
  logReceivesEnded(bridge);
  log(bridge, 'warn', 'bridge_recv_error', { nng_rv: NNG_ECONNABORTED });
  logReceiversEnded(bridge, pipe);
  const { timerAborted } = bridge.profile.log;
  if (timerAborted !== null && !how.fromTimer) log(bridge, timerAborted, 'bridge_timer_aborted');
  logReadsCancelled(bridge, closedBy(how));
  if (how.closesTransport) bridge.out.push({ kind: 'close', code: 0 });
  log(bridge, 'warn', 'bridge_disconnected', { reason_code: how.reasonCode });
  log(bridge, 'info', 'bridge_pipe_stopped');
  logConnectionReleased(bridge);
}

function closedBy(how: Teardown): 'us' | 'peer' | 'transport' {
  if (how.byTransport) return 'transport';
  return how.byUs ? 'us' : 'peer';
}

function logTcpTeardown(bridge: Bridge, pipe: Pipe, how: Teardown): void {
  log(bridge, 'info', 'tcp_bridge_aio_error', { nng_errstr: 'Object closed' });
  const { timerAborted } = bridge.profile.log;
  if (timerAborted !== null && !how.fromTimer) log(bridge, timerAborted, 'bridge_timer_aborted');
  log(bridge, 'warn', 'bridge_recv_error', { rv: TCP_RECEIVE_CUT });
  logReceiversEnded(bridge, pipe);
  if (how.closesTransport) bridge.out.push({ kind: 'close', code: 0 });
  log(bridge, 'warn', 'bridge_disconnected', { reason_code: how.reasonCode });
}

/** The downlink contexts: the first one learns of the end, the others just end. None waits before CONNACK was delivered. */
function logReceiversEnded(bridge: Bridge, pipe: Pipe): void {
  if (!pipe.connackDelivered) return;
  const { receiveEnded, clientOnline } = bridge.profile.log;
  for (let index = 0; index < bridge.settings.maxParallelProcesses; index++) {
    log(bridge, receiveEnded, 'broker_ctx_recv_error', { nng_rv: index === 0 ? NNG_ECONNSHUT : NNG_ECLOSED });
    if (index > 0) continue;
    log(bridge, 'info', 'bridge_connection_closed', { nng_rv: NNG_ECONNSHUT });
    if (clientOnline) log(bridge, 'warn', 'client_offline', { client_id: bridge.settings.clientId });
  }
}
