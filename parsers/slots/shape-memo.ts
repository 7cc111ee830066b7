/** Remembers the shapes of a stream: masked line -> shape, learned when a line of its kind has come a few times. */
import { isDecimal, learn, MAX_TEXT_CHARS, type ParseOne, type Stamp, slotsOf } from './learn.ts';
import type { Mask } from './mask.ts';
import type { Shape, TimeFormat } from './shape.ts';
import { SlotMap } from './slot-map.ts';

/** Kinds of masked lines remembered; beyond that new kinds go the slow way. */
const MAX_KINDS = 20_000;
/** Shapes of all kinds. */
const MAX_SHAPES = 20_000;
/** Shapes that one kind may split into by the text of slots that decide what it means. */
const MAX_SHAPES_PER_KIND = 256;
/** Learning costs some dozen parses, so a line's kind must have come this often. */
const LEARN_AT = 16;

interface Kind {
  readonly hash2: number;
  readonly slots: number;
  readonly format: TimeFormat;
  readonly next: Kind | undefined; // of the same hash
  seen: number;
  slow: boolean;
  /** Slots whose text picks the shape; null: nothing learned yet. */
  literal: readonly number[] | null;
  only: Shape | null; // the shape if no slot picks one
  byText: SlotMap<Shape | null> | null; // null within: learned that it has none
}

/** Memos by layout, for reading many files one after another. */
export type ShapeStore = Map<string, ShapeMemo>;

export class ShapeMemo {
  private readonly kinds = new Map<number, Kind>();
  private readonly parseOne: ParseOne;
  private count = 0;
  private shapes = 0;

  constructor(parseOne: ParseOne) {
    this.parseOne = parseOne;
  }

  /** Shape of the masked line that starts at `lineFrom`, or null: it has to go the slow way. */
  find(mask: Mask, bytes: Buffer, lineFrom: number, time: Stamp): Shape | null {
    const kind = this.kindOf(mask, time.format);
    if (kind === null || kind.slow) return null;
    const { literal, only } = kind;
    if (literal === null || (literal.length === 0 && only === null)) {
      kind.seen += 1;
      if (kind.seen < LEARN_AT) return null;
      this.teach(kind, mask, bytes, lineFrom, time);
      return null;
    }
    if (literal.length === 0) return fits(only!, mask, bytes) ? only : null;
    const shape = kind.byText?.get(bytes, mask.from, mask.to, literal);
    if (shape === undefined) this.teach(kind, mask, bytes, lineFrom, time);
    return shape !== undefined && shape !== null && fits(shape, mask, bytes) ? shape : null;
  }

  private teach(kind: Kind, mask: Mask, bytes: Buffer, lineFrom: number, time: Stamp): void {
    if (this.shapes >= MAX_SHAPES) {
      if (kind.literal === null) kind.slow = true;
      return;
    }
    const learned = learn(slotsOf(mask, bytes, lineFrom), time, this.parseOne);
    if (learned === null) {
      // With slots that decide, only this one combination may be without a shape.
      if (kind.literal === null) kind.slow = true;
      else remember(kind, mask, bytes, null);
      return;
    }
    if (kind.literal === null) kind.literal = learned.literal;
    else if (!sameNumbers(kind.literal, learned.literal)) {
      // Other values show other deciding slots: all of them decide from now on.
      kind.literal = [...new Set([...kind.literal, ...learned.literal])].sort((a, b) => a - b);
      kind.byText = null;
      kind.only = null;
      if (!sameNumbers(kind.literal, learned.literal)) {
        kind.slow = true;
        return;
      }
    }
    this.shapes += 1;
    if (kind.literal.length === 0) kind.only = learned.shape;
    else remember(kind, mask, bytes, learned.shape);
  }

  private kindOf(mask: Mask, format: TimeFormat): Kind | null {
    const { hash, hash2, count: slots } = mask;
    const first = this.kinds.get(hash);
    for (let kind = first; kind !== undefined; kind = kind.next) {
      if (kind.hash2 === hash2 && kind.slots === slots && kind.format === format) return kind;
    }
    if (this.count >= MAX_KINDS) return null;
    const kind: Kind = {
      hash2,
      slots,
      format,
      next: first,
      seen: 0,
      slow: false,
      literal: null,
      only: null,
      byText: null,
    };
    this.count += 1;
    this.kinds.set(hash, kind);
    return kind;
  }
}

function remember(kind: Kind, mask: Mask, bytes: Buffer, shape: Shape | null): void {
  kind.byText ??= new SlotMap();
  if (kind.byText.size >= MAX_SHAPES_PER_KIND) kind.slow = true;
  else kind.byText.add(bytes, mask.from, mask.to, kind.literal!, shape);
}

/** Whether the slots' values are of the sort that the shape's templates can hold. */
function fits(shape: Shape, mask: Mask, bytes: Uint8Array): boolean {
  const { decimals, quoted } = shape;
  for (let s = 0; s < decimals.length; s++) {
    if (!isDecimal(bytes, mask.from[decimals[s]!]!, mask.to[decimals[s]!]!)) return false;
  }
  let room = MAX_TEXT_CHARS;
  for (let s = 0; s < quoted.length; s++) {
    const end = mask.to[quoted[s]!]!;
    room -= end - mask.from[quoted[s]!]!;
    if (room < 0) return false;
    for (let i = mask.from[quoted[s]!]!; i < end; i++) {
      if (bytes[i] === QUOTE || bytes[i] === BACKSLASH) return false;
    }
  }
  return true;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
