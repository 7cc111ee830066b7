/** Stamps at the start of a line, read from its bytes. */
import { isEpochUs, parseDateTime } from '../input/date-time.ts';
import { decimal, isDigit, textOf } from './ascii.ts';
import type { TimeFormat } from './shape.ts';

const EPOCH_DIGITS = 16; // µs
const MINUTE_CHARS = 16; // YYYY-MM-DD HH:MM
const DATE_CHARS = 10;
const STAMP_CHARS = 19; // YYYY-MM-DD HH:MM:SS
const MAX_FRACTION_DIGITS = 6;
const POWERS = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
const DOT = 0x2e;
const COLON = 0x3a;

const EPOCH: TimeFormat = { kind: 'epoch', separator: '', fractionDigits: 0 };
const formats = new Map<string, TimeFormat>();

/** Reads one stamp after the other. Lines come in bursts of one minute, so the minute is worked out once. */
export class LineTime {
  us = 0; // the stamp read as UTC, without what stands behind it
  length = 0; // bytes read
  format: TimeFormat = EPOCH;
  private readonly minute = Buffer.alloc(MINUTE_CHARS);
  private minuteUs = 0;

  /** False if no stamp that this reader knows stands at `from`. A line feed must stand somewhere behind it. */
  read(bytes: Buffer, from: number): boolean {
    const { minute } = this;
    for (let i = MINUTE_CHARS - 1; i >= 0; i--) {
      if (bytes[from + i] !== minute[i]) return this.readMinute(bytes, from);
    }
    return this.readSecond(bytes, from);
  }

  private readMinute(bytes: Buffer, from: number): boolean {
    let digits = 0;
    while (digits <= EPOCH_DIGITS && isDigit(bytes[from + digits]!)) digits += 1;
    if (digits === EPOCH_DIGITS) {
      this.us = decimal(bytes, from, from + EPOCH_DIGITS);
      this.length = EPOCH_DIGITS;
      this.format = EPOCH;
      return isEpochUs(this.us);
    }
    if (digits !== 4) return false;
    const text = textOf(bytes, from, from + MINUTE_CHARS);
    if (!/^\d{4}-..-..[ T]..:..$/.test(text)) return false;
    const us = parseDateTime(`${text}:00`);
    if (us === null) return false;
    bytes.copy(this.minute, 0, from, from + MINUTE_CHARS);
    this.minuteUs = us;
    return this.readSecond(bytes, from);
  }

  private readSecond(bytes: Buffer, from: number): boolean {
    const at = from + MINUTE_CHARS;
    const tens = bytes[at + 1]! - 0x30;
    const ones = bytes[at + 2]! - 0x30;
    // A leap second is written 60 and would not be written so again.
    if (bytes[at] !== COLON || !(tens >= 0 && tens < 6 && ones >= 0 && ones <= 9)) return false;
    let fraction = 0;
    let count = 0;
    if (bytes[from + STAMP_CHARS] === DOT) {
      for (let i = from + STAMP_CHARS + 1; isDigit(bytes[i]!); i++) {
        fraction = fraction * 10 + (bytes[i]! - 0x30);
        count += 1;
      }
      if (count === 0 || count > MAX_FRACTION_DIGITS) return false;
    }
    this.us = this.minuteUs + (tens * 10 + ones) * 1_000_000 + fraction * POWERS[count]!;
    this.length = count === 0 ? STAMP_CHARS : STAMP_CHARS + 1 + count;
    const separator = this.minute[DATE_CHARS]!;
    if (this.format.fractionDigits !== count || this.format.separator.charCodeAt(0) !== separator) {
      this.format = formatOf(String.fromCharCode(separator), count);
    }
    return true;
  }
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
