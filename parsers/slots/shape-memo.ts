/** Remembers the shapes of a stream: masked line -> shape, learned when a line of its kind has come a few times. */
import { isDecimal, learn, type ParseOne, slotsOf } from './learn.ts';
import type { LineTime } from './line-time.ts';
import type { Mask } from './mask.ts';
import type { Shape } from './shape.ts';

/** Kinds of masked lines remembered; beyond that new kinds go the slow way. */
const MAX_KINDS = 20_000;
/** Shapes that one kind may split into by the text of slots that decide what it means. */
const MAX_SHAPES_PER_KIND = 256;
/** Learning costs some dozen parses, so a line's kind must have come this often. */
const LEARN_AT = 16;

interface Kind {
  /** Literal text between the slots: two lines of one hash are of one kind only if it is the same. */
  readonly parts: readonly string[];
  /** Of its slots. */
  readonly kinds: Uint8Array;
  readonly forms: Int32Array;
  readonly timeKey: string;
  seen: number;
  slow: boolean;
  /** Slots whose text picks the shape; null: nothing learned yet. */
  literal: readonly number[] | null;
  only: Shape | null; // the shape if no slot picks one
  byText: Map<string, Shape | null>; // null: learned that it has none
}

/** Memos by layout, for reading many files one after another. */
export type ShapeStore = Map<string, ShapeMemo>;

export class ShapeMemo {
  private readonly kinds = new Map<number, Kind[]>();
  private readonly parseOne: ParseOne;
  private count = 0;

  constructor(parseOne: ParseOne) {
    this.parseOne = parseOne;
  }

  /** Shape of the masked line, or null: it has to go the slow way. */
  find(mask: Mask, text: string, time: LineTime, from: number): Shape | null {
    const kind = this.kindOf(mask, text, time, from);
    if (kind === null || kind.slow) return null;
    if (kind.literal === null || (kind.literal.length === 0 && kind.only === null)) {
      kind.seen += 1;
      if (kind.seen < LEARN_AT) return null;
      this.teach(kind, mask, text, time);
      return null;
    }
    if (kind.literal.length === 0) return fits(kind.only!, mask, text) ? kind.only : null;
    const key = literalText(kind.literal, mask, text);
    const shape = kind.byText.get(key);
    if (shape === undefined) this.teach(kind, mask, text, time);
    return shape !== undefined && shape !== null && fits(shape, mask, text) ? shape : null;
  }

  private teach(kind: Kind, mask: Mask, text: string, time: LineTime): void {
    const slots = slotsOf(mask, text);
    const learned = learn(slots, { ...time }, this.parseOne);
    if (learned === null) {
      // With slots that decide, only this one combination may be without a shape.
      if (kind.literal === null) kind.slow = true;
      else this.remember(kind, literalText(kind.literal, mask, text), null);
      return;
    }
    if (kind.literal === null) kind.literal = learned.literal;
    else if (!sameNumbers(kind.literal, learned.literal)) {
      // Other values show other deciding slots: all of them decide from now on.
      kind.literal = [...new Set([...kind.literal, ...learned.literal])].sort((a, b) => a - b);
      kind.byText = new Map();
      kind.only = null;
      if (!sameNumbers(kind.literal, learned.literal)) {
        kind.slow = true;
        return;
      }
    }
    if (kind.literal.length === 0) kind.only = learned.shape;
    else this.remember(kind, literalText(kind.literal, mask, text), learned.shape);
  }

  private remember(kind: Kind, key: string, shape: Shape | null): void {
    if (kind.byText.size >= MAX_SHAPES_PER_KIND) kind.slow = true;
    else kind.byText.set(own(key), shape);
  }

  private kindOf(mask: Mask, text: string, time: LineTime, from: number): Kind | null {
    const timeKey = `${time.format.kind}${time.format.separator}${time.format.fractionDigits}`;
    let list = this.kinds.get(mask.hash);
    if (list !== undefined) {
      for (const kind of list)
        if (kind.timeKey === timeKey && hasSlots(kind, mask) && hasParts(kind.parts, mask, text, from)) return kind;
    }
    if (this.count >= MAX_KINDS) return null;
    const kind: Kind = {
      parts: partsOf(mask, text, from),
      kinds: mask.kind.slice(0, mask.count),
      forms: mask.form.slice(0, mask.count),
      timeKey,
      seen: 0,
      slow: false,
      literal: null,
      only: null,
      byText: new Map(),
    };
    this.count += 1;
    if (list === undefined) {
      list = [];
      this.kinds.set(mask.hash, list);
    }
    list.push(kind);
    return kind;
  }
}

function hasSlots({ kinds, forms }: Kind, mask: Mask): boolean {
  if (kinds.length !== mask.count) return false;
  for (let i = 0; i < mask.count; i++) if (kinds[i] !== mask.kind[i] || forms[i] !== mask.form[i]) return false;
  return true;
}

function hasParts(parts: readonly string[], mask: Mask, text: string, from: number): boolean {
  if (parts.length !== mask.count + 1) return false;
  let at = from;
  for (let i = 0; i < mask.count; i++) {
    const part = parts[i]!;
    if (mask.from[i]! - at !== part.length || !text.startsWith(part, at)) return false;
    at = mask.to[i]!;
  }
  const last = parts[mask.count]!;
  return text.length - at === last.length && text.startsWith(last, at);
}

function partsOf(mask: Mask, text: string, from: number): string[] {
  const parts: string[] = [];
  let at = from;
  for (let i = 0; i < mask.count; i++) {
    parts.push(own(text.slice(at, mask.from[i])));
    at = mask.to[i]!;
  }
  parts.push(own(text.slice(at)));
  return parts;
}

function literalText(literal: readonly number[], mask: Mask, text: string): string {
  let key = '';
  for (const slot of literal) key += `${text.slice(mask.from[slot], mask.to[slot])}\n`;
  return key;
}

/** Whether the slots' values are of the sort that the shape's templates can hold. */
function fits(shape: Shape, mask: Mask, text: string): boolean {
  for (const slot of shape.decimals) if (!isDecimal(text, mask.from[slot]!, mask.to[slot]!)) return false;
  for (const slot of shape.quoted) {
    for (let i = mask.from[slot]!; i < mask.to[slot]!; i++) {
      const c = text.charCodeAt(i);
      if (c === 0x22 || c === 0x5c) return false;
    }
  }
  return true;
}

/** A copy that does not keep the whole line alive. */
function own(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
