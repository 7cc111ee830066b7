/**
 * Matches a message against the parts of a printf format and finds the values of its conversions.
 *
 * Blanks at both ends do not count: several statements start with a blank or end in `\n`. A string takes as little as it can.
 */

import { plainZero } from '../plain-zero.ts';
import type { FormatPart, SlotKind } from './printf-format.ts';

export type SlotValue = string | number;

/** Bound on the work for one message: formats with several strings can be matched in many ways. */
const MAX_STEPS = 2_000;

/** Parts without the blanks around the format, ready for `matchSlots`. */
export function trimParts(parts: readonly FormatPart[]): FormatPart[] {
  const trimmed = parts.slice();
  const first = trimmed[0];
  if (first?.kind === 'literal') trimmed[0] = { kind: 'literal', text: first.text.trimStart() };
  const last = trimmed[trimmed.length - 1];
  if (last?.kind === 'literal') trimmed[trimmed.length - 1] = { kind: 'literal', text: last.text.trimEnd() };
  return trimmed.filter((part) => part.kind !== 'literal' || part.text !== '');
}

/**
 * Where the conversions' texts lie: start and end of each in order, or null if the text is not of this format. `text` must be
 * trimmed.
 */
export function matchSlots(parts: readonly FormatPart[], text: string): readonly number[] | null {
  const slots: number[] = [];
  return matchFrom(parts, 0, text, 0, slots, { steps: MAX_STEPS }) ? slots : null;
}

/** Value of one conversion from its text. */
export function readSlot(kind: SlotKind, raw: string): SlotValue {
  return kind === 'string' || kind === 'pointer' ? raw : readNumber(kind, raw);
}

/** The conversions' texts as they were printed. */
export function rawSlots(text: string, slots: readonly number[]): string[] {
  const raw: string[] = [];
  for (let at = 0; at < slots.length; at += 2) raw.push(text.slice(slots[at]!, slots[at + 1]!));
  return raw;
}

function matchFrom(
  parts: readonly FormatPart[],
  partAt: number,
  text: string,
  at: number,
  slots: number[],
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
      return matchString(parts, i, text, pos, slots, budget);
    } else {
      const end = END_OF[part.kind](text, pos);
      if (end === -1) return false;
      slots.push(pos, end);
      pos = end;
    }
  }
  return pos === text.length;
}

function matchString(
  parts: readonly FormatPart[],
  partAt: number,
  text: string,
  at: number,
  slots: number[],
  budget: { steps: number },
): boolean {
  const next = parts[partAt + 1];
  if (next === undefined) {
    slots.push(at, text.length);
    return true;
  }
  const mark = slots.length;
  for (let end = at; end <= text.length && budget.steps > 0; end++) {
    if (next.kind === 'literal') {
      end = text.indexOf(next.text, end);
      if (end === -1) return false;
    }
    slots.push(at, end);
    if (matchFrom(parts, partAt + 1, text, end, slots, budget)) return true;
    slots.length = mark;
    budget.steps -= 1;
  }
  return false;
}

/** End of the number or address that starts at `at`, or -1. */
export function endOfSlot(kind: keyof typeof END_OF, text: string, at: number): number {
  return END_OF[kind](text, at);
}

/** By hand: a regular expression makes an object for each match. */
const END_OF = {
  int(text: string, at: number): number {
    const sign = text.charCodeAt(at);
    return endOfDigits(text, sign === 0x2d || sign === 0x2b ? at + 1 : at);
  },
  hex(text: string, at: number): number {
    return endOfHex(text, at);
  },
  pointer(text: string, at: number): number {
    if (text.startsWith('(nil)', at)) return at + 5;
    return text.startsWith('0x', at) ? endOfHex(text, at + 2) : endOfHex(text, at);
  },
  float(text: string, at: number): number {
    const from = text.charCodeAt(at) === 0x2d ? at + 1 : at;
    if (text.startsWith('inf', from) || text.startsWith('nan', from)) return from + 3;
    const whole = endOfDigits(text, from);
    if (whole === -1 || text.charCodeAt(whole) !== 0x2e) return whole;
    const fraction = endOfDigits(text, whole + 1);
    return fraction === -1 ? whole : fraction;
  },
} as const;

function endOfDigits(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(at)) at += 1;
  return at === from ? -1 : at;
}

function endOfHex(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    const lower = code | 0x20;
    if (!((code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66))) break;
    at += 1;
  }
  return at === from ? -1 : at;
}

function readNumber(kind: 'int' | 'hex' | 'float', text: string): SlotValue {
  const value = kind === 'hex' ? Number.parseInt(text, 16) : Number(text);
  // %llu can print more than a double holds exactly; then the digits themselves are the value.
  if (!Number.isFinite(value) || (kind !== 'float' && !Number.isSafeInteger(value))) return text;
  return plainZero(value);
}
