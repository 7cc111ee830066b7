/**
 * Whether the product cut what it printed (spec emqx-logs.md section 1.7).
 *
 * `...` stands for what is missing: at the end of a text, in place of elements of a term, or before the number of bytes of a payload
 * that are not shown. A payload may well hold three dots of its own, so there only the last form counts.
 */

/** 5.8.2+ / 5.1.6–5.8.1: the number of bytes of a payload that are not shown. */
export const PAYLOAD_CUT = /(?:\.\.\.\((\d+) bytes\)|\.\.\. The (\d+) bytes of this log are truncated)$/;
const PAYLOAD_CUT_INSIDE = /\.\.\.(?:\(\d+ bytes\)| The \d+ bytes of this log are truncated)/;
/** `[a|...]`, `{a,...}`, `#{a => 1,...}`, `<<"abc"...>>`, `{...}`. */
const TERM_CUT = /[[{(|,"\d]\.\.\.(?:[\]})|,]|>>)/;

/** Whether a text ends where the product stopped printing. */
export function endsCut(text: string): boolean {
  return text.endsWith('...') || text.endsWith('"...>>');
}

/** Whether the value of a key shows a mark. */
export function isValueCut(key: string, text: string): boolean {
  if (!text.includes('...')) return false;
  if (PAYLOAD_CUT_INSIDE.test(text)) return true;
  if (key === 'payload') return false;
  return endsCut(text) || (TERM_CUT.test(text) && (key !== 'packet' || text.startsWith('{')));
}

/** Whether a text without keys shows a mark. */
export function isTextCut(text: string): boolean {
  return text.includes('...') && (endsCut(text) || PAYLOAD_CUT_INSIDE.test(text) || TERM_CUT.test(text));
}
