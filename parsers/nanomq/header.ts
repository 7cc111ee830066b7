/**
 * Splits a NanoMQ line into header and message by hand (spec nanomq-logs.md section 1).
 *
 *     file     2025-01-02 03:04:05 [17] INFO  /b/bridge.c:866: message
 *     console  2025-01-02 03:04:05 [17] INFO  /b/bridge.c:866 bridge_connect_cb: message
 *
 * After the line number comes either `:` or the function name, so the two need no hint to be told apart.
 */
import { parseDateTime } from '../input/date-time.ts';
import type { Severity } from '../record.ts';

export interface NanomqHeader {
  readonly ts: number | null; // µs, read as if it were UTC
  readonly thread: string;
  readonly severity: Severity;
  readonly file: string; // base name
  readonly line: number;
  readonly func: string | null;
  readonly headLength: number; // characters before the message
}

const STAMP_CHARS = 19; // YYYY-MM-DD HH:MM:SS
const MAX_PATH_CHARS = 1_024;

const SEVERITY_OF_LEVEL: { readonly [level: string]: Severity } = {
  FATAL: 'fatal',
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'debug',
  TRACE: 'trace',
};

const FAST = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[(\d{1,10})\] (FATAL|ERROR|WARN|INFO|DEBUG|TRACE) +/;

/** `docker logs -t` puts an RFC 3339 time and a blank before each line; builds with -DDEBUG=ON put colour codes in the header. */
const TOLERANT =
  /^(?:\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d) )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \[(\d{1,10})\] (?:\x1b\[[\d;]*m)*(FATAL|ERROR|WARN|INFO|DEBUG|TRACE) *(?:\x1b\[[\d;]*m| )*/;

const FUNCTION = / +(?:\x1b\[[\d;]*m *)*([A-Za-z_]\w{0,127}): /y;
const COLOURED_COLON = / *(?:\x1b\[[\d;]*m *)*: /y;

/** The header of a line that starts a record, or null. */
export function splitNanomqHeader(text: string): NanomqHeader | null {
  // Cheap test first: most lines that start no record differ here.
  const first = text.charCodeAt(0);
  if (first < 0x30 || first > 0x39) return null;
  const fast = FAST.exec(text);
  if (fast !== null && text.charCodeAt(fast[0].length) !== 0x1b) {
    return splitSource(text, text.slice(0, STAMP_CHARS), fast[1]!, fast[2]!, fast[0].length);
  }
  const tolerant = TOLERANT.exec(text);
  if (tolerant === null) return null;
  return splitSource(text, tolerant[1]!, tolerant[2]!, tolerant[3]!, tolerant[0].length);
}

function splitSource(text: string, stamp: string, thread: string, level: string, from: number): NanomqHeader | null {
  const limit = Math.min(text.length, from + MAX_PATH_CHARS);
  // A Windows path has a colon of its own: the right one is followed by digits.
  for (let colon = text.indexOf(':', from); colon !== -1 && colon < limit; colon = text.indexOf(':', colon + 1)) {
    let end = colon + 1;
    while (end < text.length && isDigit(text.charCodeAt(end))) end += 1;
    if (end === colon + 1 || end > colon + 8) continue;
    const rest = splitFunction(text, end);
    if (rest === null) continue;
    return {
      ts: parseDateTime(stamp),
      thread,
      severity: SEVERITY_OF_LEVEL[level]!,
      file: baseName(text.slice(from, colon)),
      line: Number(text.slice(colon + 1, end)),
      func: rest.func,
      headLength: rest.headLength,
    };
  }
  return null;
}

function splitFunction(text: string, at: number): { func: string | null; headLength: number } | null {
  if (text.charCodeAt(at) === 0x3a) {
    // The message can be empty, and an editor may have cut the blank after the colon.
    if (at + 1 === text.length) return { func: null, headLength: at + 1 };
    return text.charCodeAt(at + 1) === 0x20 ? { func: null, headLength: at + 2 } : null;
  }
  FUNCTION.lastIndex = at;
  const func = FUNCTION.exec(text);
  if (func !== null) return { func: func[1]!, headLength: FUNCTION.lastIndex };
  COLOURED_COLON.lastIndex = at;
  return COLOURED_COLON.test(text) ? { func: null, headLength: COLOURED_COLON.lastIndex } : null;
}

function baseName(path: string): string {
  const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return path.slice(cut + 1);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
