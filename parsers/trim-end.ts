/**
 * Takes a repeated ending off a text. By hand: a regular expression like `/[\s,]+$/` looks at every run of such characters once for
 * each of its places, so that a line of nothing but blanks costs the square of its length.
 */

/** The text without the characters at its end for which `isEnd` holds. */
export function trimEndWhile(text: string, isEnd: (character: string) => boolean): string {
  let end = text.length;
  while (end > 0 && isEnd(text[end - 1]!)) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

/** The text without the endings at its end. */
export function trimEndings(text: string, ending: string): string {
  let end = text.length;
  while (text.endsWith(ending, end) && end > 0) end -= ending.length;
  return end === text.length ? text : text.slice(0, end);
}
