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

/** Where the variable part of a packet record has what; the first element is its name. */
const PACKET_ID_AT = 1;
const ACK_CODE_AT = 2;
const CONNACK_CODE_AT = 2;
const DISCONNECT_CODE_AT = 1;
const CODES_AT = 3;

function readPacket(term: Term): Json | null {
  if (term.kind !== 'tuple') return null;
  const [record, header, variable] = term.items;
  if (record?.kind !== 'atom' || record.text !== 'mqtt_packet' || header?.kind !== 'tuple') return null;
  const [, type, dup, qos, retain] = header.items;
  if (type?.kind !== 'number' || TYPE_NAMES[type.value] === undefined) return null;
  const name = TYPE_NAMES[type.value]!;
  const packet: { [name: string]: Json } = { packet: name, qos: qos?.kind === 'number' ? qos.value : 0 };
  const parts = variable?.kind === 'tuple' ? variable.items : [];
  if (name === 'PUBLISH') {
    packet.dup = isTrue(dup);
    packet.retain = isTrue(retain);
    // {mqtt_packet_publish, Topic, PacketId, Properties}
    const topic = parts[1];
    if (topic !== undefined && 'text' in topic) packet.topic = topic.text;
    setNumber(packet, 'packet_id', parts[2]);
  } else if (name === 'CONNACK') setNumber(packet, 'reason_code', parts[CONNACK_CODE_AT]);
  else if (name === 'DISCONNECT' || name === 'AUTH') setNumber(packet, 'reason_code', parts[DISCONNECT_CODE_AT]);
  else {
    setNumber(packet, 'packet_id', parts[PACKET_ID_AT]);
    if (/^PUB/.test(name)) setNumber(packet, 'reason_code', parts[ACK_CODE_AT]);
    const codes = parts[CODES_AT];
    if (/ACK$/.test(name) && codes?.kind === 'list')
      packet.reason_codes = codes.items.flatMap((code) => (code.kind === 'number' ? [code.value] : []));
  }
  return packet;
}

function isTrue(term: Term | undefined): boolean {
  return term?.kind === 'atom' && term.text === 'true';
}

function setNumber(packet: { [name: string]: Json }, name: string, term: Term | undefined): void {
  if (term?.kind === 'number') packet[name] = term.value;
}
