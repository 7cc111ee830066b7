/**
 * What a line looks like at its first characters: a cheap guess for every line of a stream whose layout is known.
 *
 * A guess that differs from the layout is checked with the real parsers, one that agrees is not; so a wrong guess costs time
 * but never a record.
 */
import type { Layout } from '../record.ts';

/** Layouts that one parser reads, and that mix within one file: log lines in a trace file. `none` starts no record. */
export type Family = 'none' | 'nanomq-file' | 'nanomq-console' | 'nanomq-syslog' | 'emqx-text' | 'emqx-json';

export const FAMILY_OF_LAYOUT: { readonly [layout in Layout]: Family } = {
  'nanomq-file': 'nanomq-file',
  'nanomq-console': 'nanomq-console',
  'nanomq-syslog': 'nanomq-syslog',
  'emqx-text': 'emqx-text',
  'emqx-trace': 'emqx-text',
  'emqx-json': 'emqx-json',
  'emqx-trace-json': 'emqx-json',
};

const BLANK = 0x20;
const COLON = 0x3a;
const BRACKET = 0x5b;
const BRACE = 0x7b;
const ESC = 0x1b;
const LETTER_T = 0x54;
const STAMP_CHARS = 19; // YYYY-MM-DD HH:MM:SS
const SHORTEST_HEADER = 26; // a stamp, a thread of one digit, the blanks
const MAX_EMQX_STAMP = 40;
const MAX_PATH_CHARS = 1_024;

/** Whether the line looks like the start of a record of the layout. */
export function startsLikeRecord(text: string, layout: Layout): boolean {
  return startShape(text) === FAMILY_OF_LAYOUT[layout];
}

export function startShape(text: string): Family {
  const first = text.charCodeAt(0);
  if (first === BRACE) return text.charCodeAt(1) === 0x22 && text.includes('"time"') ? 'emqx-json' : 'none';
  if (!isDigit(first)) return 'none';
  const between = text.charCodeAt(10);
  if (between === BLANK) {
    if (text.charCodeAt(STAMP_CHARS) === BLANK && text.charCodeAt(STAMP_CHARS + 1) === BRACKET) {
      return isDigit(text.charCodeAt(STAMP_CHARS + 2)) ? nanomqShape(text) : 'emqx-text';
    }
  } else if (between !== LETTER_T && !isDigit(between)) return 'none';
  const bracket = text.indexOf(' [', 15);
  return bracket !== -1 && bracket < MAX_EMQX_STAMP && isLetter(text.charCodeAt(bracket + 2)) ? 'emqx-text' : 'none';
}

/** After the source line comes `: ` in a file and a blank on the console. */
function nanomqShape(text: string): Family {
  const limit = Math.min(text.length, MAX_PATH_CHARS);
  for (let colon = text.indexOf(':', SHORTEST_HEADER); colon !== -1 && colon < limit; ) {
    let end = colon + 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    if (end > colon + 1) {
      const behind = text.charCodeAt(end);
      if (behind === COLON) return 'nanomq-file';
      return behind === BLANK || behind === ESC ? 'nanomq-console' : 'none';
    }
    colon = text.indexOf(':', end);
  }
  return 'none';
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}
