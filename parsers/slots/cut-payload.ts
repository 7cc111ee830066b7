/** Payloads of which EMQX printed only the start: `TEXT...(7900 bytes)`, and how much it left out (parsers/emqx/cut-marks.ts). */
import { decimal, isDigit, startsWith } from './ascii.ts';

const MARKS = [
  { before: Buffer.from('...('), behind: Buffer.from(' bytes)') },
  { before: Buffer.from('... The '), behind: Buffer.from(' bytes of this log are truncated') },
] as const;
/** More would not be exact in a double. */
const MAX_DIGITS = 15;
/** Payloads that are no text may be shown as so many hexadecimal digits, without a word of it. */
const SHOWN_HEX_DIGITS = 200;

export interface CutMark {
  /** Where the mark starts. */
  readonly at: number;
  readonly bytes: number; // left out
}

/** The mark at the end of the text, null if there is none. */
export function cutMark(bytes: Uint8Array, from: number, to: number): CutMark | null {
  const last = bytes[to - 1];
  for (const { before, behind } of MARKS) {
    if (last !== behind[behind.length - 1]) continue;
    const end = to - behind.length;
    if (end <= from || !startsWith(bytes, end, behind)) continue;
    let first = end;
    while (first > from && isDigit(bytes[first - 1]!)) first -= 1;
    const at = first - before.length;
    if (first === end || end - first > MAX_DIGITS || at < from || !startsWith(bytes, at, before)) continue;
    return { at, bytes: decimal(bytes, first, end) };
  }
  return null;
}

/** Whether what is shown may stand for half as many bytes. */
export function isShownHex(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== SHOWN_HEX_DIGITS) return false;
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (!isDigit(c) && (c < 0x41 || c > 0x46)) return false;
  }
  return true;
}
