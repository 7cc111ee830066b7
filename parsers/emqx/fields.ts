/** Reads field values of text and JSON lines into the same attributes (kinds: see `catalogue-row.ts`). */

import { plainZero } from '../plain-zero.ts';
import type { Json } from '../record.ts';
import type { FieldKind, FieldSpec } from './catalogue-row.ts';
import { endsCut } from './cut-marks.ts';
import { parsePacket } from './packet-grammar.ts';
import { payloadBytes } from './payload-size.ts';
import { readMap } from './printed-map.ts';
import { readPackets } from './raw-packets.ts';
import { type Reason, readCrashReason, readReason } from './reasons.ts';
import { onOneLine, parseTerm, termEntry } from './term-grammar.ts';

export type Attributes = { [name: string]: Json };
/** Value of a key, or undefined: printed text from text layouts, JSON values from JSON layouts. */
export type Lookup = (key: string) => Json | undefined;

/** Adds what the field `key` says to the attributes. */
export function readField(spec: FieldSpec, key: string, get: Lookup, attributes: Attributes): void {
  const value = get(key);
  if (value === undefined || value === null) return;
  if (typeof spec === 'string') READERS[spec](attributes, key, value, get);
  else READERS[spec[0]](attributes, spec[1], value, get);
}

/** Text of a value as a person would write it: `<<"x">>` and `'x'` lose their quotes. */
export function plainText(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') return typeof value === 'object' ? null : String(value);
  if (value === '[]' || value === '""' || value === '<<>>') return '';
  if (/^(?:<<"[\s\S]*"(?:\/utf8)?>>|'[^']*')$/.test(value)) {
    const term = parseTerm(value);
    if (term !== null && 'text' in term) return term.text;
  }
  return value;
}

type Reader = (attributes: Attributes, name: string, value: Json, get: Lookup) => void;

const READERS: { readonly [kind in FieldKind]: Reader } = {
  text: (attributes, name, value) => {
    const text = plainText(value);
    // A text that was cut is no name of anything; the body still shows it.
    if (text !== null && !(name === 'registered_name' && text === '') && !endsCut(text)) attributes[name] = text;
  },
  printed: (attributes, name, value) => {
    // `'SUBSCRIBE'(Q0)` and `{takeover,'begin'}` carry quotes in text and not everywhere in JSON.
    if (typeof value === 'string' && !endsCut(value)) attributes[name] = value.replace(/'/g, '');
  },
  int: (attributes, name, value) => {
    const number = typeof value === 'number' ? value : Number(value);
    if (value !== '' && Number.isSafeInteger(number)) attributes[name] = plainZero(number);
  },
  code: (attributes, name, value) => {
    const text = plainText(value);
    if (text !== null && /^(?:\d{1,10}|[a-z_]{1,64})$/.test(text))
      attributes[name] = /^\d/.test(text) ? Number(text) : text;
  },
  bool: (attributes, name, value) => {
    if (value === true || value === 'true') attributes[name] = true;
    else if (value === false || value === 'false') attributes[name] = false;
  },
  reason: (attributes, _name, value) => setReason(attributes, readReason(value)),
  crash_reason: (attributes, _name, value) => setReason(attributes, readCrashReason(value)),
  packet: (attributes, _name, value) => {
    const text = Array.isArray(value) ? textOfPieces(value) : value;
    if (typeof text !== 'string') return;
    const frameError = /^\{frame_error,([\s\S]*)\}$/.exec(text);
    if (frameError === null) Object.assign(attributes, parsePacket(text));
    else setReason(attributes, readReason(frameError[1]!));
  },
  packets: (attributes, _name, value) => {
    attributes.packets = readPackets(value);
  },
  payload: (attributes, _name, value, get) => {
    const encoding = get('payload_encode');
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const bytes = payloadBytes({ text, encoding: typeof encoding === 'string' ? encoding : null });
    if (bytes !== null) attributes.payload_bytes = bytes;
  },
  sub_opts: (attributes, _name, value) => {
    const qos = typeof value === 'string' ? /\bqos(?:: | => |=>)(\d)/.exec(value)?.[1] : (value as { qos?: Json }).qos;
    const number = qos === undefined || qos === null ? Number.NaN : Number(qos);
    if (Number.isSafeInteger(number)) attributes.qos = number;
  },
  queue: (attributes, _name, value) => {
    const queue = readMap(value);
    for (const [key, name] of QUEUE_KEYS) {
      const number = queue?.get(key);
      if (typeof number === 'number') attributes[name] = number;
    }
  },
  counts: (attributes, name, value) => {
    const counts: { [key: string]: number } = {};
    for (const [key, count] of readMap(value) ?? []) if (typeof count === 'number' && key !== '') counts[key] = count;
    attributes[name] = counts;
  },
  duration: (attributes, name, value) => {
    const seconds = secondsOf(String(value));
    if (seconds !== null) attributes[name] = seconds;
  },
  info_ms: (attributes, _name, value) => {
    const ms = readMap(value)?.get('timeout');
    if (typeof ms === 'number') attributes.duration_ms = ms;
  },
  channel: (attributes, _name, value) => {
    // The printed state is large and cut at any place: the first client id in it is that of the connection.
    const printed = typeof value === 'string' ? value : JSON.stringify(value);
    const found = /\bclientid(?: => <<|":"?)\\?"?((?:[^"\\<>]|\\.){1,512}?)\\?"(?:>>|[,}])/.exec(printed);
    if (found !== null && !endsCut(found[1]!)) attributes.client_id = found[1]!;
  },
  child: (attributes, _name, value) => {
    const said = typeof value === 'string' ? parseTerm(onOneLine(value)) : null;
    const id = termEntry(said, 'id') ?? termEntry(said, 'name');
    const pid = termEntry(said, 'pid');
    if (id !== undefined && 'text' in id) attributes.child = id.text;
    if (pid !== undefined && 'text' in pid) attributes.child_pid = pid.text;
  },
};

const MAX_NESTING = 8;

/** JSON of 5.0 has the packet in pieces: texts, and numbers for single characters. */
function textOfPieces(pieces: readonly Json[]): string {
  return (pieces.flat(MAX_NESTING) as Json[])
    .map((piece) => (isCodePoint(piece) ? String.fromCodePoint(piece) : piece))
    .join('');
}

function isCodePoint(piece: Json): piece is number {
  return Number.isInteger(piece) && (piece as number) >= 0 && (piece as number) <= 0x10ffff;
}

const QUEUE_KEYS: readonly (readonly [string, string])[] = [
  ['len', 'queue_len'],
  ['max_len', 'queue_max'],
  ['dropped', 'queue_dropped'],
];

function setReason(attributes: Attributes, reason: Reason): void {
  if (reason.reason !== null) attributes.reason = reason.reason;
  if (reason.reason_term !== null) attributes.reason_term = reason.reason_term;
}

const SECONDS_OF: { readonly [unit: string]: number } = { day: 86_400, hour: 3_600, minute: 60, second: 1 };

/** `1 minutes, 0 seconds` -> 60. */
function secondsOf(text: string): number | null {
  let seconds: number | null = null;
  for (const [, count, unit] of text.matchAll(/(\d{1,9}) (day|hour|minute|second)s?\b/g))
    seconds = (seconds ?? 0) + Number(count) * SECONDS_OF[unit!]!;
  return seconds;
}
