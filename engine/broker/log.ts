/**
 * Log outputs of the broker. Data streams have no identity and no packet lines of their own (emqx-keepalive-model §2.5): what
 * they receive is not logged, and what they send names no client.
 */

import { publishPayloadBytes } from '../packet-size.ts';
import { SEVERITY_RANK } from '../severity.ts';
import type { Fields, Message, Packet, Severity } from '../types.ts';
import type { Broker, Connection } from './state.ts';

export const CONTROL_STREAM = 0;

export function log(
  broker: Broker,
  connection: Connection | null,
  severity: Severity,
  event: string,
  fields: Fields | null,
): void {
  if (SEVERITY_RANK[severity] < broker.logRank) return;
  const clientId = connection?.clientId ?? null;
  const peer = connection?.peer ?? null;
  broker.out.push({ kind: 'log', severity, event, clientId, peer, fields });
}

export function logReceived(broker: Broker, connection: Connection, stream: number, packet: Packet): void {
  if (stream !== CONTROL_STREAM || !logsDebug(broker)) return;
  log(broker, connection, 'debug', 'mqtt_packet_received', packetFields(connection, packet));
}

/** Writes a packet and its trace line. */
export function send(
  broker: Broker,
  connection: Connection,
  stream: number,
  packet: Packet,
  message: Message | null = null,
): void {
  if (logsDebug(broker)) logSent(broker, connection, stream, packet);
  if (connection.transportGone) return;
  broker.out.push({ kind: 'write', connection: connection.id, stream, packet, message });
}

function logSent(broker: Broker, connection: Connection, stream: number, packet: Packet): void {
  const onControl = stream === CONTROL_STREAM;
  const fields = packetFields(connection, packet);
  if (onControl) {
    log(broker, connection, 'debug', 'mqtt_packet_sent', fields);
    return;
  }
  // The line has raw terms; no parser counts the payload of one.
  const { payload_bytes: _, ...told } = fields;
  log(broker, null, 'debug', 'quic_data_stream_packets_sent', { packets: [told] });
}

/** Whose name is on a line about a packet of this stream. */
export function identityOn(connection: Connection, stream: number): Connection | null {
  return stream === CONTROL_STREAM ? connection : null;
}

export function logsDebug(broker: Broker): boolean {
  return broker.logRank <= SEVERITY_RANK.debug;
}

function packetFields(connection: Connection, packet: Packet): Fields {
  switch (packet.type) {
    case 'connect':
      return {
        packet: 'CONNECT',
        qos: 0,
        retain: false,
        dup: false,
        client_id: packet.clientId,
        protocol_version: packet.protocol,
        clean_start: packet.cleanStart,
        keepalive_s: packet.keepaliveS,
        username: packet.username,
      };
    case 'connack':
      return { ...header('CONNACK', 0), reason_code: packet.reasonCode, session_present: packet.sessionPresent };
    case 'publish': {
      const protocol = connection.connect?.protocol ?? 5;
      return {
        packet: 'PUBLISH',
        qos: packet.qos,
        retain: packet.retain,
        dup: packet.dup,
        topic: packet.topic,
        packet_id: packet.packetId,
        payload_bytes: publishPayloadBytes(packet.topic, packet.qos, packet.size, protocol),
      };
    }
    case 'puback':
    case 'pubrec':
    case 'pubcomp':
      return { ...header(packet.type.toUpperCase(), 0), packet_id: packet.packetId, reason_code: packet.reasonCode };
    case 'pubrel':
      return { ...header('PUBREL', 1), packet_id: packet.packetId, reason_code: packet.reasonCode };
    case 'subscribe': {
      const filters = packet.filters.map(({ topic, qos }) => ({ topic, qos }));
      return { ...header('SUBSCRIBE', 1), packet_id: packet.packetId, topic_filters: filters };
    }
    case 'suback':
      return { ...header('SUBACK', 0), packet_id: packet.packetId, reason_codes: packet.reasonCodes };
    case 'unsubscribe':
      return {
        ...header('UNSUBSCRIBE', 1),
        packet_id: packet.packetId,
        topic_filters: packet.filters.map((topic) => ({ topic })),
      };
    case 'unsuback':
      return { ...header('UNSUBACK', 0), packet_id: packet.packetId };
    case 'disconnect':
      return { ...header('DISCONNECT', 0), reason_code: packet.reasonCode };
    default:
      return header(packet.type.toUpperCase(), 0);
  }
}

function header(packet: string, qos: number): Fields {
  return { packet, qos, retain: false, dup: false };
}
