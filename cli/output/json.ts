/** JSON of values as a database returns them. */

/** Control characters that JSON.stringify leaves as they are although a terminal would obey them. */
const UNESCAPED_CONTROLS = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * @param value bigints become numbers if a double holds them, else strings; dates ISO 8601; bytes hexadecimal; what is no
 *   plain object, its own text; NaN and the infinities null
 * @param indent spaces a level, 0 for one line
 */
export function jsonText(value: unknown, indent = 0): string {
  const text = JSON.stringify(plainValue(value), null, indent) ?? 'null';
  return text.replace(UNESCAPED_CONTROLS, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The value with nothing in it that JSON does not know. */
export function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value === undefined || value === null || typeof value !== 'object') return value ?? null;
  if (Array.isArray(value)) return value.map(plainValue);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plainValue(item)]));
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
  }
  return String(value);
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
