/** Text broken at blanks into lines of at most `width` columns; lines after the first start with `indent`. */
import { stripVTControlCharacters } from 'node:util';
import { displayWidth } from '../output/width.ts';

export function wrap(text: string, width: number, indent = ''): string[] {
  const lead = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = lead;
  let empty = true;
  for (const word of text.trim().split(' ')) {
    if (!empty && shownWidth(line) + 1 + shownWidth(word) > width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

/** Colour takes no columns. */
function shownWidth(text: string): number {
  return displayWidth(stripVTControlCharacters(text));
}
