/** Packets as EMQX prints them: `PUBACK(Q0, R0, D0, PacketId=1, ReasonCode=0)`, and as the Erlang terms of its data streams. */
import type { Fields, FieldValue } from '../engine/index.ts';

/** @param payloadKey `Payload(text)`, or `Payload` before 5.8.2 */
export function printPacket(fields: Fields, payloadKey: string, hidden: boolean): string {
  const head = `${fields.packet}(Q${fields.qos ?? 0}, R${bit(fields.retain)}, D${bit(fields.dup)}`;
  const body = BODIES[String(fields.packet)]?.(fields, `${payloadKey}=${payload(fields, hidden)}`) ?? '';
  return `${head}${body === '' ? '' : `, ${body}`})`;
}

const acknowledgement = (fields: Fields): string =>
  `PacketId=${fields.packet_id}, ReasonCode=${fields.reason_code ?? 0}`;

const BODIES: Readonly<Record<string, (fields: Fields, payload: string) => string>> = {
  CONNECT: (fields) =>
    [
      `ClientId=${fields.client_id}, ProtoName=MQTT, ProtoVsn=${fields.protocol_version}`,
      `CleanStart=${fields.clean_start}, KeepAlive=${fields.keepalive_s}`,
      `Username=${fields.username ?? 'undefined'}, Password=${fields.username === null ? 'undefined' : '******'}`,
    ].join(', '),
  CONNACK: (fields) => `AckFlags=${bit(fields.session_present)}, ReasonCode=${fields.reason_code}`,
  PUBLISH: (fields, printed) => `Topic=${fields.topic}, PacketId=${fields.packet_id ?? 'undefined'}, ${printed}`,
  PUBACK: acknowledgement,
  PUBREC: acknowledgement,
  PUBREL: acknowledgement,
  PUBCOMP: acknowledgement,
  SUBSCRIBE: (fields) => `PacketId=${fields.packet_id} TopicFilters=[${filters(fields, true)}]`,
  SUBACK: (fields) => `PacketId=${fields.packet_id}, ReasonCodes=[${list(fields.reason_codes)}]`,
  UNSUBSCRIBE: (fields) => `PacketId=${fields.packet_id} TopicFilters=[${filters(fields, false)}]`,
  UNSUBACK: (fields) => `PacketId=${fields.packet_id}`,
  DISCONNECT: (fields) => `ReasonCode=${fields.reason_code}`,
};

function filters({ topic_filters: list }: Fields, withOptions: boolean): string {
  if (!Array.isArray(list)) return '';
  return list
    .map(({ topic, qos }) => (withOptions ? `${topic}(#{nl => 1,qos => ${qos},rap => 0,rh => 0})` : topic))
    .join(',');
}

const TYPES = ['PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'SUBACK', 'UNSUBSCRIBE', 'UNSUBACK'];
const FIRST_TYPE = 3;

/** A packet on a data stream, `{mqtt_packet,{mqtt_packet_header,4,false,0,false},{mqtt_packet_puback,1,0,#{}},undefined}`. */
export function printPacketTerm(fields: Fields, hidden: boolean): string {
  const type = TYPES.indexOf(String(fields.packet)) + FIRST_TYPE;
  const header = `{mqtt_packet_header,${type},${fields.dup === true},${fields.qos ?? 0},${fields.retain === true}}`;
  return `{mqtt_packet,${header},${variablePart(fields, hidden)}}`;
}

function variablePart(fields: Fields, hidden: boolean): string {
  const id = fields.packet_id ?? 'undefined';
  switch (fields.packet) {
    case 'PUBLISH':
      return `{mqtt_packet_publish,<<"${fields.topic}">>,${id},#{}},<<"${payload(fields, hidden)}">>`;
    case 'SUBACK':
      return `{mqtt_packet_suback,${id},#{},[${list(fields.reason_codes)}]},undefined`;
    case 'UNSUBACK':
      return `{mqtt_packet_unsuback,${id},#{},[0]},undefined`;
    default:
      return `{mqtt_packet_puback,${id},${fields.reason_code ?? 0},#{}},undefined`;
  }
}

function bit(value: FieldValue | undefined): 0 | 1 {
  return value === true ? 1 : 0;
}

function list(values: FieldValue | undefined): string {
  return Array.isArray(values) ? values.join(',') : '';
}

export const HIDDEN = '******';

/** The simulator has no payloads, only their sizes. */
function payload({ payload_bytes: bytes }: Fields, hidden: boolean): string {
  return hidden ? HIDDEN : 'x'.repeat(Number(bytes ?? 0));
}
