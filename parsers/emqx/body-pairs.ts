/**
 * Splits the body of an EMQX text line into `key: value` pairs (spec emqx-logs.md section 1.2).
 *
 * Strings are printed without quotes, so a value can hold `, key: ` itself. A comma ends a value only outside brackets and quotes,
 * only before something that looks like a key, and only before a key that did not occur yet. After free text (topics, payloads,
 * names) the key must be a known one; after a term or a single word any key will do.
 */
import { trimEndings } from '../trim-end.ts';
import { emqxCatalogue } from './catalogue.ts';

export type Pairs = Map<string, string>;

/** Keys of the prefix of a line and of reports that no row of the catalogue reads; with those of the rows they end a free text. */
const FURTHER_KEYS = [
  'tag',
  'tns',
  'clientid',
  'client_id',
  'msg',
  'mfa',
  'line',
  'file',
  'domain',
  'peername',
  'username',
  'pid',
  'payload_encode',
  'bin',
  'type',
  'result',
  'status',
  'policy',
  'ipaddr',
  'stale_channel',
  'stacktrace',
  'at_state',
  'input_bytes',
  'input_packet',
  'parsed_packets',
  'needs',
  'alpns',
  'conn',
  'cast',
  'call',
  'procinfo',
  'portinfo',
  'porcinfo',
  'options',
  'tables',
  'explain',
  'traced',
];
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...FURTHER_KEYS,
  ...emqxCatalogue.flatMap((row) => Object.keys(row.fields)),
]);
/** Keys whose values are printed as they are. */
const FREE_TEXT_KEYS = new Set([
  'clientid',
  'username',
  'topic',
  'payload',
  'reason',
  'packet',
  'message',
  'sub_id',
  'name',
  'tns',
  'source',
]);
/** Of these, values that are text even if they look like a term: a cut-off JSON payload never closes its brackets. */
const ALWAYS_TEXT_KEYS = new Set(['clientid', 'username', 'topic', 'payload', 'packet', 'tns']);
const BRACE = 0x7b;
const MAX_PAIRS = 128;
/** A term is read again from its start at each possible end; beyond this many the first one is taken. */
const MAX_BALANCE_CHECKS = 64;
/** Packets of 5.0.0–5.0.15 do not end in a bracket. */
const HEAD_CLOSED_FIRST = /packet: [A-Z]+\(Q\d, R\d, D\d\),/;

const KEY = /(?:[a-z][A-Za-z0-9_@]*|'[^'\n]{1,64}'): /y;
const MULTI_LINE_KEY = /\n {4}(?=(?:[a-z][A-Za-z0-9_@]*|'[^'\n]{1,64}'): )/;

export interface PairsOptions {
  /** In a trace line the payload is always the last key. */
  readonly isTrace: boolean;
  /** 5.0.0–5.0.3 trace files: a comma without a space before most keys. */
  readonly keysMayTouch: boolean;
}

/** Pairs of a body, or null if it does not start with a key. */
export function splitPairs(body: string, { isTrace, keysMayTouch }: PairsOptions): Pairs | null {
  if (body.startsWith('    ')) return splitMultiLine(body);
  if (keysMayTouch) return splitPairs(spaced(body), { isTrace, keysMayTouch: false });
  KEY.lastIndex = 0;
  const first = KEY.exec(body);
  if (first === null) return null;
  const pairs: Pairs = new Map();
  let key = keyOf(first[0]);
  let valueAt = KEY.lastIndex;
  while (pairs.size < MAX_PAIRS) {
    const end = key === 'payload' && isTrace ? body.length : valueEnd(body, valueAt, key, pairs);
    pairs.set(key, body.slice(valueAt, end));
    if (end === body.length) break;
    KEY.lastIndex = end + 2;
    key = keyOf(KEY.exec(body)![0]);
    valueAt = KEY.lastIndex;
  }
  return pairs;
}

/** The body with a space after each comma before a key that can stand there; a payload, which is last, stays as it is. */
function spaced(body: string): string {
  const payloadAt = body.indexOf(', payload: ');
  const front = payloadAt === -1 ? body : body.slice(0, payloadAt);
  return front.replace(TOUCHING_KEY, ', $1: ') + body.slice(front.length);
}

const TOUCHING_KEY =
  /,(action|authenticator|info|payload|peername|reason|result|source|sub_id|sub_opts|tag|topic|username): /g;

/** Index of the `, ` before the next key, or the end of the body. */
function valueEnd(body: string, from: number, key: string, seen: Pairs): number {
  const free = ALWAYS_TEXT_KEYS.has(key)
    ? !body.startsWith('<<', from)
    : FREE_TEXT_KEYS.has(key) && !startsTerm(body.charCodeAt(from));
  let checksLeft = MAX_BALANCE_CHECKS;
  const isClosedFirst = key === 'packet' && HEAD_CLOSED_FIRST.test(body);
  for (let comma = body.indexOf(', ', from); comma !== -1; comma = body.indexOf(', ', comma + 2)) {
    KEY.lastIndex = comma + 2;
    const found = KEY.exec(body);
    if (found === null) continue;
    const next = keyOf(found[0]);
    if (next === key || seen.has(next)) continue;
    if (free ? !KNOWN_KEYS.has(next) : --checksLeft > 0 && !isBalanced(body, from, comma)) continue;
    if (
      key === 'packet' &&
      body.charCodeAt(from) !== BRACE &&
      body.charCodeAt(comma - 1) !== 0x29 &&
      !body.startsWith('...', comma - 3) &&
      !isClosedFirst
    )
      continue;
    // Payloads hold any text, even a printed line: the last mark of its encoding is the broker's own.
    return next === 'payload_encode' ? body.lastIndexOf(', payload_encode: ') : comma;
  }
  return body.length;
}

function startsTerm(code: number): boolean {
  return code === 0x7b || code === 0x5b || code === 0x23 || code === 0x3c; // { [ # <
}

/** Whether brackets and quotes opened in the stretch are closed in it. */
function isBalanced(body: string, from: number, to: number): boolean {
  if (!startsTerm(body.charCodeAt(from))) return true;
  let depth = 0;
  for (let i = from; i < to; i++) {
    const c = body.charCodeAt(i);
    if (c === 0x22) {
      for (i += 1; i < to && body.charCodeAt(i) !== 0x22; i++) if (body.charCodeAt(i) === 0x5c) i += 1;
      if (i >= to) return false;
    } else if (c === 0x7b || c === 0x5b || c === 0x28) depth += 1;
    else if (c === 0x7d || c === 0x5d || c === 0x29) depth -= 1;
  }
  return depth <= 0;
}

function splitMultiLine(body: string): Pairs | null {
  const pairs: Pairs = new Map();
  for (const chunk of `\n${body}`.split(MULTI_LINE_KEY).slice(1, MAX_PAIRS + 1)) {
    const colon = chunk.indexOf(': ');
    const key = keyOf(chunk.slice(0, colon + 2));
    if (!pairs.has(key)) pairs.set(key, trimEndings(chunk.slice(colon + 2), '\n'));
  }
  return pairs.size === 0 ? null : pairs;
}

function keyOf(printed: string): string {
  const key = printed.slice(0, -2);
  return key.charCodeAt(0) === 0x27 ? key.slice(1, -1) : key;
}
