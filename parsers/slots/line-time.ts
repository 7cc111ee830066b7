/** Stamps at the start of a line, read without a regular expression. */
import { isEpochUs, parseDateTime } from '../input/date-time.ts';
import type { TimeFormat } from './shape.ts';

export interface LineTime {
  us: number; // the stamp read as UTC, without what stands behind it
  length: number; // characters read
  format: TimeFormat;
}

const EPOCH_DIGITS = 16; // µs
const DATE_CHARS = 10;
const STAMP_CHARS = 19; // YYYY-MM-DD HH:MM:SS
const MAX_FRACTION_DIGITS = 6;
const POWERS = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

const formats = new Map<string, TimeFormat>();
const EPOCH: TimeFormat = { kind: 'epoch', separator: '', fractionDigits: 0 };

/** Fills `into` from the stamp at the start of `text`; false if there is none that this reader knows. */
export function readLineTime(text: string, into: LineTime): boolean {
  let digits = 0;
  while (digits <= EPOCH_DIGITS && isDigit(text.charCodeAt(digits))) digits += 1;
  if (digits === EPOCH_DIGITS) {
    into.us = Number(text.slice(0, EPOCH_DIGITS));
    into.length = EPOCH_DIGITS;
    into.format = EPOCH;
    return isEpochUs(into.us);
  }
  if (digits !== 4 || text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d) return false;
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return false;
  const separator = text.charCodeAt(DATE_CHARS);
  if (separator !== 0x20 && separator !== 0x54) return false;
  const seconds = parseDateTime(text);
  if (seconds === null) return false;
  // A leap second is written 60 and would not be written so again.
  if (text.charCodeAt(17) === 0x36) return false;
  let fraction = 0;
  let count = 0;
  if (text.charCodeAt(STAMP_CHARS) === 0x2e) {
    for (let i = STAMP_CHARS + 1; isDigit(text.charCodeAt(i)); i++) {
      fraction = fraction * 10 + (text.charCodeAt(i) - 0x30);
      count += 1;
    }
    if (count === 0 || count > MAX_FRACTION_DIGITS) return false;
  }
  into.us = seconds + fraction * POWERS[count]!;
  into.length = count === 0 ? STAMP_CHARS : STAMP_CHARS + 1 + count;
  if (into.format.fractionDigits !== count || into.format.separator.charCodeAt(0) !== separator) {
    into.format = formatOf(String.fromCharCode(separator), count);
  }
  return true;
}

export function newLineTime(): LineTime {
  return { us: 0, length: 0, format: EPOCH };
}

function formatOf(separator: string, fractionDigits: number): TimeFormat {
  const key = `${separator}${fractionDigits}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = { kind: 'calendar', separator, fractionDigits };
    formats.set(key, format);
  }
  return format;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
