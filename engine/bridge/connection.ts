/** Negotiation, and what the transport reports (nanomq-bridge-model §3.3, §4, §5; measured §2 for the log lines). */

import { connectSize } from '../packet-size.ts';
import { SECOND, seconds } from '../time.ts';
import type { CloseCause, Packet } from '../types.ts';
import { address, connectionPointer, log, NNG_ECANCELED, NNG_ECLOSED, NNG_ECONNABORTED } from './log.ts';
import { waitForRedial } from './redial.ts';
import { pipeSend } from './send.ts';
import type { Bridge, Pipe } from './state.ts';
import { subscribeAll } from './subscribe.ts';
import { DIAL_FAILED, REASON_SERVER_SHUTTING_DOWN, teardown } from './teardown.ts';
import { tickPeriod, watchdogPeriod } from './timer.ts';
import { CONTROL_STREAM } from './write.ts';

const NEGOTIATION_TIMEOUT = 10 * SECOND;
/** Linux errno in hex, as msquic reports it: ETIMEDOUT, ETIME, EHOSTUNREACH. */
const STATUS_TIMEOUT = '6e';
const STATUS_IDLE = '3e';
const STATUS_UNREACHABLE = '71';
/** Measured §5: 2 of 29 graceful stops lost the receive in the race; of the two, one ended with each code. */
const RECEIVE_RACE_OF = 29;
const RECEIVE_RACE_HITS = 2;
/** 46 % of the cycles show the DISCONNECT, 73 % the FIN, so 19 of these 46 show both. */
const LATE_FIN_LOGGED_PERCENT = 41;
const DEAD_RESULTS = [REASON_SERVER_SHUTTING_DOWN, NNG_ECLOSED] as const;

export function onTransportConnected(bridge: Bridge): void {
  if (bridge.phase.kind !== 'dialing') return;
  const { settings } = bridge;
  if (settings.transport === 'quic') {
    log(bridge, 'info', 'quic_connected', { conn_ptr: connectionPointer(bridge), resumed: 0 });
  }
  bridge.phase = { kind: 'negotiating', deadline: bridge.now + NEGOTIATION_TIMEOUT };
  const packet: Packet = {
    type: 'connect',
    clientId: settings.clientId,
    keepaliveS: settings.keepaliveS,
    cleanStart: settings.cleanStart,
    protocol: settings.protocol,
    username: settings.username,
    size: connectSize(settings.clientId, settings.username, settings.protocol),
  };
  const token = bridge.nextToken++;
  bridge.out.push({ kind: 'write', token, stream: CONTROL_STREAM, packet, message: null });
}

export function onConnack(bridge: Bridge, packet: Extract<Packet, { type: 'connack' }>): void {
  if (packet.maximumPacketSize !== null) {
    log(bridge, 'info', 'bridge_server_max_packet', { bytes: packet.maximumPacketSize });
  }
  const pipe = newPipe(bridge, packet.maximumPacketSize);
  bridge.phase = { kind: 'up', pipe };
  // [MQTT-3.1.2-21]: the Server Keep Alive of CONNACK wins.
  bridge.keepalive = seconds(packet.serverKeepaliveS ?? bridge.settings.keepaliveS);
  bridge.timeleft = bridge.keepalive;
  // The first parked aio goes out before any SUBSCRIBE (§4-2).
  const parked = bridge.parked.shift();
  if (parked) pipeSend(bridge, pipe, parked.aio, parked.outgoing);
  logConnected(bridge);
  subscribeAll(bridge);
  // The TCP client says nothing of it (measured, incidents 11a 11b 24c).
  if (bridge.settings.transport === 'quic')
    log(bridge, 'info', 'bridge_keepalive_set', { keepalive_ms: bridge.keepalive / 1000 });
}

function newPipe(bridge: Bridge, maximumPacketSize: number | null): Pipe {
  return {
    busy: false,
    queue: [],
    writes: new Map(),
    pings: 0,
    tickAt: bridge.now + tickPeriod(bridge),
    watchdogAt: bridge.profile.watchdogMs === null ? null : bridge.now + watchdogPeriod(),
    slowestWrite: new Map(),
    maximumPacketSize,
    awaitingRelease: new Map(),
    receiverDead: false,
    deadResult: null,
  };
}

function logConnected(bridge: Bridge): void {
  if (bridge.settings.transport === 'quic') {
    log(bridge, 'info', 'bridge_connected', { reason_code: 0 });
    return;
  }
  log(bridge, 'info', 'bridge_connected', { address: address(bridge), reason_code: 0 });
}

function logNegotiationFailed(bridge: Bridge, nngError: string): void {
  const quic = bridge.settings.transport === 'quic';
  log(bridge, 'info', quic ? 'bridge_negotiation_failed' : 'tcp_bridge_aio_error', { nng_errstr: nngError });
}

export function onNegotiationTimeout(bridge: Bridge): void {
  logNegotiationFailed(bridge, 'Timed out');
  bridge.out.push({ kind: 'close', code: 0 });
  waitForRedial(bridge);
}

/** The transport says the connection or the dial is over. */
export function onTransportClosed(bridge: Bridge, cause: CloseCause): void {
  switch (bridge.phase.kind) {
    case 'dialing':
      onDialFailed(bridge, cause);
      return;
    case 'negotiating':
      logTransportEnd(bridge, cause);
      if (cause.kind === 'peer-fin') bridge.out.push({ kind: 'close', code: 0 });
      logNegotiationFailed(bridge, 'Connection shutdown');
      waitForRedial(bridge);
      return;
    case 'up':
      onPipeLost(bridge, bridge.phase.pipe, cause);
      return;
    case 'waiting':
      onEndAfterClose(bridge, cause);
      return;
    default:
      return;
  }
}

/** The FIN that came with a DISCONNECT already acted upon: its line shows in some cycles (measured §2.11). */
function onEndAfterClose(bridge: Bridge, cause: CloseCause): void {
  if (cause.kind !== 'peer-fin') return;
  if (bridge.rng.int(1, 100) <= LATE_FIN_LOGGED_PERCENT) logTransportEnd(bridge, cause);
}

function onDialFailed(bridge: Bridge, cause: CloseCause): void {
  logTransportEnd(bridge, cause);
  if (bridge.settings.transport === 'quic') {
    log(bridge, 'info', 'quic_shutdown_complete', { conn_ptr: connectionPointer(bridge) });
    log(bridge, 'error', 'bridge_dial_failed', { rv: DIAL_FAILED });
    log(bridge, 'error', 'bridge_dial_error_reported', { rv: DIAL_FAILED });
  } else {
    const nngError = cause.kind === 'unreachable' ? 'Connection refused' : 'Timed out';
    log(bridge, 'info', 'tcp_bridge_aio_error', { nng_errstr: nngError });
  }
  waitForRedial(bridge);
}

function onPipeLost(bridge: Bridge, pipe: Pipe, cause: CloseCause): void {
  logTransportEnd(bridge, cause);
  if (losesReceiveRace(bridge, pipe, cause)) return;
  const quic = bridge.settings.transport === 'quic';
  teardown(bridge, pipe, {
    reasonCode: quic ? 0 : REASON_SERVER_SHUTTING_DOWN,
    receiveError: quic ? NNG_ECONNABORTED : DIAL_FAILED,
    closesTransport: cause.kind === 'peer-fin',
  });
}

/**
 * A cancelled sub stream takes the only waiting receive before the main stream's error arrives, and it is not armed again:
 * nobody closes the pipe (measured §2.4, §5).
 */
function losesReceiveRace(bridge: Bridge, pipe: Pipe, cause: CloseCause): boolean {
  if (bridge.profile.rearmReceiveOnCancel) return false;
  if (!pipe.receiverDead) {
    if (cause.kind !== 'peer' || cause.code !== 0) return false;
    const chosen = bridge.receiveLostChoices[bridge.nextReceiveLostChoice];
    bridge.nextReceiveLostChoice += 1;
    if (!(chosen ?? bridge.rng.int(1, RECEIVE_RACE_OF) <= RECEIVE_RACE_HITS)) return false;
    log(bridge, 'warn', 'bridge_recv_error', { nng_rv: NNG_ECANCELED });
    pipe.receiverDead = true;
  }
  log(bridge, 'info', 'quic_main_stream_aborted');
  pipe.deadResult = DEAD_RESULTS[bridge.rng.int(0, 1)]!;
  // Writes that the transport will never complete fail like the next ones.
  for (const token of pipe.writes.keys()) {
    bridge.turns.push({ at: bridge.now, kind: 'sent', token, result: pipe.deadResult });
  }
  return true;
}

export function onStreamCancelled(bridge: Bridge, pipe: Pipe): void {
  log(bridge, 'warn', 'bridge_recv_error', { nng_rv: NNG_ECANCELED });
  if (bridge.profile.rearmReceiveOnCancel) {
    log(bridge, 'info', 'bridge_substream_recv_rearmed');
    return;
  }
  pipe.receiverDead = true;
}

function logTransportEnd(bridge: Bridge, cause: CloseCause): void {
  if (bridge.settings.transport === 'tcp') return;
  const pointer = { conn_ptr: connectionPointer(bridge) };
  switch (cause.kind) {
    case 'peer':
      log(bridge, 'warn', 'quic_shutdown_by_peer', { ...pointer, error_code: cause.code });
      return;
    case 'peer-fin':
      log(bridge, 'warn', 'quic_fin_received', { sid: CONTROL_STREAM });
      return;
    case 'timeout':
    case 'handshake-timeout':
      log(bridge, 'warn', 'quic_shutdown_by_transport', { ...pointer, status_hex: STATUS_TIMEOUT, error_code: 1 });
      log(bridge, 'warn', 'quic_connection_timeout', pointer);
      return;
    case 'idle':
      log(bridge, 'warn', 'quic_shutdown_by_transport', { ...pointer, status_hex: STATUS_IDLE, error_code: 1 });
      log(bridge, 'warn', 'quic_idle_timeout', pointer);
      return;
    case 'unreachable':
      log(bridge, 'warn', 'quic_shutdown_by_transport', { ...pointer, status_hex: STATUS_UNREACHABLE, error_code: 1 });
      log(bridge, 'warn', 'quic_host_unreachable', pointer);
      return;
    default:
      return;
  }
}
