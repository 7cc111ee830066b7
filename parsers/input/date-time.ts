/** Dates of log lines to integer microseconds since the Unix epoch. */

const DAY_US = 86_400_000_000;

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
  const ms = Date.UTC(year, month - 1, day);
  const daysInMonth = (Date.UTC(year, month, 1) - Date.UTC(year, month - 1, 1)) / 86_400_000;
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth)) return null;
  cachedDate = date;
  cachedDayUs = (ms / 86_400_000) * DAY_US;
  return cachedDayUs;
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
  const offset = found[2];
  if (offset === undefined || offset === 'Z') return seconds + us;
  const minutes = twoDigits(offset, 1) * 60 + twoDigits(offset, offset.length - 2);
  return seconds + us - (offset[0] === '-' ? -minutes : minutes) * 60_000_000;
}
