/** Negotiation, and what the transport reports (nanomq-bridge-model §3.3, §4, §5; measured §2 for the log lines). */

import { connectSize } from '../packet-size.ts';
import { SECOND, seconds } from '../time.ts';
import type { CloseCause, Packet } from '../types.ts';
import { address, log, NNG_EBUSY, NNG_ECANCELED, NNG_ECLOSED } from './log.ts';
import {
  dialCode,
  logConnectionReleased,
  logDialFailed,
  logDialReported,
  logFin,
  logFirstIdealBuffer,
  logHandshakeDone,
  logReadsCancelled,
  logReceiveCancelled,
  logReceiveRetried,
  logStreamsDown,
  logTransportEnd,
} from './quic-lines.ts';
import { logReceiveArmed } from './receive.ts';
import { waitForRedial } from './redial.ts';
import { pipeSend } from './send.ts';
import type { Bridge, Pipe } from './state.ts';
import { subscribeAll } from './subscribe.ts';
import { REASON_SERVER_SHUTTING_DOWN, teardown } from './teardown.ts';
import { tickPeriod, watchdogPeriod } from './timer.ts';
import { CONTROL_STREAM } from './write.ts';

const NEGOTIATION_TIMEOUT = 10 * SECOND;
const STREAMS = 5;
/** Measured §5: 2 of 29 graceful stops lost the receive in the race; of the two, one ended with each code. */
const RECEIVE_RACE_OF = 29;
const RECEIVE_RACE_HITS = 2;
/** 46 % of the cycles show the DISCONNECT, 73 % the FIN, so 19 of these 46 show both. */
const LATE_FIN_LOGGED_PERCENT = 41;
const DEAD_RESULTS = [REASON_SERVER_SHUTTING_DOWN, NNG_ECLOSED] as const;
/** Measured §2.12: of 55 refused CONNACKs 13 were taken for a success before the FIN was seen. */
const REFUSED_OF = 55;
const REFUSED_SEEN = 13;
/** The callback prints what is on the stack (D10). */
const LOCAL_ADDRESS = { ip: '0.0.0.0', port: 2052 } as const;

export function onTransportConnected(bridge: Bridge): void {
  if (bridge.phase.kind !== 'dialing') return;
  const { settings } = bridge;
  if (settings.transport === 'quic') logHandshakeDone(bridge);
  bridge.phase = { kind: 'negotiating', deadline: bridge.now + NEGOTIATION_TIMEOUT };
  const packet: Packet = {
    type: 'connect',
    clientId: settings.clientId,
    keepaliveS: settings.keepaliveS,
    cleanStart: settings.cleanStart,
    protocol: settings.protocol,
    username: settings.username,
    ...(settings.protocol === 5 && {
      sessionExpiryS: settings.sessionExpiryS,
      receiveMaximum: settings.receiveMaximum,
    }),
    size: connectSize(settings.clientId, settings.username, settings.protocol),
  };
  const token = bridge.nextToken++;
  bridge.out.push({ kind: 'write', token, stream: CONTROL_STREAM, packet, message: null });
}

export function onConnack(bridge: Bridge, packet: Extract<Packet, { type: 'connack' }>): void {
  const refused = packet.reasonCode !== 0;
  if (bridge.settings.transport === 'quic') logFirstIdealBuffer(bridge, refused);
  // Data delivered together with a FIN is not read (§3.3): the refusal is not seen, the negotiation just ends.
  if (refused && bridge.rng.int(1, REFUSED_OF) > REFUSED_SEEN) return;
  if (packet.maximumPacketSize !== null) {
    log(bridge, 'info', 'bridge_server_max_packet', { bytes: packet.maximumPacketSize });
  }
  const pipe = newPipe(bridge, packet.maximumPacketSize, !refused);
  bridge.phase = { kind: 'up', pipe };
  // The first parked aio goes out before any SUBSCRIBE (§4-2).
  const parked = bridge.parked.shift();
  if (parked) pipeSend(bridge, pipe, parked.aio, parked.outgoing);
  // Measured (08a): the receive is armed again whatever the CONNACK says.
  if (refused && bridge.profile.log.receiveArmed) logReceiveArmed(bridge, CONTROL_STREAM);
  onConnectCallback(bridge, packet.reasonCode);
  if (!refused) onConnackDelivered(bridge, packet.serverKeepaliveS);
}

/** §4-3. On QUIC the callback does nothing while another bridge of the process is connected with subscriptions (D9). */
function onConnectCallback(bridge: Bridge, reasonCode: number): void {
  if (bridge.settings.transport === 'tcp') {
    bridge.flaggedConnected = true;
    log(bridge, 'info', 'bridge_connected', { address: address(bridge), reason_code: reasonCode });
    subscribeAll(bridge);
    return;
  }
  if (bridge.process.execone > 0) return;
  bridge.flaggedConnected = true;
  log(bridge, 'info', 'bridge_connected', { reason_code: 0 });
  log(bridge, 'info', 'bridge_local_addr', LOCAL_ADDRESS);
  subscribeAll(bridge);
  if (bridge.settings.subscriptions.length > 0) bridge.process.execone++;
}

/** §4-4. */
function onConnackDelivered(bridge: Bridge, serverKeepaliveS: number | null): void {
  const { log: lines } = bridge.profile;
  // [MQTT-3.1.2-21]: the Server Keep Alive of CONNACK wins.
  bridge.keepalive = seconds(serverKeepaliveS ?? bridge.settings.keepaliveS);
  bridge.timeleft = bridge.keepalive;
  if (bridge.settings.transport === 'quic') {
    if (lines.dialResult) log(bridge, 'info', 'dialer_connect_result', { rv: 0, aio_ptr: '(nil)' });
    if (lines.receiveArmed) logReceiveArmed(bridge, CONTROL_STREAM);
    log(bridge, 'info', 'bridge_keepalive_set', { keepalive_ms: bridge.keepalive / 1000 });
  }
  log(bridge, lines.connackDelivered, 'bridge_connack_delivered');
  if (lines.clientOnline) log(bridge, 'warn', 'client_online', { client_id: bridge.settings.clientId });
}

function newPipe(bridge: Bridge, maximumPacketSize: number | null, connackDelivered: boolean): Pipe {
  return {
    busy: false,
    queue: [],
    writes: new Map(),
    pings: 0,
    tickAt: bridge.now + tickPeriod(bridge),
    watchdogAt: bridge.profile.watchdogMs === null ? null : bridge.now + watchdogPeriod(),
    slowestWrite: Array<number>(STREAMS).fill(0),
    idealBufferLogged: Array<boolean>(STREAMS).fill(false),
    lastPublishAt: 0,
    acksUnderWay: Array<number>(STREAMS).fill(0),
    maximumPacketSize,
    receiveFreeAt: 0,
    connackDelivered,
    awaitingRelease: new Map(),
    receiverDead: false,
    deadResult: null,
  };
}

export function onNegotiationTimeout(bridge: Bridge): void {
  bridge.out.push({ kind: 'close', code: 0 });
  if (bridge.settings.transport === 'quic') log(bridge, 'info', 'quic_stream_op_cancelled', { sid: CONTROL_STREAM });
  endNegotiation(bridge, 'Timed out', false);
}

/** The CONNECT and CONNACK exchange failed; the sub streams' receives are armed again and again meanwhile (measured 08a). */
function endNegotiation(bridge: Bridge, nngError: string, byTransport: boolean): void {
  const quic = bridge.settings.transport === 'quic';
  if (quic) logStreamsDown(bridge, byTransport);
  log(bridge, 'info', quic ? 'bridge_negotiation_failed' : 'tcp_bridge_aio_error', { nng_errstr: nngError });
  if (quic) {
    logReadsCancelled(bridge, byTransport ? 'transport' : 'peer');
    logReceiveRetried(bridge);
    logConnectionReleased(bridge);
  }
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
      endNegotiation(bridge, 'Connection shutdown', isByTransport(cause));
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
  if (cause.kind !== 'peer-fin' || bridge.settings.transport === 'tcp') return;
  if (bridge.rng.int(1, 100) <= LATE_FIN_LOGGED_PERCENT) logFin(bridge);
}

function isByTransport(cause: CloseCause): boolean {
  return cause.kind === 'timeout' || cause.kind === 'idle';
}

function onDialFailed(bridge: Bridge, cause: CloseCause): void {
  logTransportEnd(bridge, cause);
  const rv = dialCode(bridge);
  if (bridge.settings.transport === 'quic') {
    logDialFailed(bridge, rv);
  } else {
    const nngError = cause.kind === 'unreachable' ? 'Connection refused' : 'Timed out';
    log(bridge, 'info', 'tcp_bridge_aio_error', { nng_errstr: nngError });
  }
  if (bridge.profile.log.dialResult) log(bridge, 'info', 'dialer_connect_result', { rv, aio_ptr: '(nil)' });
  waitForRedial(bridge);
}

/** §3.3-3: the redial came before the old connection was done with its shutdown. */
export function onDialBusy(bridge: Bridge): void {
  if (bridge.phase.kind !== 'dialing') return;
  log(bridge, 'error', 'quic_redial_busy');
  logDialReported(bridge, NNG_EBUSY);
  waitForRedial(bridge);
}

function onPipeLost(bridge: Bridge, pipe: Pipe, cause: CloseCause): void {
  logTransportEnd(bridge, cause);
  if (losesReceiveRace(bridge, pipe, cause)) return;
  teardown(bridge, pipe, {
    reasonCode: bridge.settings.transport === 'quic' ? 0 : REASON_SERVER_SHUTTING_DOWN,
    closesTransport: cause.kind === 'peer-fin',
    byUs: false,
    byTransport: isByTransport(cause),
    fromTimer: false,
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
  logStreamsDown(bridge, false);
  // Measured (03l): here each attempt gets as far as waiting.
  logReceiveRetried(bridge, false);
  log(bridge, 'info', 'quic_main_stream_aborted');
  const drawn = DEAD_RESULTS[bridge.rng.int(0, 1)]!;
  pipe.deadResult = bridge.deadResultChoices[bridge.nextDeadResultChoice++] ?? drawn;
  // Writes that the transport will never complete fail like the next ones.
  for (const token of pipe.writes.keys()) {
    bridge.turns.push({ at: bridge.now, kind: 'sent', token, result: pipe.deadResult });
  }
  return true;
}

export function onStreamCancelled(bridge: Bridge, pipe: Pipe, stream: number): void {
  logReceiveCancelled(bridge, stream);
  log(bridge, 'warn', 'bridge_recv_error', { nng_rv: NNG_ECANCELED });
  if (bridge.profile.rearmReceiveOnCancel) {
    log(bridge, 'info', 'bridge_substream_recv_rearmed');
    return;
  }
  log(bridge, 'debug', 'bridge_substream_recv_stopped');
  pipe.receiverDead = true;
}
