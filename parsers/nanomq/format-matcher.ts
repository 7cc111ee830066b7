/**
 * Matches a message against the parts of a printf format and reads the values of its conversions.
 *
 * Blanks at both ends do not count: several statements start with a blank or end in `\n`. A string takes as little as it can.
 */
import type { FormatPart } from './printf-format.ts';

export type SlotValue = string | number;

/** Bound on the work for one message: formats with several strings can be matched in many ways. */
const MAX_STEPS = 2_000;

const STICKY = {
  int: /[-+]?\d+/y,
  hex: /[0-9a-fA-F]+/y,
  pointer: /\(nil\)|(?:0x)?[0-9a-fA-F]+/y,
  float: /-?(?:\d+(?:\.\d+)?|inf|nan)/y,
} as const;

/** Parts without the blanks around the format, ready for `matchParts`. */
export function trimParts(parts: readonly FormatPart[]): FormatPart[] {
  const trimmed = parts.slice();
  const first = trimmed[0];
  if (first?.kind === 'literal') trimmed[0] = { kind: 'literal', text: first.text.trimStart() };
  const last = trimmed[trimmed.length - 1];
  if (last?.kind === 'literal') trimmed[trimmed.length - 1] = { kind: 'literal', text: last.text.trimEnd() };
  return trimmed.filter((part) => part.kind !== 'literal' || part.text !== '');
}

/** Values in the order of the conversions, or null if the text is not of this format. `text` must be trimmed. */
export function matchParts(parts: readonly FormatPart[], text: string): SlotValue[] | null {
  const budget = { steps: MAX_STEPS };
  const values: SlotValue[] = [];
  return matchFrom(parts, 0, text, 0, values, budget) ? values : null;
}

function matchFrom(
  parts: readonly FormatPart[],
  partAt: number,
  text: string,
  at: number,
  values: SlotValue[],
  budget: { steps: number },
): boolean {
  let pos = at;
  for (let i = partAt; i < parts.length; i++) {
    if (--budget.steps < 0) return false;
    const part = parts[i]!;
    if (part.kind === 'literal') {
      if (!text.startsWith(part.text, pos)) return false;
      pos += part.text.length;
    } else if (part.kind === 'string') {
      return matchString(parts, i, text, pos, values, budget);
    } else {
      const pattern = STICKY[part.kind];
      pattern.lastIndex = pos;
      const found = pattern.exec(text);
      if (found === null) return false;
      values.push(part.kind === 'pointer' ? found[0] : readNumber(part.kind, found[0]));
      pos += found[0].length;
    }
  }
  return pos === text.length;
}

function matchString(
  parts: readonly FormatPart[],
  partAt: number,
  text: string,
  at: number,
  values: SlotValue[],
  budget: { steps: number },
): boolean {
  const next = parts[partAt + 1];
  if (next === undefined) {
    values.push(text.slice(at));
    return true;
  }
  const mark = values.length;
  for (let end = at; end <= text.length && budget.steps > 0; end++) {
    if (next.kind === 'literal') {
      end = text.indexOf(next.text, end);
      if (end === -1) return false;
    }
    values.push(text.slice(at, end));
    if (matchFrom(parts, partAt + 1, text, end, values, budget)) return true;
    values.length = mark;
    budget.steps -= 1;
  }
  return false;
}

function readNumber(kind: 'int' | 'hex' | 'float', text: string): SlotValue {
  const value = kind === 'hex' ? Number.parseInt(text, 16) : Number(text);
  // %llu can print more than a double holds exactly; then the digits themselves are the value.
  if (!Number.isFinite(value) || (kind !== 'float' && !Number.isSafeInteger(value))) return text;
  return value;
}
