/** How wide text is on a terminal, and how to make it fit. */

/** Columns assumed for a terminal that does not tell. */
export const DEFAULT_WIDTH = 80;
/** Narrower than this, lines are left to wrap. */
const MIN_WIDTH = 20;

/** Columns to fit into; null where there is no terminal: a file or a pipe gets everything. */
export function terminalWidth(stream: { readonly isTTY?: boolean; readonly columns?: number }): number | null {
  if (stream.isTTY !== true) return null;
  return Math.max(stream.columns || DEFAULT_WIDTH, MIN_WIDTH);
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const PLAIN = /^[\x20-\x7e]*$/;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u;
/** Emoji, and the blocks that Unicode's East Asian Width calls wide or full-width. */
const WIDE =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;

/** Columns that the text takes; it must be free of control characters and colour. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (ZERO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** The text cut to at most `width` columns, with `…` in the place of what is missing. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return '';
  if (PLAIN.test(text)) return `${text.slice(0, width - 1)}…`;
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The text filled up with blanks to `width` columns, at its end or, for `right` alignment, before it. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}
