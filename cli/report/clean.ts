/** Log text is hostile: what a report shows is made visible here, once, before it is written. */
import { escapeControls } from '../output/escape.ts';

/** Characters that draw nothing or move others: zero-width, soft hyphen, tags, variation of direction. */
const INVISIBLE =
  /[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\u3164\ufeff\ufff9-\ufffb]/g;

/** A value of JSON with every string, keys included, on one line and without control characters. */
export function clean<T>(value: T): T {
  if (typeof value === 'string') return cleanText(value) as T;
  if (Array.isArray(value)) return value.map(clean) as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [cleanText(key), clean(member)])) as T;
  return value;
}

export function cleanText(text: string): string {
  return escapeControls(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    INVISIBLE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
