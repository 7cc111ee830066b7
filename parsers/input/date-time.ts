/**
 * Dates of log lines to integer microseconds since the Unix epoch.
 *
 * One rule for all layouts: the years 1970 to 2254, as written, are dates. A double holds microseconds exactly until June 2255; what
 * lies outside is a broken clock or a broken line, and is handled as a month 13 is.
 */

const DAY_US = 86_400_000_000;
const FIRST_YEAR = 1970;
const LAST_YEAR = 2254;
const END_US = Date.UTC(LAST_YEAR + 1, 0) * 1000;
/** No zone was ever farther from UTC. */
const MAX_OFFSET_US = 14 * 3_600_000_000;

// Lines come in bursts of one day: the days since the epoch are worked out once a day, not once a line.
let cachedDate = '';
let cachedDayUs = 0;

/** `YYYY-MM-DD HH:MM:SS` (any one character between date and time), read as UTC -> µs, or null if it is no such date. */
export function parseDateTime(stamp: string): number | null {
  const dayUs = parseDay(stamp.slice(0, 10));
  if (dayUs === null) return null;
  const hour = twoDigits(stamp, 11);
  const minute = twoDigits(stamp, 14);
  const second = twoDigits(stamp, 17);
  // 60 is a leap second; it becomes the first second of the next minute.
  if (!(hour < 24 && minute < 60 && second <= 60)) return null;
  return dayUs + ((hour * 60 + minute) * 60 + second) * 1_000_000;
}

function parseDay(date: string): number | null {
  if (date === cachedDate) return cachedDayUs;
  const month = twoDigits(date, 5);
  const day = twoDigits(date, 8);
  const year = twoDigits(date, 0) * 100 + twoDigits(date, 2);
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR)) return null;
  const ms = Date.UTC(year, month - 1, day);
  const daysInMonth = (Date.UTC(year, month, 1) - Date.UTC(year, month - 1, 1)) / 86_400_000;
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth)) return null;
  cachedDate = date;
  cachedDayUs = (ms / 86_400_000) * DAY_US;
  return cachedDayUs;
}

/** Whether a number of microseconds since the epoch, as some layouts print it, is a date. */
export function isEpochUs(us: number): boolean {
  return Number.isInteger(us) && us >= 0 && us < END_US;
}

/** `Z`, `+01:00`, `+0100` or `+01:00:00` -> µs ahead of UTC, or null if no zone is so far from it. Nothing reads as UTC. */
export function parseOffset(offset: string | undefined): number | null {
  if (offset === undefined || offset === 'Z') return 0;
  const digits = offset.replaceAll(':', '');
  const minutes = twoDigits(digits, 3);
  const seconds = digits.length > 5 ? twoDigits(digits, 5) : 0;
  const us = ((twoDigits(digits, 1) * 60 + minutes) * 60 + seconds) * 1_000_000;
  if (!(minutes < 60 && seconds < 60 && us <= MAX_OFFSET_US)) return null;
  return digits[0] === '-' ? -us : us;
}

/** Value of two digits, NaN if there are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

const RFC3339 = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/;

/** `2024-01-02T03:04:05.123456789+01:00` with its parts after the seconds optional -> µs. No offset reads as UTC. */
export function parseRfc3339(stamp: string): number | null {
  const found = RFC3339.exec(stamp);
  const seconds = found === null ? null : parseDateTime(stamp);
  if (found === null || seconds === null) return null;
  const us = found[1] === undefined ? 0 : Number(found[1].padEnd(6, '0').slice(0, 6));
  const offset = parseOffset(found[2]);
  return offset === null ? null : seconds + us - offset;
}
