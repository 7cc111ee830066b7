/** CONNECT, older sessions of the same client id, CONNACK (emqx-keepalive-model §1.1, §4, §5). */

import { CONNACK_SIZE } from '../packet-size.ts';
import { seconds } from '../time.ts';
import { connectRefusal } from './access.ts';
import { closeGracefully, discard, sendDisconnect, terminate } from './end.ts';
import { armKeepalive } from './keepalive.ts';
import { CONTROL_STREAM, log, logReceived, send } from './log.ts';
import { refusalName, v3ReturnCode } from './reason-codes.ts';
import { replay, sessionExpiryS, takeOver } from './session.ts';
import { type Broker, type Connection, type ConnectPacket, newConnection } from './state.ts';

/** Ports of rivals, out of the way of the driver's. */
const RIVAL_PORTS = [20_000, 29_999] as const;
const REASON_SESSION_TAKEN_OVER = 142;
const REASON_NOT_AUTHORIZED = 135;
const REASON_BANNED = 138;
const REASON_BAD_USER_NAME_OR_PASSWORD = 134;
/** Aliases that the driver keeps for a client. */
export const TOPIC_ALIAS_MAX = 100;

/** Client ids of our own, for those who have none. */
const ASSIGNED_ID = 'auto-';

export function onConnect(broker: Broker, connection: Connection, asked: ConnectPacket): void {
  const packet = withClientId(broker, connection, asked);
  connection.clientId = packet.clientId;
  connection.connect = packet;
  connection.connectBy = null;
  const isBridge = connection.transport !== 'none';
  if (isBridge) broker.lastClient = packet;
  // Measured (08b): of a banned client only the CONNACK has a line.
  const banned = isBridge && broker.refuse === REASON_BANNED;
  if (!banned) logReceived(broker, connection, CONTROL_STREAM, packet);
  if (isBridge && broker.refuse !== null) {
    refuse(broker, connection, packet, broker.refuse);
    return;
  }
  const refusal = broker.clients && connectRefusal(broker.clients.rules, packet);
  if (refusal !== null) {
    refuse(broker, connection, packet, refusal);
    return;
  }
  connection.state = 'awaiting-stepdown';
  broker.awaiting++;
  const olderOnes = [...broker.connections.values()].filter(
    (other) => other !== connection && other.clientId === packet.clientId,
  );
  if (packet.cleanStart) discardAll(broker, connection, olderOnes);
  else takeOverNewest(broker, connection, olderOnes);
}

/** [MQTT-3.1.3-6]: a client without an id gets one. */
function withClientId({ clients, rng }: Broker, connection: Connection, packet: ConnectPacket): ConnectPacket {
  const mayBeEmpty = packet.protocol === 5 || packet.cleanStart;
  if (!clients || packet.clientId !== '' || !mayBeEmpty) return packet;
  connection.hasAssignedId = true;
  return { ...packet, clientId: `${ASSIGNED_ID}${++clients.assignedIds}-${rng.int(0, 0xffff_ffff).toString(16)}` };
}

/** Measured (08a, 08b): CONNACK and the end of the process within a millisecond; only a failed login has a line of its own. */
function refuse(broker: Broker, connection: Connection, packet: ConnectPacket, reasonCode: number): void {
  const reason = refusalName(reasonCode);
  const failedLogin = reasonCode === REASON_NOT_AUTHORIZED || reasonCode === REASON_BAD_USER_NAME_OR_PASSWORD;
  if (failedLogin) log(broker, connection, 'warn', 'authentication_failure', { reason });
  send(broker, connection, CONTROL_STREAM, {
    type: 'connack',
    reasonCode: packet.protocol === 5 ? reasonCode : v3ReturnCode(reasonCode),
    sessionPresent: false,
    serverKeepaliveS: null,
    maximumPacketSize: null,
    size: CONNACK_SIZE[packet.protocol],
  });
  closeGracefully(broker, connection, reason, broker.profile.quicWaitOnCloseMs);
}

function discardAll(broker: Broker, connection: Connection, olderOnes: readonly Connection[]): void {
  // All are noted first: the end of the last one lets this CONNECT go on.
  for (const older of olderOnes) connection.waitingFor.add(older.id);
  for (const older of olderOnes) stepDown(broker, older);
}

/** A session whose close was decided already gets no second DISCONNECT; one whose transport went idle does (measured §2.17). */
function stepDown(broker: Broker, older: Connection): void {
  const alreadyClosing = older.state === 'closing' && older.closeReason !== 'connection_idle';
  if (!alreadyClosing) discard(broker, older);
  else if (sessionExpiryS(broker, older) > 0) older.closeReason = 'discarded';
}

/** Measured (emqx-keepalive-model §7): the new CONNACK does not wait for the old connection's end. */
function takeOverNewest(broker: Broker, connection: Connection, olderOnes: readonly Connection[]): void {
  const newest = olderOnes[olderOnes.length - 1];
  for (const older of olderOnes) {
    if (older !== newest) discard(broker, older);
  }
  if (!newest) return;
  const { takeoverReason, discardWaitMs } = broker.profile;
  const session = newest.established || newest.state === 'detached';
  if (session) takeOver(broker, newest, connection);
  if (newest.state === 'connected') {
    sendDisconnect(broker, newest, REASON_SESSION_TAKEN_OVER);
    closeGracefully(broker, newest, takeoverReason, discardWaitMs);
    return;
  }
  newest.closeReason = takeoverReason;
  if (newest.state === 'detached') terminate(broker, newest);
}

/** CONNECTs that wait for no older session any more go on; then `activate` reads their data streams. */
export function establishWaiting(broker: Broker, activate: (broker: Broker, connection: Connection) => void): void {
  for (const connection of broker.connections.values()) {
    if (connection.state !== 'awaiting-stepdown' || connection.waitingFor.size > 0) continue;
    establish(broker, connection);
    if (connection.unread.length > 0) activate(broker, connection);
  }
}

/** CONNACK; the keepalive is armed while it is being built. */
function establish(broker: Broker, connection: Connection): void {
  const packet = connection.connect!;
  const serverKeepaliveS = packet.protocol === 5 ? broker.settings.serverKeepaliveS : null;
  const keepaliveS = serverKeepaliveS ?? packet.keepaliveS;
  const count = keepaliveCounter(broker, connection);
  connection.keepalive = armKeepalive(broker.profile, broker.settings, keepaliveS, count, broker.now);
  limitIdle(broker, connection, keepaliveS);
  connection.state = 'connected';
  connection.established = true;
  broker.awaiting--;
  log(broker, connection, 'debug', 'channel_registered', null);
  send(broker, connection, CONTROL_STREAM, {
    type: 'connack',
    reasonCode: 0,
    sessionPresent: connection.takenOver !== null,
    serverKeepaliveS,
    maximumPacketSize: packet.protocol === 5 ? broker.settings.maxPacketSize : null,
    receiveMaximum:
      packet.protocol === 5 && broker.profile.advertisesReceiveMaximum ? broker.settings.maxInflight : null,
    ...(broker.clients ? propertiesForClients(connection, packet) : {}),
    size: CONNACK_SIZE[packet.protocol],
  });
  connection.will = packet.will ?? null;
  replay(broker, connection);
}

/**
 * §2.4-5: the QUIC library takes integers only, and a multiplier of 1.5, the default, makes a float of every keepalive: nothing
 * happens then, also not where the product is whole.
 */
function limitIdle(broker: Broker, connection: Connection, keepaliveS: number): void {
  const { keepaliveMultiplier } = broker.settings;
  if (!broker.profile.idleTimeoutFromKeepalive || connection.transport !== 'quic') return;
  if (keepaliveS === 0 || !Number.isInteger(keepaliveMultiplier)) return;
  broker.out.push({ kind: 'idle-timeout', connection: connection.id, us: seconds(keepaliveS * keepaliveMultiplier) });
}

function propertiesForClients({ hasAssignedId }: Connection, { clientId, protocol }: ConnectPacket) {
  if (protocol !== 5) return {};
  return { topicAliasMaximum: TOPIC_ALIAS_MAX, ...(hasAssignedId ? { assignedClientId: clientId } : {}) };
}

/** The counter this release compares (§1.2). */
export function keepaliveCounter(broker: Broker, connection: Connection): number {
  switch (broker.profile.counterScope) {
    case 'connection-bytes':
      return connection.bytes;
    case 'control-packets':
      return connection.controlPackets;
    case 'connection-packets':
      return connection.connectionPackets;
  }
}

/** Another client with the bridge's client id connects; it exists only inside the broker. */
export function onRivalConnect(broker: Broker): void {
  if (!broker.running || !broker.lastClient) return;
  const peer = `127.0.0.1:${broker.rng.int(...RIVAL_PORTS)}`;
  const rival = newConnection(broker.nextRivalId--, 'none', peer);
  broker.connections.set(rival.id, rival);
  onConnect(broker, rival, { ...broker.lastClient, keepaliveS: 0, username: 'rival' });
}
