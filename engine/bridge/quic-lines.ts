/**
 * What msquic's callbacks log while a connection comes and goes (nanomq-logs §2.2.2). Counts and order as in the logs of the
 * measured incidents; where they vary from one connection to the next, with the measured share.
 */

import type { CloseCause, Micros } from '../types.ts';
import {
  aioPointer,
  connectionPointer,
  hostPort,
  linePercent,
  linePermille,
  log,
  NO_POINTER,
  streamPointer,
} from './log.ts';
import type { Bridge, Pipe } from './state.ts';

const STREAMS = [0, 1, 2, 3, 4] as const;
const SUB_STREAMS = [1, 2, 3, 4] as const;
/** Client-initiated bidirectional streams are numbered 0, 4, 8, … (RFC 9000 §2.1). */
const STREAM_ID_STEP = 4;
const TICKET_BYTES = 1_788;
/** Linux errno, as msquic reports it: ETIMEDOUT, ETIME, EHOSTUNREACH. */
const STATUS_TIMEOUT = 0x6e;
const STATUS_IDLE = 0x3e;
const STATUS_UNREACHABLE = 0x71;
/** Sticky dial codes: the first reason is kept for the life of the bridge (nanomq-logs §1.4). */
const SHUT_BY_TRANSPORT = 136;
const SHUT_BY_PEER = 139;
/**
 * Share of CONNACKs with a line about the send buffer of the control stream (measured: 129 of 215, and of those in 08a and 08b, where
 * most are refusals, 25 of 63), and of connects with lines about refused streams.
 */
const IDEAL_BUFFER_PERCENT = 60;
const IDEAL_BUFFER_REFUSED_PERCENT = 40;
const NOT_ACCEPTED_PERCENT = 6;
/** Share of ends by FIN in which the close of the connection is seen before ours is done (measured: 25 of 130). */
const CLOSE_AFTER_FIN_PERCENT = 19;
const CONTROL_STREAM_DOWN = 1;
/**
 * From which sub stream on a teardown cancels the reads that are pending, out of 100: the end of the connection races with it
 * (measured, 130 ends by FIN and 25 by a close of the peer: 48 without any, else a run up to stream 4).
 */
const READS_CANCELLED_FROM: readonly (readonly [percent: number, from: number])[] = [
  [20, 1],
  [15, 2],
  [13, 3],
  [4, 4],
];
/** The same if msquic gave the connection up (measured: 4 of 14 ends). */
const READS_CANCELLED_AFTER_TIMEOUT: typeof READS_CANCELLED_FROM = [[28, 3]];
/** We close and cancel all reads, but for some ends with only the main stream's (measured: 3 of 41). */
const ONLY_MAIN_READ_CANCELLED_PERCENT = 7;
/**
 * msquic names a stream's ideal send buffer, once a connection, when the bytes in flight reach a new maximum while that stream
 * sends. That is up to how writes and acknowledgements interleave within a millisecond. The shares of writes are measured, by the
 * time since the write before: 20 to 35 messages a second (21, 26), 10 (03c to 03k), 5 (02a to 02f), one in five
 * seconds (01f).
 */
const IDEAL_BUFFER_PERMILLE: readonly (readonly [apart: Micros, permille: number])[] = [
  [60_000, 45],
  [150_000, 3],
  [1_000_000, 7],
];
const IDEAL_BUFFER_RARE_PERMILLE = 80;
/** Measured (17): one abort is followed by eight reopenings within the second, the last three refused by EMQX's limit of ten. */
const REOPENINGS = 8;
const REOPENINGS_ACCEPTED = 5;
const ROOM_AFTER_REOPENING = 4;

export function logDialBegin(bridge: Bridge): void {
  const [host = '', port = ''] = hostPort(bridge).split(':');
  log(bridge, 'info', 'quic_dial_begin');
  if (bridge.connections === 1 && bridge.index === 0) log(bridge, 'info', 'msquic_enabled');
  log(bridge, 'warn', 'quic_no_tls_credentials');
  log(bridge, 'info', 'quic_connecting', { host, port });
}

export function logHandshakeDone(bridge: Bridge): void {
  const conn_ptr = connectionPointer(bridge);
  log(bridge, 'info', 'quic_datagram_state');
  log(bridge, 'info', 'quic_connected', { conn_ptr, resumed: 0 });
  log(bridge, 'info', 'quic_streams_available');
  log(bridge, 'info', 'quic_streams_available');
  for (const sid of SUB_STREAMS) {
    log(bridge, 'info', 'quic_substream_assigned', { conn_ptr: streamPointer(bridge, sid), index: sid - 1 });
  }
  for (const sid of STREAMS) logStreamStarted(bridge, sid, sid * STREAM_ID_STEP);
  log(bridge, 'info', 'quic_ticket_received', { conn_ptr, bytes: TICKET_BYTES });
  if (linePercent(bridge) >= NOT_ACCEPTED_PERCENT) return;
  for (const sid of STREAMS) log(bridge, 'warn', 'quic_stream_not_accepted', { sid });
}

function logStreamStarted(bridge: Bridge, sid: number, streamId: number): void {
  const fields = { sid, stream_ptr: streamPointer(bridge, sid), quic_stream_id: streamId, status: 0 };
  log(bridge, 'info', 'quic_stream_started', fields);
}

/** The line in which msquic tells why, and the sticky code it leaves behind. */
export function logTransportEnd(bridge: Bridge, cause: CloseCause): void {
  if (bridge.settings.transport === 'tcp') return;
  const pointer = { conn_ptr: connectionPointer(bridge) };
  switch (cause.kind) {
    case 'peer':
      bridge.stickyDialCode ??= SHUT_BY_PEER;
      log(bridge, 'warn', 'quic_shutdown_by_peer', { ...pointer, error_code: cause.code });
      return;
    case 'peer-fin':
      logFin(bridge);
      log(bridge, 'info', 'quic_streams_available');
      if (linePercent(bridge) < CLOSE_AFTER_FIN_PERCENT) {
        log(bridge, 'warn', 'quic_shutdown_by_peer', { ...pointer, error_code: CONTROL_STREAM_DOWN });
      }
      return;
    case 'timeout':
    case 'handshake-timeout':
      logShutdownByTransport(bridge, STATUS_TIMEOUT, 'quic_connection_timeout');
      return;
    case 'idle':
      logShutdownByTransport(bridge, STATUS_IDLE, 'quic_idle_timeout');
      return;
    case 'unreachable':
      logShutdownByTransport(bridge, STATUS_UNREACHABLE, 'quic_host_unreachable');
      return;
    default:
      return;
  }
}

/** The FIN of the main stream, also where we have closed the connection already. */
export function logFin(bridge: Bridge): void {
  log(bridge, 'warn', 'quic_fin_received', { sid: 0 });
  log(bridge, 'warn', 'quic_peer_send_shutdown', { sid: 0, stream_ptr: streamPointer(bridge, 0) });
}

function logShutdownByTransport(bridge: Bridge, status: number, event: string): void {
  bridge.stickyDialCode ??= SHUT_BY_TRANSPORT;
  const conn_ptr = connectionPointer(bridge);
  log(bridge, 'warn', 'quic_shutdown_by_transport', { conn_ptr, status_hex: status, error_code: 1 });
  log(bridge, 'warn', event, { conn_ptr });
}

/** What a failed dial is reported with. */
export function dialCode(bridge: Bridge): number {
  return bridge.stickyDialCode ?? SHUT_BY_TRANSPORT;
}

export function logDialFailed(bridge: Bridge, rv: number): void {
  log(bridge, 'info', 'quic_shutdown_complete', { conn_ptr: connectionPointer(bridge) });
  if (bridge.profile.log.shutdownBug) log(bridge, 'error', 'quic_shutdown_bug');
  log(bridge, 'warn', 'quic_dial_error');
  log(bridge, 'warn', 'quic_dial_abort', { rv });
  logDialReported(bridge, rv);
}

/** The last lines of every failed dial. */
export function logDialReported(bridge: Bridge, rv: number): void {
  log(bridge, 'error', 'bridge_dial_failed', { rv });
  log(bridge, 'error', 'bridge_dial_error_reported', { rv });
}

/** All streams of a connection end. `byTransport`: msquic gave it up itself. */
export function logStreamsDown(bridge: Bridge, byTransport: boolean): void {
  for (const sid of STREAMS) logStreamDown(bridge, sid, byTransport ? 1 : 0);
}

function logStreamDown(bridge: Bridge, sid: number, connError: number): void {
  const stream_ptr = streamPointer(bridge, sid);
  log(bridge, 'info', 'quic_stream_send_shutdown_complete', { sid, stream_ptr });
  log(bridge, 'warn', 'quic_stream_shutdown_complete', { sid, stream_ptr, conn_error: connError });
}

/** The receives of the main and the sub streams end with an error each. */
export function logReceivesEnded(bridge: Bridge): void {
  log(bridge, 'info', 'quic_tran_recv_error', { nng_errstr: 'Connection shutdown', stream_ptr: NO_POINTER });
  for (const sid of SUB_STREAMS) logReceiveCancelled(bridge, sid);
}

export function logReceiveCancelled(bridge: Bridge, sid: number): void {
  const stream_ptr = streamPointer(bridge, sid);
  log(bridge, 'info', 'quic_tran_recv_error', { nng_errstr: 'Operation canceled', stream_ptr });
}

/**
 * A sub stream whose receive ended is armed again although the connection is going: a flood in some cases (measured §2.13).
 * `refused`: the stream does not take the receive any more.
 */
export function logReceiveRetried(bridge: Bridge, refused = true): void {
  for (const sid of SUB_STREAMS) {
    logReceiveCancelled(bridge, sid);
    log(bridge, 'info', 'quic_substream_recv_retry', { sid, aio_ptr: aioPointer(bridge, sid) });
    if (refused) log(bridge, 'error', 'quic_stream_aio_begin_failed', { nng_rv: 20 });
  }
}

export function logReadsCancelled(bridge: Bridge, closedBy: 'us' | 'peer' | 'transport'): void {
  if (closedBy === 'us') {
    const streams = linePercent(bridge) < ONLY_MAIN_READ_CANCELLED_PERCENT ? [0] : STREAMS;
    for (const sid of streams) log(bridge, 'info', 'quic_stream_op_cancelled', { sid });
    return;
  }
  let percent = linePercent(bridge);
  for (const [share, from] of closedBy === 'peer' ? READS_CANCELLED_FROM : READS_CANCELLED_AFTER_TIMEOUT) {
    percent -= share;
    if (percent >= 0) continue;
    for (const sid of SUB_STREAMS) if (sid >= from) log(bridge, 'info', 'quic_stream_op_cancelled', { sid });
    return;
  }
}

/** The CONNACK came: something was acknowledged for the first time. */
export function logFirstIdealBuffer(bridge: Bridge, refused: boolean): void {
  const percent = refused ? IDEAL_BUFFER_REFUSED_PERCENT : IDEAL_BUFFER_PERCENT;
  if (linePercent(bridge) < percent) log(bridge, 'info', 'quic_stream_ideal_buffer', { sid: 0 });
}

/** A PUBLISH is written on a stream. The control stream had its line at the CONNACK. */
export function logIdealBuffer(bridge: Bridge, pipe: Pipe, sid: number): void {
  const apart = bridge.now - pipe.lastPublishAt;
  pipe.lastPublishAt = bridge.now;
  if (sid === 0 || pipe.idealBufferLogged[sid]) return;
  const permille = IDEAL_BUFFER_PERMILLE.find(([most]) => apart <= most)?.[1] ?? IDEAL_BUFFER_RARE_PERMILLE;
  if (linePermille(bridge) >= permille) return;
  pipe.idealBufferLogged[sid] = true;
  log(bridge, 'info', 'quic_stream_ideal_buffer', { sid });
}

export function logConnectionReleased(bridge: Bridge): void {
  for (const sid of SUB_STREAMS) {
    log(bridge, 'warn', 'quic_substream_released', { sid, aio_ptr: aioPointer(bridge, sid) });
  }
  log(bridge, 'info', 'quic_shutdown_complete', { conn_ptr: connectionPointer(bridge) });
}

/** The watchdog aborts a stream and opens it again. */
export function logStreamReopened(bridge: Bridge, sid: number): void {
  logStreamDown(bridge, sid, 0);
  for (let round = 1; round <= REOPENINGS; round++) {
    log(bridge, 'info', 'quic_substream_reopened', { sid, aio_ptr: aioPointer(bridge, sid) });
    logStreamStarted(bridge, sid, (STREAMS.length + round - 1) * STREAM_ID_STEP);
    if (round > REOPENINGS_ACCEPTED) log(bridge, 'warn', 'quic_stream_not_accepted', { sid });
    if (round < REOPENINGS) logStreamDown(bridge, sid, 0);
  }
  // The streams that ended make room for others.
  for (let count = 0; count < ROOM_AFTER_REOPENING; count++) log(bridge, 'info', 'quic_streams_available');
  log(bridge, 'info', 'quic_stream_ideal_buffer', { sid });
}
