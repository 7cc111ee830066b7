/** Reads field values of text and JSON lines into the same attributes (kinds: see `catalogue.ts`). */
import type { Json } from '../record.ts';
import type { FieldKind } from './catalogue.ts';
import { parsePacket } from './packet-grammar.ts';
import { payloadBytes } from './payload-size.ts';
import { readPackets } from './raw-packets.ts';
import { parseTerm, type Term, termEntry } from './term-grammar.ts';

export type Attributes = { [name: string]: Json };
/** Value of a key, or undefined: printed text from text layouts, JSON values from JSON layouts. */
export type Lookup = (key: string) => Json | undefined;

/** Adds what the field `key` says to the attributes. */
export function readField(kind: FieldKind, key: string, get: Lookup, attributes: Attributes): void {
  const value = get(key);
  if (value === undefined || value === null) return;
  READERS[kind](attributes, key, value, get);
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

type Reader = (attributes: Attributes, key: string, value: Json, get: Lookup) => void;

const READERS: { readonly [kind in FieldKind]: Reader } = {
  text: (attributes, key, value) => {
    const text = plainText(value);
    if (text !== null) attributes[key] = text;
  },
  printed: (attributes, key, value) => {
    // `'SUBSCRIBE'(Q0)` and `{takeover,'begin'}` carry quotes in text and not everywhere in JSON.
    if (typeof value === 'string') attributes[key] = value.replace(/'/g, '');
  },
  int: (attributes, key, value) => {
    const number = typeof value === 'number' ? value : Number(value);
    if (value !== '' && Number.isSafeInteger(number)) attributes[key] = number;
  },
  bool: (attributes, key, value) => {
    if (value === true || value === 'true') attributes[key] = true;
    else if (value === false || value === 'false') attributes[key] = false;
  },
  reason: (attributes, _key, value) => readReason(attributes, value),
  packet: (attributes, _key, value) => {
    // JSON of 5.0 prints the packet in pieces.
    const text = Array.isArray(value) ? (value.flat(MAX_REASON_DEPTH) as Json[]).join('') : value;
    if (typeof text === 'string') Object.assign(attributes, parsePacket(text));
  },
  packets: (attributes, _key, value) => {
    attributes.packets = readPackets(value);
  },
  payload: (attributes, _key, value, get) => {
    const encoding = get('payload_encode');
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const bytes = payloadBytes({ text, encoding: typeof encoding === 'string' ? encoding : null });
    if (bytes !== null) attributes.payload_bytes = bytes;
  },
  sub_opts: (attributes, _key, value) => {
    const qos = typeof value === 'string' ? /\bqos(?:: | => |=>)(\d)/.exec(value)?.[1] : (value as { qos?: Json }).qos;
    if (qos !== undefined && qos !== null) attributes.qos = Number(qos);
  },
};

const MAX_REASON_DEPTH = 8;
const MAX_REASON_CHARS = 1_024;

/** Keys of a reason that is a map, in the order of preference. */
const KIND_KEYS: readonly string[] = ['shutdown_count', 'cause', 'hint', 'error'];

function readReason(attributes: Attributes, value: Json): void {
  // A map's text differs from layout to layout, so only its kind is kept.
  const kind = kindOfMap(value);
  if (kind !== undefined) {
    if (kind !== null) attributes.reason = kind;
    return;
  }
  const printed = String(value);
  const term = /^[{[#<']/.test(printed) ? parseTerm(printed) : null;
  attributes.reason = (term === null ? null : innermost(term, 0)) ?? printed.slice(0, MAX_REASON_CHARS);
  attributes.reason_term = printed.slice(0, MAX_REASON_CHARS);
}

/** Kind of a reason that is a map (null if it names none), undefined if it is none: `{…}` in JSON, `#{k => v}` in text, `[k: v]` in traces. */
function kindOfMap(value: Json): string | null | undefined {
  if (typeof value === 'object' && value !== null) {
    const object = value as { readonly [key: string]: Json };
    return plainText(KIND_KEYS.map((key) => object[key]).find((kind) => kind !== undefined));
  }
  if (typeof value !== 'string') return undefined;
  if (/^\[\w+: /.test(value)) {
    const pairs = new Map(
      value
        .slice(1, -1)
        .split(', ')
        .map((pair) => pair.split(': ', 2) as [string, string]),
    );
    return plainText(KIND_KEYS.map((key) => pairs.get(key)).find((kind) => kind !== undefined));
  }
  if (!value.startsWith('#{')) return undefined;
  const term = parseTerm(value);
  return term === null ? null : kindOfTerm(term);
}

function kindOfTerm(term: Term): string | null {
  const kind = KIND_KEYS.map((key) => termEntry(term, key)).find((entry) => entry !== undefined);
  return kind !== undefined && 'text' in kind ? kind.text : null;
}

/** `{shutdown,keepalive_timeout}` -> `keepalive_timeout`: the last element of wrapping pairs. */
function innermost(term: Term, depth: number): string | null {
  if ('text' in term) return term.text;
  if (term.kind === 'number') return String(term.value);
  if (depth >= MAX_REASON_DEPTH) return null;
  if (term.kind === 'map') return kindOfTerm(term);
  if (term.kind !== 'tuple' || term.items.length !== 2 || term.items[0]?.kind !== 'atom') return null;
  return innermost(term.items[1]!, depth + 1);
}
