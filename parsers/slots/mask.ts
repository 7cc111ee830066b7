/**
 * Finds the variable parts of a line by its bytes alone: numbers, addresses, pointers, quoted and bracketed text, and the values of
 * keys that hold names. What is left is hashed; lines with the same hash and the same literal text have one shape.
 *
 * A wrong guess costs speed and never truth: how slots map to fields is learned from the grammars' answers (see learn.ts), and
 * a line that the mask cannot take goes to the grammars. Text in a slot is limited to characters that no grammar gives a meaning.
 */

import { nanomqCatalogue } from '../nanomq/catalogue/index.ts';
import { isDigit, LF, startsWith, textOf } from './ascii.ts';
import { cutMark, isShownHex } from './cut-payload.ts';

export const MAX_SLOTS = 64;
/** Longer lines are rare, and their bodies are cut. */
export const MAX_LINE_BYTES = 16_384;

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
export const CUT_PAYLOAD = 9; // the start of a payload and how much is missing

export type MaskStyle = 'nanomq' | 'emqx' | 'json';

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const OPEN_ROUND = 0x28;
const CLOSE_ROUND = 0x29;
const STAR = 0x2a;
const COMMA = 0x2c;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const LESS = 0x3c;
const EQUALS = 0x3d;
const GREATER = 0x3e;
const AT = 0x40;
const OPEN_SQUARE = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_SQUARE = 0x5d;
const LETTER_X = 0x78;

/** Words by length and first letter. */
type WordTable = readonly (readonly Uint8Array[] | undefined)[];
const MAX_WORD_CHARS = 10;

function wordTable(words: readonly string[]): WordTable {
  const table: Uint8Array[][] = new Array((MAX_WORD_CHARS + 1) * 128);
  for (const word of words) {
    const at = word.length * 128 + word.charCodeAt(0);
    table[at] = [...(table[at] ?? []), Buffer.from(word)];
  }
  return table;
}

function isOneOf(table: WordTable, bytes: Uint8Array, at: number, length: number): boolean {
  if (length > MAX_WORD_CHARS) return false;
  const words = table[length * 128 + bytes[at]!];
  if (words === undefined) return false;
  for (const word of words) if (startsWith(bytes, at, word)) return true;
  return false;
}

/** Values that grammars treat unlike names. */
const RESERVED = wordTable(['undefined', 'null', 'true', 'false', 'none', 'infinity', 'ok', 'error', 'nil']);

/** Keys whose values are names, in `key: value` bodies. */
const NAME_KEYS = wordTable(['clientid', 'client_id', 'topic', 'username', 'peername', 'pid', 'sub_id', 'name']);
/** The same inside of packets, `Key=value`. */
const PACKET_NAME_KEYS = wordTable(['Topic', 'ClientId', 'Username']);
const PAYLOAD_KEY = Buffer.from('payload');
const PACKET_PAYLOAD_KEY = Buffer.from('Payload');
const BIN_KEY = Buffer.from('bin');
/** How a CONNECT starts, as hexadecimal digits and as a list of bytes. */
const CONNECT_HEX = Buffer.from('10');
const CONNECT_BYTE = Buffer.from('16,');
const TOKEN_START = Buffer.from('eyJ');

/** 1: letter or underscore, 2: digit, 4: may be in a word slot, 8: hexadecimal digit, 16: may be in the name of a key. */
const CLASS = new Uint8Array(256);
for (let c = 0; c < 128; c++) {
  const char = String.fromCharCode(c);
  CLASS[c] =
    (/[A-Za-z_]/.test(char) ? 1 : 0) |
    (/[0-9]/.test(char) ? 2 : 0) |
    (/[A-Za-z0-9_\-./+$%@:*!~;?&|^#]/.test(char) ? 4 : 0) |
    (/[0-9a-fA-F]/.test(char) ? 8 : 0) |
    (/[A-Za-z0-9_@]/.test(char) ? 16 : 0);
}

/** What a character can be the start of, in the messages of a style. */
const PLAIN = 0;
const DIGIT = 1;
const ANGLE = 2; // `<`
const BRACKET = 3; // `[` or `'`
const KEY_END = 4; // `:` or `=`
const STRING = 5; // `"`
const ESCAPE = 6; // backslash
const END = 7; // line feed
const FOREIGN = 8; // no printable ASCII

function specials(characters: { readonly [character: string]: number }): Uint8Array {
  const table = new Uint8Array(256)
    .fill(FOREIGN, 0x80)
    .fill(FOREIGN, 0, SPACE)
    .fill(DIGIT, ZERO, ZERO + 10);
  table[TAB] = PLAIN;
  table[LF] = END;
  table[LESS] = ANGLE;
  for (const character in characters) table[character.charCodeAt(0)] = characters[character]!;
  return table;
}

const SPECIAL: { readonly [style in MaskStyle]: Uint8Array } = {
  nanomq: specials({ '[': BRACKET, "'": BRACKET }),
  emqx: specials({ ':': KEY_END, '=': KEY_END }),
  json: specials({ ':': KEY_END, '=': KEY_END, '"': STRING, '\\': ESCAPE }),
};

/** Characters at which the end of a value has to be looked for, and those that a payload slot cannot hold. */
const IN_VALUE = new Uint8Array(256).fill(1, 0x80).fill(1, 0, SPACE);
for (const c of [COMMA, DOT, BACKSLASH]) IN_VALUE[c] = 1;

/** Digits behind a letter are part of a name (Q0, sid4) unless there are so many that they must be a number. */
const MIN_DIGITS_IN_NAME = 4;
/** Shorter mixed tokens (`1st`, `5xx`) are words of the message. */
const MIN_MIXED_CHARS = 6;

/** Multipliers of the two hashes (FNV-1a, and a multiply-and-add). */
const PRIME = 0x01000193;
const FACTOR = 0x5bd1e995;

export class Mask {
  /** Bounds of the slots in the bytes that were scanned. */
  readonly from = new Int32Array(MAX_SLOTS);
  readonly to = new Int32Array(MAX_SLOTS);
  readonly kind = new Uint8Array(MAX_SLOTS);
  readonly lengths = new Int32Array(MAX_SLOTS);
  count = 0;
  hash = 0;
  /** A second hash of the same text: with both, two different texts are taken for one once in 2^62. */
  hash2 = 0;
  /** Where the line ends, before its line feed. */
  end = 0;
  /** Room for a line whose bytes cannot stay where they are. */
  readonly own: Buffer = Buffer.alloc(MAX_LINE_BYTES + 1);
  private isJson = false;
  private keyedKind = WORD;

  /** Starts a line; `seed` tells apart what stands before the part that is scanned. */
  begin(seed: number): void {
    this.count = 0;
    this.hash = Math.imul(seed ^ 0x811c9dc5, PRIME);
    this.hash2 = seed | 0;
  }

  addSlot(bytes: Uint8Array, from: number, to: number, kind: number): void {
    this.lengths[this.count] = slotLength(bytes, from, to, kind);
    this.from[this.count] = from;
    this.to[this.count] = to;
    this.kind[this.count] = kind;
    this.count += 1;
  }

  /** Takes the bytes as they are up to `stop` and a blank behind it. Where the text behind them starts, -1 if the line has no such place. */
  header(bytes: Uint8Array, from: number, stop: number): number {
    let { hash, hash2 } = this;
    for (let i = from; ; i++) {
      const c = bytes[i]!;
      if (c >= 0x80 || c === LF) return -1;
      hash = Math.imul(hash ^ c, PRIME);
      hash2 = (Math.imul(hash2, FACTOR) + c) | 0;
      if (c !== stop || bytes[i + 1] !== SPACE) continue;
      this.hash = Math.imul(hash ^ SPACE, PRIME);
      this.hash2 = (Math.imul(hash2, FACTOR) + SPACE) | 0;
      return i + 2;
    }
  }

  /** Masks the message from `from` to the end of the line, and sets `end`. False if the line has to go the slow way. */
  message(bytes: Buffer, from: number, style: MaskStyle): boolean {
    this.isJson = style === 'json';
    const special = SPECIAL[style];
    if (style !== 'emqx') return this.scan(bytes, from, special);
    // `CLIENTID@PEER ` in front of the message; without a client id the message starts with the peer.
    let at = from;
    while (bytes[at] !== AT && (CLASS[bytes[at]!]! & 4) !== 0) at += 1;
    if (at === from || bytes[at] !== AT || isReserved(bytes, from, at) || isCut(bytes, from, at)) {
      return this.scan(bytes, from, special);
    }
    this.addSlot(bytes, from, at, WORD);
    this.hash = Math.imul(this.hash ^ (0x100 + WORD), PRIME);
    this.hash2 = (Math.imul(this.hash2, FACTOR) + 0x100 + WORD) | 0;
    return this.scan(bytes, at, special);
  }

  private scan(bytes: Buffer, from: number, special: Uint8Array): boolean {
    let quoteAt = from; // the last quote of a JSON line
    let { hash, hash2 } = this;
    let i = from;
    for (;;) {
      let c = bytes[i]!;
      // Most of a line: nothing starts here.
      while (special[c] === PLAIN) {
        hash = Math.imul(hash ^ c, PRIME);
        hash2 = (Math.imul(hash2, FACTOR) + c) | 0;
        i += 1;
        c = bytes[i]!;
      }
      const sort = special[c]!;
      if (sort === END) break;
      if (sort === FOREIGN) return false;
      let end = -1;
      let slotAt = i;
      let slotKind = NUMBER;
      switch (sort) {
        case DIGIT: {
          const before = CLASS[bytes[i - 1]!]!;
          let j = i + 1;
          if (c === ZERO && bytes[j] === LETTER_X && isHex(bytes[j + 1]!) && (before & 3) === 0) {
            j += 1;
            while (isHex(bytes[j]!)) j += 1;
            slotAt = i + 2;
            slotKind = HEX;
            end = j;
            break;
          }
          while (isDigit(bytes[j]!)) j += 1;
          if ((before & 1) !== 0) {
            if (j - i >= MIN_DIGITS_IN_NAME) end = j;
          } else if ((CLASS[bytes[j]!]! & 1) !== 0) {
            while ((CLASS[bytes[j]!]! & 3) !== 0) j += 1;
            if (j - i >= MIN_MIXED_CHARS) {
              slotKind = WORD;
              end = j;
            }
          } else {
            let next = bytes[j]!;
            while ((next === DOT || next === COLON) && isDigit(bytes[j + 1]!)) {
              slotKind = COMPOSITE;
              j += 2;
              while (isDigit(bytes[j]!)) j += 1;
              next = bytes[j]!;
            }
            end = j;
          }
          if (end !== -1) break;
          // Literal digits.
          for (; i < j; i++) {
            hash = Math.imul(hash ^ bytes[i]!, PRIME);
            hash2 = (Math.imul(hash2, FACTOR) + bytes[i]!) | 0;
          }
          continue;
        }
        case ANGLE: {
          // `<<"text">>`, `<<1,2>>`, `<0.1.2>`
          const next = bytes[i + 1]!;
          if (next === LESS && bytes[i + 2] === QUOTE) {
            slotAt = i + 3;
            slotKind = BINARY;
            end = binaryEnd(bytes, slotAt);
            if (end === -1) return false;
          } else if (next === LESS && isDigit(bytes[i + 2]!)) {
            slotAt = i + 2;
            slotKind = BYTES;
            end = byteListEnd(bytes, slotAt);
            // The bytes of a CONNECT hold a password; the layout's parser hides them.
            if (end === -1 || startsWith(bytes, slotAt, CONNECT_BYTE)) return false;
          } else if (isDigit(next)) {
            let j = i + 2;
            while (isDigit(bytes[j]!) || bytes[j] === DOT) j += 1;
            if (bytes[j] === GREATER) {
              slotKind = COMPOSITE;
              end = j + 1;
            }
          }
          break;
        }
        case BRACKET: {
          const close = phraseEnd(bytes, i + 1, c === OPEN_SQUARE ? CLOSE_SQUARE : APOSTROPHE);
          if (close > i + 1) {
            const isPointer = isHexNumber(bytes, i + 1, close);
            slotAt = isPointer ? i + 3 : i + 1;
            slotKind = isPointer ? HEX : isNumber(bytes, i + 1, close) ? NUMBER : PHRASE;
            end = close;
          }
          break;
        }
        case KEY_END: {
          const value = c === EQUALS ? i + 1 : i + 2;
          const found = value === i + 2 && bytes[i + 1] !== SPACE ? value : this.keyedValue(bytes, from, i, value);
          if (found < 0) return false;
          if (found > value) {
            slotAt = value;
            slotKind = this.keyedKind;
            end = found;
          }
          break;
        }
        case STRING: {
          if (bytes[i + 1] === COLON && bytes[i + 2] === QUOTE) {
            const found = this.jsonValue(bytes, quoteAt + 1, i, i + 3);
            if (found < 0) return false;
            if (found > i + 3) {
              slotAt = i + 3;
              slotKind = this.keyedKind;
              end = found;
            }
          }
          quoteAt = i;
          break;
        }
        case ESCAPE: {
          // An escaped quote ends no string.
          const escaped = bytes[i + 1]!;
          if (escaped >= 0x80 || escaped === LF) return false;
          hash = Math.imul(Math.imul(hash ^ c, PRIME) ^ escaped, PRIME);
          hash2 = (Math.imul((Math.imul(hash2, FACTOR) + c) | 0, FACTOR) + escaped) | 0;
          i += 2;
          continue;
        }
      }
      if (end === -1) {
        hash = Math.imul(hash ^ c, PRIME);
        hash2 = (Math.imul(hash2, FACTOR) + c) | 0;
        i += 1;
        continue;
      }
      // JSON has no numbers that start with a zero; within a string the layout's parser decides.
      if (this.isJson && slotKind === NUMBER && c === ZERO && end - slotAt > 1 && isBeforeValue(bytes[i - 1]!))
        return false;
      for (; i < slotAt; i++) {
        hash = Math.imul(hash ^ bytes[i]!, PRIME);
        hash2 = (Math.imul(hash2, FACTOR) + bytes[i]!) | 0;
      }
      const form = slotKind === COMPOSITE ? formOf(bytes, slotAt, end) : 0;
      if (this.count === MAX_SLOTS || form < 0) return false;
      this.addSlot(bytes, slotAt, end, slotKind);
      hash = Math.imul(Math.imul(hash ^ (0x100 + slotKind), PRIME) ^ form, PRIME);
      hash2 = (Math.imul((Math.imul(hash2, FACTOR) + 0x100 + slotKind) | 0, FACTOR) + form) | 0;
      i = end;
    }
    this.hash = hash;
    this.hash2 = hash2;
    this.end = i;
    return true;
  }

  /** End of the value of the key that ends at `keyEnd`; `value` if it is to be scanned like other text, -1 for the slow way. */
  private keyedValue(bytes: Buffer, from: number, keyEnd: number, value: number): number {
    let keyAt = keyEnd;
    const longest = Math.max(from, keyEnd - MAX_WORD_CHARS - 1);
    while (keyAt > longest && !isBeforeKey(bytes[keyAt - 1]!)) keyAt -= 1;
    const length = keyEnd - keyAt;
    if (bytes[keyEnd] === COLON) {
      if (length < 3 || length > 9) return value;
      if (isOneOf(NAME_KEYS, bytes, keyAt, length)) return this.nameEnd(bytes, value);
      // The bytes of a CONNECT again, as hexadecimal digits.
      if (length === 3 && startsWith(bytes, keyAt, BIN_KEY)) {
        return startsWith(bytes, value, CONNECT_HEX) ? -1 : this.nameEnd(bytes, value);
      }
      if (length !== 7 || !startsWith(bytes, keyAt, PAYLOAD_KEY) || bytes[value] === LESS) return value;
      return this.payloadEnd(bytes, value, this.valueEnd(bytes, value));
    }
    // `Payload=`, or `Payload(text)=` with the encoding
    if (bytes[keyEnd - 1] === CLOSE_ROUND) {
      let open = keyEnd - 2;
      while (open > keyAt - PACKET_PAYLOAD_KEY.length && bytes[open] !== OPEN_ROUND) open -= 1;
      return startsWith(bytes, open - 7, PACKET_PAYLOAD_KEY) ? this.packetPayload(bytes, value) : value;
    }
    if (length < 5 || length > 8) return value;
    if (isOneOf(PACKET_NAME_KEYS, bytes, keyAt, length)) return this.nameEnd(bytes, value);
    return length === 7 && startsWith(bytes, keyAt, PACKET_PAYLOAD_KEY) && bytes[value] !== LESS
      ? this.payloadEnd(bytes, value, this.packetEnd(bytes, value))
      : value;
  }

  private packetPayload(bytes: Buffer, value: number): number {
    if (!this.isJson) return this.payloadEnd(bytes, value, this.packetEnd(bytes, value));
    const end = stringEnd(bytes, value) - 1;
    return bytes[end] === CLOSE_ROUND ? this.jsonPayload(bytes, value, end) : -1;
  }

  /** The same for a string in a JSON object: `key` is between the quotes before `keyEnd`. */
  private jsonValue(bytes: Buffer, keyAt: number, keyEnd: number, value: number): number {
    const length = keyEnd - keyAt;
    if (length < 3 || length > 9) return value;
    if (isOneOf(NAME_KEYS, bytes, keyAt, length)) return this.nameEnd(bytes, value);
    if (length === 3 && startsWith(bytes, keyAt, BIN_KEY)) {
      return startsWith(bytes, value, CONNECT_HEX) ? -1 : this.nameEnd(bytes, value);
    }
    return length === 7 && startsWith(bytes, keyAt, PAYLOAD_KEY)
      ? this.jsonPayload(bytes, value, stringEnd(bytes, value))
      : value;
  }

  private jsonPayload(bytes: Buffer, from: number, to: number): number {
    if (to <= from) return to < from ? -1 : from;
    if (bytes[from] === STAR) return isStars(bytes, from, to) ? from : -1;
    const end = this.shownEnd(bytes, from, to, BINARY);
    return isPrintedBinary(bytes, from, end) && !isReserved(bytes, from, end) && !isCut(bytes, from, end) ? to : -1;
  }

  private payloadEnd(bytes: Buffer, from: number, to: number): number {
    if (to <= from) return to < from ? -1 : from;
    // A hidden payload says nothing of its length.
    if (bytes[from] === STAR && isStars(bytes, from, to)) return from;
    this.keyedKind = PAYLOAD;
    if (!this.hasDots) return isReserved(bytes, from, to) ? -1 : to;
    const end = this.shownEnd(bytes, from, to, PAYLOAD);
    return end === from || isReserved(bytes, from, end) || isCut(bytes, from, end) ? -1 : to;
  }

  /** Where the shown part of a payload ends, of the kind `whole` if nothing was cut off. `from` if it cannot be told how long it is. */
  private shownEnd(bytes: Uint8Array, from: number, to: number, whole: number): number {
    const mark = cutMark(bytes, from, to);
    this.keyedKind = mark === null ? whole : CUT_PAYLOAD;
    if (mark === null) return to;
    return isShownHex(bytes, from, mark.at) ? from : mark.at;
  }

  /** Three dots stand in the value last looked at. */
  private hasDots = false;

  /**
   * Where the value that starts at `from` ends: before the next key (`, key: `), or with the line. -1 if it holds what is no printable
   * ASCII, or a backslash.
   */
  private valueEnd(bytes: Uint8Array, from: number): number {
    this.hasDots = false;
    for (let i = from; ; i++) {
      let c = bytes[i]!;
      while (IN_VALUE[c] === PLAIN) {
        i += 1;
        c = bytes[i]!;
      }
      if (c === LF) return i;
      if (c === COMMA) {
        if (isKeyAt(bytes, i)) return i;
      } else if (c !== DOT) return -1;
      else if (bytes[i + 1] === DOT && bytes[i + 2] === DOT) this.hasDots = true;
    }
  }

  /** The same for the last value of a packet; -1 as well if no bracket closes the packet there. */
  private packetEnd(bytes: Uint8Array, from: number): number {
    const end = this.valueEnd(bytes, from) - 1;
    return end >= from && bytes[end] === CLOSE_ROUND ? end : -1;
  }

  private nameEnd(bytes: Buffer, from: number): number {
    let end = from;
    while ((CLASS[bytes[end]!]! & 4) !== 0) end += 1;
    if (end === from) return from;
    const stop = bytes[end]!;
    if (this.isJson ? stop !== QUOTE && stop !== COMMA && stop !== CLOSE_ROUND : !isNameStop(bytes, end)) return from;
    if (isReserved(bytes, from, end)) return from;
    // Tokens in place of names are the grammars' business.
    if (end - from > MAX_NAME_CHARS || startsWith(bytes, from, TOKEN_START) || isCut(bytes, from, end)) return -1;
    this.keyedKind = WORD;
    return end;
  }
}

/** Characters that a slot of the kind stands for: an escaped quote or backslash is one, and what was cut off counts. */
export function slotLength(bytes: Uint8Array, from: number, to: number, kind: number): number {
  if (kind !== BINARY && kind !== CUT_PAYLOAD) return to - from;
  const mark = kind === CUT_PAYLOAD ? cutMark(bytes, from, to) : null;
  const end = mark === null ? to : mark.at;
  let length = mark === null ? 0 : mark.bytes;
  for (let i = from; i < end; i++) {
    if (bytes[i] === BACKSLASH) i += 1;
    length += 1;
  }
  return length;
}

/** Whether `, key: ` stands there. */
function isKeyAt(bytes: Uint8Array, comma: number): boolean {
  if (bytes[comma + 1] !== SPACE) return false;
  const first = bytes[comma + 2]!;
  if (first < 0x61 || first > 0x7a) return false;
  let end = comma + 3;
  while ((CLASS[bytes[end]!]! & 16) !== 0) end += 1;
  return bytes[end] === COLON && bytes[end + 1] === SPACE;
}

function isBeforeKey(c: number): boolean {
  return c === SPACE || c === COMMA || c === OPEN_ROUND;
}

function isReserved(bytes: Uint8Array, from: number, to: number): boolean {
  return isOneOf(RESERVED, bytes, from, to - from);
}

/** `...` marks what the product cut off: such a name is none. */
function isCut(bytes: Uint8Array, from: number, to: number): boolean {
  let dots = 0;
  for (let i = from; i < to; i++) {
    dots = bytes[i] === DOT ? dots + 1 : 0;
    if (dots === 3) return true;
  }
  return false;
}

function isStars(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== STAR) return false;
  return true;
}

/** What stands before a JSON value that is no string. */
function isBeforeValue(c: number): boolean {
  return c === COLON || c === COMMA || c === OPEN_SQUARE;
}

const MAX_PHRASE_CHARS = 512;
const MAX_NUMBERED_CHARS = 11;
const MAX_NAME_CHARS = 128;
/** `[sid4]`: statements differ in such names, so they stay literal. */
const NUMBERED_NAME = /^[A-Za-z]{1,8}\d{1,3}$/;

function isNameStop(bytes: Uint8Array, end: number): boolean {
  const stop = bytes[end];
  return stop === LF || stop === CLOSE_ROUND || (stop === COMMA && bytes[end + 1] === SPACE);
}

/** The quote that ends the JSON string; -1 if there is none. */
function stringEnd(bytes: Uint8Array, from: number): number {
  for (let i = from; bytes[i] !== LF; i++) {
    if (bytes[i] === BACKSLASH) i += 1;
    else if (bytes[i] === QUOTE) return i;
    if (bytes[i] === LF) return -1;
  }
  return -1;
}

/** The `">>` that ends the text; -1 if there is none, or anything before it has to be read by the grammars. */
function binaryEnd(bytes: Uint8Array, from: number): number {
  for (let i = from; ; i++) {
    const c = bytes[i]!;
    if (c === QUOTE) {
      const isEnd = bytes[i + 1] === GREATER && bytes[i + 2] === GREATER;
      return isEnd && isPrintedBinary(bytes, from, i) ? i : -1;
    }
    if (c === LF) return -1;
    if (c !== BACKSLASH || bytes[i + 1] === LF) continue;
    // Whether an escaped quote before `>>` ends the text is for the grammars to say.
    if (bytes[i + 1] === QUOTE && bytes[i + 2] === GREATER && bytes[i + 3] === GREATER) return -1;
    i += 1;
  }
}

/** Printable, with only quotes and backslashes escaped. */
function isPrintedBinary(bytes: Uint8Array, from: number, to: number): boolean {
  if (to === from) return false;
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (c === BACKSLASH) {
      const escaped = bytes[i + 1];
      if ((escaped !== QUOTE && escaped !== BACKSLASH) || i + 1 >= to) return false;
      i += 1;
    } else if (c === QUOTE || c < SPACE || c >= 0x7f) return false;
    else if (c === DOT && bytes[i + 1] === DOT && bytes[i + 2] === DOT) return false;
  }
  return true;
}

/** The `>>` behind digits and commas; -1 if anything else comes before it. */
function byteListEnd(bytes: Uint8Array, from: number): number {
  let i = from;
  while (isDigit(bytes[i]!) || bytes[i] === COMMA) i += 1;
  return bytes[i] === GREATER && bytes[i + 1] === GREATER ? i : -1;
}

const MAX_FORM_GROUPS = 10;

/** Number that stands for the separators and the lengths of the groups of digits; -1 if there are too many groups. */
function formOf(bytes: Uint8Array, from: number, to: number): number {
  let form = 0;
  let groups = 0;
  let digits = 0;
  for (let i = from; i <= to; i++) {
    if (i < to && isDigit(bytes[i]!)) {
      digits += 1;
      continue;
    }
    groups += 1;
    if (groups > MAX_FORM_GROUPS) return -1;
    // Parts of an address have up to three digits, ports up to five.
    const size = digits === 0 ? 0 : digits <= 3 ? 1 : digits <= 5 ? 2 : 3;
    form = form * 8 + size * 2 + (bytes[i] === COLON ? 1 : 0);
    digits = 0;
  }
  return form;
}

/** Words that statements of NanoMQ themselves print in brackets or quotes: they tell one from another. */
let statementWords: { readonly words: ReadonlySet<string>; readonly starts: ReadonlySet<number> } | null = null;

/** Length and first letter, for a quick no. */
function startOf(first: number, length: number): number {
  return length * 128 + first;
}

function isStatementWord(bytes: Buffer, from: number, to: number): boolean {
  if (statementWords === null) {
    const words = nanomqCatalogue.flatMap(({ rows }) =>
      rows.flatMap(({ format }) =>
        Array.from(format.matchAll(/\[([^[\]]+)\]|'([^']+)'/g), (found) => found[1] ?? found[2]!),
      ),
    );
    const starts = words.map((word) => startOf(word.charCodeAt(0), word.length));
    statementWords = { words: new Set(words), starts: new Set(starts) };
  }
  const { words, starts } = statementWords;
  return starts.has(startOf(bytes[from]!, to - from)) && words.has(textOf(bytes, from, to));
}

/** The `close` behind printable text without brackets, quotes and escapes; -1 if anything else comes before it. */
function phraseEnd(bytes: Buffer, from: number, close: number): number {
  let to = from;
  for (let c = bytes[to]!; c !== close; c = bytes[++to]!) {
    if (c < SPACE || c >= 0x7f || c === OPEN_SQUARE || c === CLOSE_SQUARE) return -1;
    if (c === QUOTE || c === APOSTROPHE || c === BACKSLASH) return -1;
  }
  if (to - from > MAX_PHRASE_CHARS || isReserved(bytes, from, to)) return -1;
  if (to - from <= MAX_NUMBERED_CHARS && isDigit(bytes[to - 1]!) && NUMBERED_NAME.test(textOf(bytes, from, to)))
    return -1;
  return isStatementWord(bytes, from, to) ? -1 : to;
}

function isNumber(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!isDigit(bytes[i]!)) return false;
  return true;
}

/** `0x` and hexadecimal digits. */
function isHexNumber(bytes: Uint8Array, from: number, to: number): boolean {
  if (to < from + 3 || bytes[from] !== ZERO || bytes[from + 1] !== LETTER_X) return false;
  for (let i = from + 2; i < to; i++) if (!isHex(bytes[i]!)) return false;
  return true;
}

function isHex(c: number): boolean {
  return (CLASS[c]! & 8) !== 0;
}
