/** Writes the few ASN.1 DER types (ITU-T X.690) that a certificate needs. Every function returns a complete element. */

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;
/** RFC 5280 §4.1.2.5: dates through 2049 are UTCTime, later ones GeneralizedTime. */
const FIRST_GENERALIZED_YEAR = 2050;

export function element(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.length), content]);
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => element(SEQUENCE, Buffer.concat(items));
export const set = (...items: readonly Uint8Array[]): Buffer => element(SET, Buffer.concat(items));
export const utf8String = (text: string): Buffer => element(UTF8_STRING, Buffer.from(text, 'utf8'));
export const octetString = (bytes: Uint8Array): Buffer => element(OCTET_STRING, bytes);
export const boolean = (value: boolean): Buffer => Buffer.from([0x01, 0x01, value ? 0xff : 0x00]);

/** A bit string whose length is a multiple of eight. */
export const bitString = (bytes: Uint8Array): Buffer => element(BIT_STRING, Buffer.concat([Buffer.from([0]), bytes]));

/** A non-negative integer, most significant byte first. */
export function unsignedInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  // A set top bit would make it negative.
  const padded = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits;
  return element(INTEGER, padded);
}

/** `1.2.840.10045.4.3.2` and the like. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  if (date.getUTCFullYear() >= FIRST_GENERALIZED_YEAR) return element(GENERALIZED_TIME, Buffer.from(digits, 'latin1'));
  return element(UTC_TIME, Buffer.from(digits.slice(2), 'latin1'));
}

/** `[number] EXPLICIT`: the item inside a constructed context tag. */
export const explicit = (number: number, item: Uint8Array): Buffer => element(CONTEXT | CONSTRUCTED | number, item);

/** `[number] IMPLICIT` over a primitive type: the content with a context tag. */
export const implicit = (number: number, content: Uint8Array): Buffer => element(CONTEXT | number, content);

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

/** Seven bits a byte, all but the last with the top bit set. */
function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest % 128));
  return digits;
}
