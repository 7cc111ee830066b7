/**
 * Splits an EMQX text line into time, level or tag, and the rest by hand (spec emqx-logs.md sections 1.1, 1.5).
 *
 *     TIME [level] BODY                         log line
 *     TIME [TAG] CLIENTID@PEER msg: BODY        trace line
 */
import { isEpochUs, parseDateTime, parseOffset } from '../input/date-time.ts';
import type { Severity } from '../record.ts';

export interface EmqxFrame {
  readonly ts: number | null; // null for a console line, which has no frame
  readonly tsPrecisionUs: number;
  readonly level: string; // as printed: `debug`, `MQTT` …
  readonly bodyAt: number; // index of the first character after `] `
}

export const SEVERITY_OF_LEVEL: { readonly [level: string]: Severity } = {
  debug: 'debug',
  info: 'info',
  notice: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
  alert: 'fatal',
  emergency: 'fatal',
};

/** `docker logs -t` or a collector may have put a time of its own before EMQX's. */
const START =
  /^(?:\d{4}-\d\d-\d\dT[\d:.]{8,18}Z (?=\d{4}-\d\d-\d\d|\d{16} ))?(?:(\d{16})|(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ?(Z|[+-]\d\d:?\d\d(?::?\d\d)?)?) \[([A-Za-z_-]{2,24})\] ?/;

/**
 * 4.3 and 4.4 let the user write the time: here the forms that begin with the year. The others (`%d/%m/%Y`) are not read, because
 * nothing in them says which number is the month.
 */
const CUSTOM_START =
  /^(\d{4})([-/.]?)(\d\d)\2(\d\d)[T _,]{0,2}(\d\d)([:.-]?)(\d\d)\6(\d\d)(?:[.,:](\d{1,9}))? ?(Z|[+-]\d\d:?\d\d(?::?\d\d)?)?\s{1,2}\[([A-Za-z_-]{2,24})\] ?/;

/** The frame of a line that starts a record; `bad` if it has the shape of one but no such date; null for any other line. */
export function splitFrame(text: string): EmqxFrame | 'bad' | null {
  const first = text.charCodeAt(0);
  if (first < 0x30 || first > 0x39) return null;
  const found = START.exec(text);
  if (found === null) return splitCustomFrame(text);
  const level = found[6]!;
  const bodyAt = found[0].length;
  if (found[1] !== undefined) {
    const ts = Number(found[1]);
    return isEpochUs(ts) ? { ts, tsPrecisionUs: 1, level, bodyAt } : 'bad';
  }
  const time = readTime(found[2]!, found[3]!, found[4], found[5]);
  return time === null ? 'bad' : { ...time, level, bodyAt };
}

function splitCustomFrame(text: string): EmqxFrame | 'bad' | null {
  const found = CUSTOM_START.exec(text);
  if (found === null) return null;
  const [head, year, , month, day, hour, , minute, second, fraction, offset, level] = found;
  const time = readTime(`${year}-${month}-${day}`, `${hour}:${minute}:${second}`, fraction, offset);
  return time === null ? 'bad' : { ...time, level: level!, bodyAt: head.length };
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? ?(Z|[+-]\d\d:?\d\d(?::?\d\d)?)?$/;

const EPOCH = /^\d{16}$/;

/** Time of a JSON line: µs as integer or its digits, or RFC 3339 text. */
export function readJsonTime(value: unknown): { ts: number; tsPrecisionUs: number } | null {
  if (typeof value === 'number') return isEpochUs(value) ? { ts: value, tsPrecisionUs: 1 } : null;
  if (typeof value !== 'string') return null;
  if (EPOCH.test(value)) return readJsonTime(Number(value));
  const found = RFC3339.exec(value);
  return found === null ? null : readTime(found[1]!, found[2]!, found[3], found[4]);
}

function readTime(
  date: string,
  time: string,
  fraction: string | undefined,
  offset: string | undefined,
): { ts: number; tsPrecisionUs: number } | null {
  const seconds = parseDateTime(`${date} ${time}`);
  // A stamp without an offset is local time of an unknown zone; it is read as UTC, and the clock of the endpoint corrects it.
  const offsetUs = parseOffset(offset);
  if (seconds === null || offsetUs === null) return null;
  const digits = fraction?.length ?? 0;
  const us = fraction === undefined ? 0 : Number(fraction.padEnd(6, '0').slice(0, 6));
  return { ts: seconds + us - offsetUs, tsPrecisionUs: 10 ** Math.max(0, 6 - digits) };
}
