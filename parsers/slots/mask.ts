/**
 * Finds the variable parts of a line by its characters alone: numbers, addresses, pointers, quoted and bracketed text, and the
 * values of keys that hold names. What is left is hashed; lines with the same hash and the same literal text have one shape.
 *
 * A wrong guess costs speed and never truth: how slots map to fields is learned from the grammars' answers (see learn.ts), and
 * a line that the mask cannot take goes to the grammars. Text in a slot is limited to characters that no grammar gives a meaning.
 */

import { nanomqCatalogue } from '../nanomq/catalogue/index.ts';

export const MAX_SLOTS = 64;

/** What a slot holds; decides with what it is replaced when a shape is learned. */
export const NUMBER = 0; // decimal digits
export const COMPOSITE = 1; // digits with dots, colons or brackets: addresses, process ids, versions
export const WORD = 2; // a name without blanks
export const HEX = 3; // behind 0x
export const BINARY = 4; // between <<" and ">>, escapes as printed
export const PAYLOAD = 5; // text up to the end of the packet or the line
export const BYTES = 6; // between << and >>, numbers and commas
export const PHRASE = 7; // in brackets or quotes, may hold blanks
export const TIME = 8; // the stamp of a JSON line

export type MaskStyle = 'nanomq' | 'emqx' | 'json';

/** Values that grammars treat unlike names. */
const RESERVED = new Set(['undefined', 'null', 'true', 'false', 'none', 'infinity', 'nil', 'ok', 'error']);
const RESERVED_STARTS = new Set([...RESERVED].map((word) => word.charCodeAt(0)));
const MAX_RESERVED_CHARS = 9;
const MAX_KEY_CHARS = 10;

function isReserved(text: string, from: number, to: number): boolean {
  if (to - from > MAX_RESERVED_CHARS || !RESERVED_STARTS.has(text.charCodeAt(from))) return false;
  return RESERVED.has(text.slice(from, to));
}

/** Keys whose values are names, in `key: value` bodies. */
const NAME_KEYS = keysByStart(['clientid', 'client_id', 'topic', 'username', 'peername', 'pid', 'sub_id', 'name']);
/** The same inside of packets, `Key=value`. */
const PACKET_NAME_KEYS = keysByStart(['Topic', 'ClientId', 'Username']);

/** No two keys of one length start with the same letter, so that one comparison is enough. */
function keysByStart(keys: readonly string[]): readonly (string | undefined)[] {
  const table: (string | undefined)[] = new Array(MAX_KEY_CHARS * 128).fill(undefined);
  for (const key of keys) table[key.length * 128 + key.charCodeAt(0)] = key;
  return table;
}

function isOneOf(keys: readonly (string | undefined)[], text: string, at: number, length: number): boolean {
  const key = keys[length * 128 + text.charCodeAt(at)];
  return key !== undefined && text.startsWith(key, at);
}

const NEXT_KEY = /, [a-z][A-Za-z0-9_@]*: /g;

/** 1: letter or underscore, 2: digit, 4: may be in a word slot, 8: hexadecimal digit. */
const CLASS = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  const char = String.fromCharCode(c);
  CLASS[c] =
    (/[A-Za-z_]/.test(char) ? 1 : 0) |
    (/[0-9]/.test(char) ? 2 : 0) |
    (/[A-Za-z0-9_\-./+$%@:*!~;?&|^#]/.test(char) ? 4 : 0) |
    (/[0-9a-fA-F]/.test(char) ? 8 : 0);
}

const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;
/** Digits behind a letter are part of a name (Q0, sid4) unless there are so many that they must be a number. */
const MIN_DIGITS_IN_NAME = 4;
/** Shorter mixed tokens (`1st`, `5xx`) are words of the message. */
const MIN_MIXED_CHARS = 6;

export class Mask {
  readonly from = new Int32Array(MAX_SLOTS);
  readonly to = new Int32Array(MAX_SLOTS);
  readonly kind = new Uint8Array(MAX_SLOTS);
  count = 0;
  hash = 0;
  /** A second hash of the same text: with both, two different texts are taken for one once in 2^62. */
  hash2 = 0;

  /** Masks `text`: literal from `start` to `bodyAt`, by the style from there on. False if the line has to go the slow way. */
  scan(text: string, start: number, bodyAt: number, style: MaskStyle, seed: number): boolean {
    this.hash = Math.imul(seed ^ 0x811c9dc5, 0x01000193);
    this.hash2 = seed | 0;
    this.isJson = style === 'json';
    return (
      this.literal(text, start, bodyAt) &&
      (style === 'emqx' ? this.emqx(text, bodyAt) : this.message(text, bodyAt, style === 'nanomq'))
    );
  }

  reset(): void {
    this.count = 0;
  }

  /** Adds a slot before the scan starts: the thread in a header. */
  addSlot(from: number, to: number, kind: number): void {
    this.from[this.count] = from;
    this.to[this.count] = to;
    this.kind[this.count] = kind;
    this.count += 1;
  }

  private literal(text: string, from: number, to: number): boolean {
    let hash = this.hash;
    let hash2 = this.hash2;
    for (let i = from; i < to; i++) {
      const c = text.charCodeAt(i);
      if (c >= 0x80) return false;
      hash = Math.imul(hash ^ c, 0x01000193);
      hash2 = (Math.imul(hash2, 0x5bd1e995) + c) | 0;
    }
    this.hash = hash;
    this.hash2 = hash2;
    return true;
  }

  private emqx(text: string, bodyAt: number): boolean {
    // `CLIENTID@PEER ` in front of the message; without a client id the message starts with the peer.
    const at = text.indexOf('@', bodyAt);
    if (at > bodyAt && this.isWord(text, bodyAt, at) && text.lastIndexOf(' ', at) < bodyAt) {
      if (!this.slot(text, bodyAt, at, WORD)) return false;
      return this.message(text, at, false);
    }
    return this.message(text, bodyAt, false);
  }

  private isJson = false;

  private message(text: string, from: number, brackets: boolean): boolean {
    const length = text.length;
    let quoteAt = from; // the last quote of a JSON line
    let hash = this.hash;
    let hash2 = this.hash2;
    let before = SPACE; // character before i
    let wordAt = from; // start of the word that i is in
    let i = from;
    while (i < length) {
      const c = text.charCodeAt(i);
      if (c >= 0x80 || (c < SPACE && c !== 0x09)) return false;
      const kind = CLASS[c]!;
      let end = -1;
      let slotAt = i;
      let slotKind = NUMBER;
      if ((kind & 2) !== 0) {
        // Digits.
        let j = i + 1;
        if (c === 0x30 && text.charCodeAt(j) === 0x78 && isHex(text.charCodeAt(j + 1)) && (CLASS[before]! & 3) === 0) {
          j += 1;
          while (isHex(text.charCodeAt(j))) j += 1;
          slotAt = i + 2;
          slotKind = HEX;
          end = j;
        } else {
          while (isDigit(text.charCodeAt(j))) j += 1;
          if ((CLASS[before]! & 1) !== 0) {
            if (j - i >= MIN_DIGITS_IN_NAME) end = j;
          } else if (isLetter(text.charCodeAt(j))) {
            while (isAlnum(text.charCodeAt(j))) j += 1;
            if (j - i >= MIN_MIXED_CHARS) {
              slotKind = WORD;
              end = j;
            }
          } else {
            let next = text.charCodeAt(j);
            while ((next === 0x2e || next === COLON) && isDigit(text.charCodeAt(j + 1))) {
              slotKind = COMPOSITE;
              j += 2;
              while (isDigit(text.charCodeAt(j))) j += 1;
              next = text.charCodeAt(j);
            }
            end = j;
          }
          if (end === -1) {
            // Literal digits.
            for (; i < j; i++) {
              hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
              hash2 = (Math.imul(hash2, 0x5bd1e995) + text.charCodeAt(i)) | 0;
            }
            before = text.charCodeAt(j - 1);
            continue;
          }
        }
      } else if (c === 0x3c) {
        // `<<"text">>`, `<<1,2>>`, `<0.1.2>`
        const next = text.charCodeAt(i + 1);
        if (next === 0x3c && text.charCodeAt(i + 2) === 0x22) {
          const close = text.indexOf('">>', i + 3);
          if (close === -1 || !isPrintedBinary(text, i + 3, close)) return false;
          slotAt = i + 3;
          slotKind = BINARY;
          end = close;
        } else if (next === 0x3c && isDigit(text.charCodeAt(i + 2))) {
          const close = text.indexOf('>>', i + 2);
          // The bytes of a CONNECT hold a password; the layout's parser hides them.
          if (close === -1 || text.startsWith('16,', i + 2) || !isByteList(text, i + 2, close)) return false;
          slotAt = i + 2;
          slotKind = BYTES;
          end = close;
        } else if (isDigit(next)) {
          let j = i + 2;
          while (isDigit(text.charCodeAt(j)) || text.charCodeAt(j) === 0x2e) j += 1;
          if (text.charCodeAt(j) === 0x3e) {
            slotKind = COMPOSITE;
            end = j + 1;
          }
        }
      } else if (brackets && (c === 0x5b || c === 0x27)) {
        const close = text.indexOf(c === 0x5b ? ']' : "'", i + 1);
        if (close > i + 1 && isPhrase(text, i + 1, close)) {
          slotAt = i + 1;
          slotKind = isNumber(text, i + 1, close) ? NUMBER : PHRASE;
          end = close;
        }
      } else if (c === 0x22 && this.isJson) {
        if (text.charCodeAt(i + 1) === COLON && text.charCodeAt(i + 2) === 0x22) {
          const found = this.jsonValue(text, quoteAt + 1, i, i + 3);
          if (found < 0) return false;
          if (found > i + 3) {
            slotAt = i + 3;
            slotKind = this.keyedKind;
            end = found;
          }
        }
        quoteAt = i;
      } else if (c === 0x5c && this.isJson) {
        // An escaped quote ends no string.
        hash = Math.imul(hash ^ c, 0x01000193);
        hash2 = (Math.imul(hash2, 0x5bd1e995) + c) | 0;
        i += 1;
        const escaped = text.charCodeAt(i);
        if (!(escaped < 0x80)) return false;
        hash = Math.imul(hash ^ escaped, 0x01000193);
        hash2 = (Math.imul(hash2, 0x5bd1e995) + escaped) | 0;
        before = escaped;
        i += 1;
        continue;
      } else if (!brackets && ((c === COLON && text.charCodeAt(i + 1) === SPACE) || c === 0x3d)) {
        const value = c === COLON ? i + 2 : i + 1;
        const found = this.keyedValue(text, wordAt, i, value);
        if (found < 0) return false;
        if (found > value) {
          slotAt = value;
          slotKind = this.keyedKind;
          end = found;
        }
      }
      if (end === -1) {
        hash = Math.imul(hash ^ c, 0x01000193);
        hash2 = (Math.imul(hash2, 0x5bd1e995) + c) | 0;
        if (c === SPACE || c === COMMA || c === 0x28) wordAt = i + 1;
        before = c;
        i += 1;
        continue;
      }
      // JSON has no numbers that start with a zero; within a string the layout's parser decides.
      if (this.isJson && slotKind === NUMBER && c === 0x30 && end - slotAt > 1 && JSON_BEFORE.has(before)) return false;
      for (; i < slotAt; i++) {
        hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
        hash2 = (Math.imul(hash2, 0x5bd1e995) + text.charCodeAt(i)) | 0;
      }
      const form = slotKind === COMPOSITE ? formOf(text, slotAt, end) : 0;
      if (this.count === MAX_SLOTS || form < 0) return false;
      this.from[this.count] = slotAt;
      this.to[this.count] = end;
      this.kind[this.count] = slotKind;
      this.count += 1;
      hash = Math.imul(Math.imul(hash ^ (0x100 + slotKind), 0x01000193) ^ form, 0x01000193);
      hash2 = (Math.imul((Math.imul(hash2, 0x5bd1e995) + 0x100 + slotKind) | 0, 0x5bd1e995) + form) | 0;
      before = text.charCodeAt(end - 1);
      i = end;
    }
    this.hash = hash;
    this.hash2 = hash2;
    return true;
  }

  private keyedKind = WORD;

  /** End of the value of the key that ends at `keyEnd`; `value` if it is to be scanned like other text, -1 for the slow way. */
  private keyedValue(text: string, keyAt: number, keyEnd: number, value: number): number {
    const length = keyEnd - keyAt;
    if (text.charCodeAt(keyEnd) === COLON) {
      if (length < 3 || length > 9) return value;
      if (isOneOf(NAME_KEYS, text, keyAt, length)) return this.nameEnd(text, value);
      // The bytes of a CONNECT again, as hexadecimal digits.
      if (length === 3 && text.startsWith('bin', keyAt)) {
        return text.startsWith('10', value) ? -1 : this.nameEnd(text, value);
      }
      if (length !== 7 || !text.startsWith('payload', keyAt) || text.charCodeAt(value) === 0x3c) return value;
      return this.payloadEnd(text, value, valueEnd(text, value));
    }
    // `Payload=`, or `Payload(text)=` with the encoding
    if (text.charCodeAt(keyEnd - 1) === 0x29) {
      const open = text.lastIndexOf('(', keyEnd);
      return text.startsWith('Payload', open - 7) ? this.packetPayload(text, value) : value;
    }
    if (length < 5 || length > 8) return value;
    if (isOneOf(PACKET_NAME_KEYS, text, keyAt, length)) return this.nameEnd(text, value);
    return length === 7 && text.startsWith('Payload', keyAt) && text.charCodeAt(value) !== 0x3c
      ? this.payloadEnd(text, value, packetEnd(text, value))
      : value;
  }

  private packetPayload(text: string, value: number): number {
    if (!this.isJson) return this.payloadEnd(text, value, packetEnd(text, value));
    const end = stringEnd(text, value) - 1;
    return text.charCodeAt(end) === 0x29 ? this.jsonPayload(text, value, end) : -1;
  }

  /** The same for a string in a JSON object: `key` is between the quotes before `keyEnd`. */
  private jsonValue(text: string, keyAt: number, keyEnd: number, value: number): number {
    const length = keyEnd - keyAt;
    if (length < 3 || length > 9) return value;
    if (isOneOf(NAME_KEYS, text, keyAt, length)) return this.nameEnd(text, value);
    if (length === 3 && text.startsWith('bin', keyAt)) {
      return text.startsWith('10', value) ? -1 : this.nameEnd(text, value);
    }
    return length === 7 && text.startsWith('payload', keyAt)
      ? this.jsonPayload(text, value, stringEnd(text, value))
      : value;
  }

  private jsonPayload(text: string, from: number, to: number): number {
    if (to <= from) return to < from ? -1 : from;
    if (text.charCodeAt(from) === 0x2a) return text.slice(from, to).replaceAll('*', '') === '' ? from : -1;
    const slice = text.slice(from, to);
    if (!isPrintedBinary(text, from, to) || RESERVED.has(slice) || slice.includes('...')) return -1;
    this.keyedKind = BINARY;
    return to;
  }

  private payloadEnd(text: string, from: number, to: number): number {
    if (to <= from) return to < from ? -1 : from;
    this.keyedKind = PAYLOAD;
    let stars = true;
    for (let i = from; i < to; i++) {
      const c = text.charCodeAt(i);
      if (c >= 0x80 || c < SPACE || c === 0x5c) return -1;
      if (c !== 0x2a) stars = false;
    }
    // A hidden payload says nothing of its length.
    if (stars) return from;
    const slice = text.slice(from, to);
    return RESERVED.has(slice) || slice.includes('...') ? -1 : to;
  }

  private nameEnd(text: string, from: number): number {
    let end = from;
    while (end < text.length && isWordChar(text.charCodeAt(end))) end += 1;
    if (end === from) return from;
    const stop = text.charCodeAt(end);
    if (this.isJson ? stop !== 0x22 && stop !== COMMA && stop !== 0x29 : !isNameStop(text, end)) return from;
    if (isReserved(text, from, end)) return from;
    // Tokens in place of names are the grammars' business.
    if (end - from > MAX_NAME_CHARS || text.startsWith('eyJ', from) || isCut(text, from, end)) return -1;
    this.keyedKind = WORD;
    return end;
  }

  private isWord(text: string, from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (!isWordChar(text.charCodeAt(i))) return false;
    return !isReserved(text, from, to) && !isCut(text, from, to);
  }

  private slot(text: string, from: number, to: number, kind: number): boolean {
    if (this.count === MAX_SLOTS || to > text.length) return false;
    this.addSlot(from, to, kind);
    this.hash = Math.imul(this.hash ^ (0x100 + kind), 0x01000193);
    this.hash2 = (Math.imul(this.hash2, 0x5bd1e995) + 0x100 + kind) | 0;
    return true;
  }
}

/** `...` marks what the product cut off: such a name is none. */
function isCut(text: string, from: number, to: number): boolean {
  let dots = 0;
  for (let i = from; i < to; i++) {
    dots = text.charCodeAt(i) === 0x2e ? dots + 1 : 0;
    if (dots === 3) return true;
  }
  return false;
}

/** What stands before a value that is no string. */
const JSON_BEFORE = new Set([COLON, COMMA, 0x5b]);
const MAX_PHRASE_CHARS = 512;
const MAX_NUMBERED_CHARS = 11;
const MAX_NAME_CHARS = 128;
/** `[sid4]`: statements differ in such names, so they stay literal. */
const NUMBERED_NAME = /^[A-Za-z]{1,8}\d{1,3}$/;

function isNameStop(text: string, end: number): boolean {
  if (end === text.length) return true;
  const stop = text.charCodeAt(end);
  return stop === 0x29 || (stop === COMMA && text.charCodeAt(end + 1) === SPACE);
}

/** The quote that ends the JSON string; -1 if there is none. */
function stringEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5c) i += 1;
    else if (c === 0x22) return i;
  }
  return -1;
}

/** Where the value that starts at `from` ends: before the next key, or with the line. */
function valueEnd(text: string, from: number): number {
  NEXT_KEY.lastIndex = from;
  const found = NEXT_KEY.exec(text);
  return found === null ? text.length : found.index;
}

/** The same for the last value of a packet; less than `from` if no bracket closes the packet there. */
function packetEnd(text: string, from: number): number {
  const end = valueEnd(text, from) - 1;
  return text.charCodeAt(end) === 0x29 ? end : -1;
}

/** Printable, with only quotes and backslashes escaped. */
function isPrintedBinary(text: string, from: number, to: number): boolean {
  if (to === from) return false;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5c) {
      const escaped = text.charCodeAt(i + 1);
      if ((escaped !== 0x22 && escaped !== 0x5c) || i + 1 >= to) return false;
      i += 1;
    } else if (c === 0x22 || c < SPACE || c >= 0x7f) return false;
    else if (c === 0x2e && text.startsWith('...', i)) return false;
  }
  return true;
}

function isByteList(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (!isDigit(c) && c !== COMMA) return false;
  }
  return to > from;
}

const MAX_FORM_GROUPS = 10;

/** Number that stands for the separators and the lengths of the groups of digits; -1 if there are too many groups. */
function formOf(text: string, from: number, to: number): number {
  let form = 0;
  let groups = 0;
  let digits = 0;
  for (let i = from; i <= to; i++) {
    if (i < to && isDigit(text.charCodeAt(i))) {
      digits += 1;
      continue;
    }
    groups += 1;
    if (groups > MAX_FORM_GROUPS) return -1;
    // Parts of an address have up to three digits, ports up to five.
    const size = digits === 0 ? 0 : digits <= 3 ? 1 : digits <= 5 ? 2 : 3;
    form = form * 8 + size * 2 + (text.charCodeAt(i) === COLON ? 1 : 0);
    digits = 0;
  }
  return form;
}

let words: ReadonlySet<string> | null = null;

/** What statements of NanoMQ themselves print in brackets or quotes: it tells one from another. */
function statementWords(): ReadonlySet<string> {
  words ??= new Set(
    nanomqCatalogue.flatMap(({ rows }) =>
      rows.flatMap(({ format }) =>
        Array.from(format.matchAll(/\[([^[\]]+)\]|'([^']+)'/g), (found) => found[1] ?? found[2]!),
      ),
    ),
  );
  return words;
}

/** Printable text without brackets, quotes and escapes. */
function isPhrase(text: string, from: number, to: number): boolean {
  if (to - from > MAX_PHRASE_CHARS) return false;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c < SPACE || c >= 0x7f || c === 0x5b || c === 0x5d || c === 0x22 || c === 0x27 || c === 0x5c) return false;
  }
  if (isReserved(text, from, to)) return false;
  const phrase = text.slice(from, to);
  return (to - from > MAX_NUMBERED_CHARS || !NUMBERED_NAME.test(phrase)) && !statementWords().has(phrase);
}

function isNumber(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!isDigit(text.charCodeAt(i))) return false;
  return true;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function isHex(c: number): boolean {
  return c < 0x80 && (CLASS[c]! & 8) !== 0;
}

function isLetter(c: number): boolean {
  return c < 0x80 && (CLASS[c]! & 1) !== 0;
}

function isAlnum(c: number): boolean {
  return c < 0x80 && (CLASS[c]! & 3) !== 0;
}

function isWordChar(c: number): boolean {
  return c < 0x80 && (CLASS[c]! & 4) !== 0;
}
