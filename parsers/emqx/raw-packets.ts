/** `packets:` of a QUIC data stream: raw packet records (spec emqx-logs.md section 2, last paragraph). */
import type { Json } from '../record.ts';
import { parseTerm, type Term } from './term-grammar.ts';

const TYPE_NAMES: readonly string[] = [
  'RESERVED',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
];
const MAX_PACKETS = 1_024;

/** `[{packet, qos, packet_id?, topic?, reason_code?}]` in the order sent; empty if the term was cut off or is none. */
export function readPackets(value: Json): Json {
  const terms = typeof value === 'string' ? listItems(parseTerm(value)) : Array.isArray(value) ? value.map(termOf) : [];
  const packets: Json[] = [];
  for (const term of terms.slice(0, MAX_PACKETS)) {
    const packet = term === null ? null : readPacket(term);
    if (packet !== null) packets.push(packet);
  }
  return packets;
}

function listItems(term: Term | null): readonly Term[] {
  return term?.kind === 'list' ? term.items : [];
}

function termOf(value: Json): Term | null {
  return typeof value === 'string' ? parseTerm(value) : null;
}

function readPacket(term: Term): Json | null {
  if (term.kind !== 'tuple') return null;
  const [record, header, variable] = term.items;
  if (record?.kind !== 'atom' || record.text !== 'mqtt_packet' || header?.kind !== 'tuple') return null;
  const type = header.items[1];
  const qos = header.items[3];
  if (type?.kind !== 'number' || TYPE_NAMES[type.value] === undefined) return null;
  const packet: { [name: string]: Json } = {
    packet: TYPE_NAMES[type.value]!,
    qos: qos?.kind === 'number' ? qos.value : 0,
  };
  if (variable?.kind !== 'tuple') return packet;
  if (type.value === 3) {
    // {mqtt_packet_publish, Topic, PacketId, Properties}
    const topic = variable.items[1];
    if (topic !== undefined && 'text' in topic) packet.topic = topic.text;
    setNumber(packet, 'packet_id', variable.items[2]);
    return packet;
  }
  // {mqtt_packet_puback, PacketId, ReasonCode, Properties} and the like
  if (type.value >= 4 && type.value <= 11) setNumber(packet, 'packet_id', variable.items[1]);
  if (type.value >= 4 && type.value <= 7) setNumber(packet, 'reason_code', variable.items[2]);
  return packet;
}

function setNumber(packet: { [name: string]: Json }, name: string, term: Term | undefined): void {
  if (term?.kind === 'number') packet[name] = term.value;
}
