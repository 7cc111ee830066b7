/** How connections end: keepalive, discard, kick, the peer, a broker stop (emqx-keepalive-model §1.4, §2.4, §2.6, §4). */

import { CONNACK_SIZE, DISCONNECT_SIZE } from '../packet-size.ts';
import { milliseconds } from '../time.ts';
import type { CloseCause } from '../types.ts';
import { dropSession } from './deliver.ts';
import { CONTROL_STREAM, log, send } from './log.ts';
import { detach, sessionExpiryS } from './session.ts';
import type { Broker, Connection } from './state.ts';
import { onSessionEnd } from './will.ts';

const REASON_PROTOCOL_ERROR = 130;
const REASON_UNSUPPORTED_VERSION = 132;
const REASON_KEEPALIVE_TIMEOUT = 141;
const REASON_SESSION_TAKEN_OVER = 142;
const REASON_ADMINISTRATIVE = 152;
const REASON_PACKET_TOO_LARGE = 149;
/** Application error codes of the QUIC connection (§2.4-6). */
const QUIC_NORMAL = 0;
const QUIC_CONTROL_STREAM_DOWN = 1;
/** Measured §7: after a QUIC idle timeout the control process still waits about 3 s before its terminate line. */
const IDLE_TERMINATE_DELAY_MS = 3_000;
/** `T_KICK`: the call that asks an old session to step down is given up after this, with a warning (measured 03g). */
const STEPDOWN_CALL_TIMEOUT_MS = 5_000;
/**
 * The caller then kills the old process, which has just waited as long itself: of six such ends in 03g, 09 and 20 three show both
 * of its last lines, one only the first, two none.
 */
const LAST_LINES_OF_KILLED = ['both', 'both', 'both', 'first', 'none', 'none'] as const;
type LastLines = (typeof LAST_LINES_OF_KILLED)[number];
/** Ends after which a session does not live on, whatever its expiry. */
const ENDS_SESSION: ReadonlySet<string> = new Set([
  'discarded',
  'takenover',
  'takeovered',
  'kicked',
  'expired',
  'protocol_error',
  'idle_timeout',
]);

export function expireKeepalive(broker: Broker, connection: Connection): void {
  sendDisconnect(broker, connection, REASON_KEEPALIVE_TIMEOUT);
  log(broker, connection, 'debug', 'socket_force_closed', { reason: 'keepalive_timeout' });
  closeGracefully(broker, connection, 'keepalive_timeout', broker.profile.quicWaitOnCloseMs);
}

export function discard(broker: Broker, connection: Connection): void {
  if (connection.state === 'detached') {
    endDetached(broker, connection, 'discarded');
    return;
  }
  sendDisconnect(broker, connection, REASON_SESSION_TAKEN_OVER);
  closeGracefully(broker, connection, 'discarded', broker.profile.discardWaitMs);
}

/** A session without a connection ends: nobody is told (§4). */
export function endDetached(broker: Broker, connection: Connection, reason: string): void {
  connection.closeReason = reason;
  terminate(broker, connection);
}

export function kick(broker: Broker, connection: Connection): void {
  sendDisconnect(broker, connection, REASON_ADMINISTRATIVE);
  closeGracefully(broker, connection, 'kicked', broker.profile.kickWaitMs);
}

/** [MQTT-3.1.0-2]: a second CONNECT is a protocol error. */
export function closeByProtocolError(broker: Broker, connection: Connection): void {
  sendDisconnect(broker, connection, REASON_PROTOCOL_ERROR);
  closeGracefully(broker, connection, 'protocol_error', broker.profile.quicWaitOnCloseMs);
}

/** EMQX tells a client of MQTT 5 what was wrong and closes at once. Before its CONNECT nobody is told. */
export function closeMalformed(broker: Broker, connection: Connection, reasonCode: number, text: string): void {
  const reason = reasonCode === REASON_PACKET_TOO_LARGE ? 'frame_too_large' : 'frame_error';
  log(broker, connection, 'info', 'frame_parse_error', { reason: text });
  if (connection.established) sendDisconnect(broker, connection, reasonCode);
  // [MQTT-3.1.2-2] of both versions: the one refusal that a client of another version understands.
  else if (reasonCode === REASON_UNSUPPORTED_VERSION) sendRefusal(broker, connection, reasonCode);
  if (!connection.transportGone) {
    broker.out.push({ kind: 'close', connection: connection.id, code: QUIC_CONTROL_STREAM_DOWN });
  }
  connection.transportGone = true;
  connection.keepalive = null;
  connection.retryAt = null;
  if (connection.state === 'detached') return;
  connection.closeReason = reason;
  terminate(broker, connection);
}

function sendRefusal(broker: Broker, connection: Connection, reasonCode: number): void {
  send(broker, connection, CONTROL_STREAM, {
    type: 'connack',
    reasonCode,
    sessionPresent: false,
    serverKeepaliveS: null,
    maximumPacketSize: null,
    size: CONNACK_SIZE[5],
  });
}

export function closeByClient(broker: Broker, connection: Connection): void {
  log(broker, connection, 'debug', 'socket_force_closed', { reason: 'normal' });
  closeGracefully(broker, connection, 'normal', broker.profile.quicWaitOnCloseMs);
}

/** MQTT 3.1.1 has no DISCONNECT from the server. */
export function sendDisconnect(broker: Broker, connection: Connection, reasonCode: number): void {
  if (connection.connect?.protocol !== 5) return;
  send(broker, connection, CONTROL_STREAM, { type: 'disconnect', reasonCode, size: DISCONNECT_SIZE });
}

/** FIN on the control stream, then up to `waitMs` for the peer (QUIC only). */
export function closeGracefully(broker: Broker, connection: Connection, reason: string, waitMs: number): void {
  if (connection.state === 'awaiting-stepdown') broker.awaiting--;
  connection.keepalive = null;
  connection.retryAt = null;
  connection.closeReason = reason;
  connection.state = 'closing';
  if (!connection.transportGone) broker.out.push({ kind: 'finish', connection: connection.id });
  const waits = connection.transport === 'quic' && waitMs > 0;
  if (!waits) {
    terminate(broker, connection);
    return;
  }
  connection.closingUntil = broker.now + milliseconds(waitMs);
}

/** The peer did not close in time. */
export function onCloseTimeout(broker: Broker, connection: Connection): void {
  const givenUp = connection.closeReason === 'discarded' && broker.profile.discardWaitMs >= STEPDOWN_CALL_TIMEOUT_MS;
  const drawn = givenUp ? LAST_LINES_OF_KILLED[broker.rng.int(0, LAST_LINES_OF_KILLED.length - 1)]! : 'both';
  terminate(broker, connection, drawn);
  if (!givenUp) return;
  log(broker, connection, 'warn', 'session_stepdown_timeout', { action: 'discard', conn_mod: 'emqx_connection' });
}

/** The process ends: log lines, session gone or left to itself, QUIC connection shut down, waiting CONNECTs go on. */
export function terminate(broker: Broker, connection: Connection, lastLines: LastLines = 'both'): void {
  if (connection.state === 'ended') return;
  if (connection.state === 'awaiting-stepdown') broker.awaiting--;
  if (keepsSession(broker, connection)) {
    // The QUIC connection stays open: its end would follow the end of the control process (§1.4).
    detach(broker, connection);
    if (broker.clients) limitDetached(broker, broker.clients.rules.detachedMax);
    return;
  }
  if (broker.clients) onSessionEnd(broker, connection);
  connection.state = 'ended';
  connection.closingUntil = null;
  connection.retryAt = null;
  if (connection.clientId !== null) logTerminated(broker, connection, lastLines);
  dropSession(broker, connection);
  closeTransport(broker, connection);
  broker.connections.delete(connection.id);
  if (broker.awaiting === 0) return;
  for (const other of broker.connections.values()) other.waitingFor.delete(connection.id);
}

/** The oldest session without a connection makes room. */
function limitDetached(broker: Broker, max: number): void {
  let count = 0;
  let oldest: Connection | null = null;
  for (const connection of broker.connections.values()) {
    if (connection.state !== 'detached') continue;
    oldest ??= connection;
    count++;
  }
  if (oldest && count > max) endDetached(broker, oldest, 'expired');
}

function keepsSession(broker: Broker, connection: Connection): boolean {
  if (!connection.established || connection.state === 'detached') return false;
  return !ENDS_SESSION.has(connection.closeReason ?? '') && sessionExpiryS(broker, connection) > 0;
}

function logTerminated(broker: Broker, connection: Connection, lastLines: LastLines): void {
  const fields = { reason: connection.closeReason, reason_term: `{shutdown,${connection.closeReason}}` };
  if (lastLines !== 'none') log(broker, connection, 'debug', 'connection_terminated', fields);
  if (lastLines === 'both') log(broker, connection, 'info', 'connection_terminate_info', fields);
  if (connection.established) log(broker, null, 'debug', 'channel_cleaned', { client_id: connection.clientId });
}

function closeTransport(broker: Broker, connection: Connection): void {
  if (connection.transportGone) return;
  if (connection.transport === 'tcp') {
    // All other ends have sent a FIN already.
    if (connection.closeReason === 'idle_timeout')
      broker.out.push({ kind: 'close', connection: connection.id, code: 0 });
    return;
  }
  // Before 5.5 the stream's end leaves the QUIC connection open (measured §7).
  if (!broker.profile.closesQuicAfterWait) return;
  const code = connection.closeReason === 'normal' ? QUIC_NORMAL : QUIC_CONTROL_STREAM_DOWN;
  broker.out.push({ kind: 'close', connection: connection.id, code });
}

/** The transport of a connection ended. */
export function onTransportClosed(broker: Broker, connection: Connection, cause: CloseCause): void {
  connection.transportGone = true;
  connection.keepalive = null;
  connection.retryAt = null;
  if (connection.state === 'detached') return;
  if (connection.state === 'closing') {
    terminate(broker, connection);
    return;
  }
  connection.closeReason = reasonOf(connection, cause);
  if (cause.kind !== 'idle' || connection.clientId === null) {
    terminate(broker, connection);
    return;
  }
  if (connection.state === 'awaiting-stepdown') broker.awaiting--;
  connection.state = 'closing';
  connection.closingUntil = broker.now + milliseconds(IDLE_TERMINATE_DELAY_MS);
}

function reasonOf(connection: Connection, cause: CloseCause): string {
  if (connection.transport === 'tcp') return cause.kind === 'reset' ? 'closed' : 'tcp_closed';
  switch (cause.kind) {
    case 'idle':
      return 'connection_idle';
    case 'timeout':
      return 'connection_timeout';
    case 'peer':
      return cause.code === 0 ? 'normal' : 'aborted';
    default:
      return 'normal';
  }
}

/** Graceful stop: QUIC connections end with code 0 (measured §2.16), TCP ones with a FIN; sessions are gone. */
export function stopAll(broker: Broker): void {
  for (const connection of broker.connections.values()) {
    dropSession(broker, connection);
    if (connection.transportGone) continue;
    if (connection.transport === 'tcp') broker.out.push({ kind: 'finish', connection: connection.id });
    else broker.out.push({ kind: 'close', connection: connection.id, code: QUIC_NORMAL });
  }
  broker.connections.clear();
  broker.awaiting = 0;
}
