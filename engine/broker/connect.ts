/** CONNECT, older sessions of the same client id, CONNACK (emqx-keepalive-model §1.1, §4, §5). */

import { CONNACK_SIZE } from '../packet-size.ts';
import type { Packet } from '../types.ts';
import { discard } from './end.ts';
import { armKeepalive } from './keepalive.ts';
import { CONTROL_STREAM, log, send } from './log.ts';
import { type Broker, type Connection, newConnection } from './state.ts';

type ConnectPacket = Extract<Packet, { type: 'connect' }>;

/** Ports of rivals, out of the way of the driver's. */
const RIVAL_PORTS = [20_000, 29_999] as const;

export function onConnect(broker: Broker, connection: Connection, packet: ConnectPacket): void {
  connection.clientId = packet.clientId;
  connection.connect = packet;
  connection.connectBy = null;
  if (connection.transport !== 'none') broker.lastClient = packet;
  log(broker, connection, 'debug', 'mqtt_packet_received', {
    packet: 'CONNECT',
    qos: 0,
    retain: false,
    dup: false,
    client_id: packet.clientId,
    protocol_version: packet.protocol,
    clean_start: packet.cleanStart,
    keepalive_s: packet.keepaliveS,
    username: packet.username,
  });
  connection.state = 'awaiting-stepdown';
  const olderOnes = [...broker.connections.values()].filter(
    (other) => other !== connection && other.clientId === packet.clientId,
  );
  // All are noted first: the end of the last one lets this CONNECT go on.
  for (const older of olderOnes) connection.waitingFor.add(older.id);
  for (const older of olderOnes) stepDown(broker, older);
}

/** A session whose close was decided already gets no second DISCONNECT; one whose transport went idle does (measured §2.17). */
function stepDown(broker: Broker, older: Connection): void {
  const alreadyClosing = older.state === 'closing' && older.closeReason !== 'connection_idle';
  if (!alreadyClosing) discard(broker, older);
}

/** CONNECTs that wait for no older session any more go on. */
export function establishWaiting(broker: Broker): void {
  for (const connection of broker.connections.values()) {
    if (connection.state === 'awaiting-stepdown' && connection.waitingFor.size === 0) establish(broker, connection);
  }
}

/** CONNACK; the keepalive is armed while it is being built. */
function establish(broker: Broker, connection: Connection): void {
  const packet = connection.connect!;
  const serverKeepaliveS = packet.protocol === 5 ? broker.settings.serverKeepaliveS : null;
  const keepaliveS = serverKeepaliveS ?? packet.keepaliveS;
  const count = keepaliveCounter(broker, connection);
  connection.keepalive = armKeepalive(broker.profile, broker.settings, keepaliveS, count, broker.now);
  connection.state = 'connected';
  send(broker, connection, CONTROL_STREAM, {
    type: 'connack',
    reasonCode: 0,
    sessionPresent: false,
    serverKeepaliveS,
    maximumPacketSize: packet.protocol === 5 ? broker.settings.maxPacketSize : null,
    receiveMaximum:
      packet.protocol === 5 && broker.profile.advertisesReceiveMaximum ? broker.settings.maxInflight : null,
    size: CONNACK_SIZE[packet.protocol],
  });
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
