/** A JSON line that a collector cut: its members up to the cut. */

/**
 * The object of a text that ends too early, with the members that were printed in full; null if the text does not start an object.
 *
 * A first walk finds the end of the last complete member outside of arrays; the text up to there, with its objects closed, is parsed.
 */
export function salvageObject(text: string): unknown {
  const end = lastCompleteMember(text);
  if (end === null) return null;
  try {
    return JSON.parse(text.slice(0, end.at) + '}'.repeat(end.depth));
  } catch {
    return null;
  }
}

const MAX_DEPTH = 64;

/** Index after the last member that a comma follows, and how many objects are open there. */
function lastCompleteMember(text: string): { at: number; depth: number } | null {
  const open: string[] = [];
  let found: { at: number; depth: number } | null = null;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      for (i += 1; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i += 1;
    } else if (c === '{' || c === '[') {
      open.push(c);
      if (open.length > MAX_DEPTH) return null;
    } else if (c === '}' || c === ']') {
      open.pop();
      if (open.length === 0) return null;
    } else if (c === ',' && !open.includes('[')) found = { at: i, depth: open.length };
  }
  return found;
}
