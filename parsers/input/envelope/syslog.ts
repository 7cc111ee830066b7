/**
 * Lines of syslog files and of `journalctl`, which prints the same shapes.
 *
 *     Jan  2 03:04:05 HOST PROGRAM[PID]: text            RFC 3164, journalctl -o short
 *     2024-01-02T03:04:05.123456+01:00 HOST PROGRAM[PID]: text     rsyslog, journalctl -o short-iso
 *     Tue 2024-01-02 03:04:05 CET HOST PROGRAM[PID]: text          journalctl -o short-full
 *     <30>1 2024-01-02T03:04:05Z HOST PROGRAM PID MSGID [SD] text  RFC 5424
 *
 * A stamp without a year is of the last year in which it was not later than the file's own time; without that it gives no `ts`. A zone
 * that is only named is read as UTC.
 */
import type { Envelope } from '../../record.ts';
import { parseDateTime, parseRfc3339 } from '../date-time.ts';
import type { Unwrapped, Wrapper } from './wrapper.ts';

const PRI = '(?:<(?<pri>\\d{1,3})>)?';
// A level in brackets, as EMQX writes it behind its stamp, is no host; a time of day is no program.
const ORIGIN =
  '(?<host>(?!\\[)[^\\s]{0,254}[^\\s:]) (?<program>[A-Za-z_/(][^\\s:[\\]]{0,127})(?:\\[(?<pid>\\d{1,10})\\])?:(?: |$)';
const DAY = '(?<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?<day>[ 0-3]\\d)';

const RFC3164 = new RegExp(`^${PRI}${DAY} (?<clock>\\d\\d:\\d\\d:\\d\\d)(?:\\.(?<fraction>\\d{1,6}))? ${ORIGIN}`);
const ISO = new RegExp(
  `^${PRI}(?<stamp>\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?(?:Z|[+-]\\d\\d:?\\d\\d)) ${ORIGIN}`,
);
const FULL = new RegExp(
  `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<stamp>\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d)(?:\\.(?<fraction>\\d{1,6}))? (?:[A-Z]{1,5}|[+-]\\d{2,4}) ${ORIGIN}`,
);
const RFC5424 =
  /^(?:\d{1,7} (?=<))?(?:<(?<pri>\d{1,3})>)?1 (?<stamp>-|\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d)) (?<host>\S{1,255}) (?<program>\S{1,128}) (?<pid>\S{1,128}) \S{1,64} (?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: \ufeff?|$)/;

type Groups = { readonly [name: string]: string | undefined };

/** rsyslog writes control characters as their octal number: a message that ends in a line end ends in `#012`. */
const ESCAPED_CONTROL = /#(011|012|015|033)/g;

function wrapper(title: string, pattern: RegExp, tsOf: (groups: Groups) => number | null, of: CollectorOf): Wrapper {
  return {
    title,
    objects: false,
    indents: true,
    mayHoldStamps: false,
    unwrap(text): Unwrapped | null {
      const found = pattern.exec(text);
      if (found === null) return null;
      const groups = found.groups as Groups;
      const envelope = envelopeOf(groups, tsOf(groups), of(groups));
      return {
        text: decodeControls(text.slice(found[0].length)),
        envelope,
        partial: false,
        prefixLength: found[0].length,
      };
    },
  };
}

type CollectorOf = (groups: Groups) => 'syslog' | 'journald';

function envelopeOf(groups: Groups, ts: number | null, collector: 'syslog' | 'journald'): Envelope {
  const { host, program, pid, pri } = groups;
  return {
    collector,
    ...(ts === null ? {} : { ts }),
    ...(host === undefined || host === '-' ? {} : { host }),
    ...(program === undefined || program === '-' ? {} : { service: program }),
    ...(pid !== undefined && /^\d+$/.test(pid) ? { pid: Number(pid) } : {}),
    ...(pri === undefined ? {} : { priority: Number(pri) }),
  };
}

function decodeControls(text: string): string {
  if (!text.includes('#0')) return text;
  const plain = text.replace(ESCAPED_CONTROL, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return plain.endsWith('\n') ? plain.slice(0, -1) : plain;
}

const stampTs = ({ stamp }: Groups): number | null => (stamp === undefined ? null : parseRfc3339(stamp));

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** The writer's clock may be in another zone than the file system's. */
const DAY_US = 86_400_000_000;
const FIRST_YEAR = 1970;
/** Counted in years of 365 days, a time is at most one year too late until 2254. */
const SHORTEST_YEAR_US = 365 * DAY_US;

/** Stamp of the last year in which it is not later than `writtenUntilUs`. */
function yearlessTs(
  { month = '', day = '', clock = '', fraction = '' }: Groups,
  writtenUntilUs: number,
): number | null {
  const latest = FIRST_YEAR + Math.floor((writtenUntilUs + DAY_US) / SHORTEST_YEAR_US);
  const date = `${String(MONTHS.indexOf(month) + 1).padStart(2, '0')}-${day.replace(' ', '0')} ${clock}`;
  // Four years back there is a 29 February, unless a century was no leap year; one more for the estimate.
  for (let year = latest; year > latest - 9; year--) {
    const seconds = parseDateTime(`${year}-${date}`);
    if (seconds !== null && seconds <= writtenUntilUs + DAY_US) return seconds + Number(fraction.padEnd(6, '0'));
  }
  return null;
}

/** Day 2 is ` 2` in syslog and `02` in journalctl; from day 10 on they look alike, and only syslog files have a PRI. */
export function rfc3164(writtenUntilUs: number | null): Wrapper {
  return wrapper(
    `syslog's or journalctl's prefix${writtenUntilUs === null ? '' : " (the year is from the file's time)"}`,
    RFC3164,
    (groups) => (writtenUntilUs === null ? null : yearlessTs(groups, writtenUntilUs)),
    ({ day }) => (day?.startsWith('0') ? 'journald' : 'syslog'),
  );
}

/** rsyslog writes `+01:00` with microseconds; journalctl, before systemd 255, `+0100`, and without -precise no fraction. */
export const isoSyslog = wrapper(
  "syslog's or journalctl's prefix with ISO time",
  ISO,
  stampTs,
  ({ stamp = '', pri }) =>
    pri === undefined && (/[+-]\d{4}$/.test(stamp) || !stamp.includes('.')) ? 'journald' : 'syslog',
);

export const journalFull = wrapper(
  "journalctl's prefix",
  FULL,
  ({ stamp, fraction }) => {
    const seconds = stamp === undefined ? null : parseDateTime(stamp);
    return seconds === null ? null : seconds + Number((fraction ?? '').padEnd(6, '0'));
  },
  () => 'journald',
);

export const rfc5424 = wrapper("syslog's prefix (RFC 5424)", RFC5424, stampTs, () => 'syslog');
