/**
 * Learns a shape from the grammars' answers: the line is parsed as it is and again with other values in its slots. A field that
 * follows a slot shows that slot's value; a slot that changes anything else (a code with a name, a number that must be below
 * four) decides what the line means, so it becomes part of the shape.
 */
import type { LogRecord, RecordFlag } from '../record.ts';
import { isDigit, textOf } from './ascii.ts';
import { cutMark } from './cut-payload.ts';
import type { LineTime } from './line-time.ts';
import {
  BINARY,
  BYTES,
  COMPOSITE,
  CUT_PAYLOAD,
  HEX,
  type Mask,
  NUMBER,
  PAYLOAD,
  PHRASE,
  slotLength,
  TIME,
  WORD,
} from './mask.ts';
import { fill, type Shape, type Source, type Template } from './shape.ts';

/** A line's record by the grammars, or null if the line alone does not make exactly one whole record. */
export type ParseOne = (text: string) => LogRecord | null;

export interface Slots {
  readonly text: string;
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly kind: readonly number[];
  readonly lengths: readonly number[]; // characters that it stands for
}

export interface Learned {
  readonly shape: Shape;
  /** Slots whose text belongs to the shape. */
  readonly literal: readonly number[];
}

/** Attributes by which records are told apart: few values, one shape each. */
const KIND_ATTRIBUTES = /"(?:packet|qos|reason)":"?$/;
/** More rounds would mean that slots influence each other. */
const MAX_ROUNDS = 3;
/** Decimal numbers that a double holds exactly. */
const MAX_DECIMAL_DIGITS = 15;

/** The slots of a line whose text lies in the bytes from `lineFrom` on. */
export function slotsOf(mask: Mask, bytes: Buffer, lineFrom: number): Slots {
  const cut = (numbers: Int32Array): number[] => Array.from(numbers.subarray(0, mask.count), (at) => at - lineFrom);
  const kind = Array.from(mask.kind.subarray(0, mask.count));
  const lengths = Array.from(mask.lengths.subarray(0, mask.count));
  return { text: textOf(bytes, lineFrom, mask.end), from: cut(mask.from), to: cut(mask.to), kind, lengths };
}

/** What is read of a stamp: µs as UTC, characters, and how it is written. */
export type Stamp = Pick<LineTime, 'us' | 'length' | 'format'>;

export function learn(slots: Slots, time: Stamp, parseOne: ParseOne): Learned | null {
  const original = parseOne(slots.text);
  // What no statement prints says nothing of other values: with one of them the line may well be a statement.
  if (original === null || original.event === null || !isWhole(original, slots.text, time)) return null;
  if (hasLongText(original.attributes)) return null;
  const literal = new Set<number>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const shape = deriveShape(slots, literal, original, time, parseOne);
    const guilty =
      shape === null
        ? guiltySlots(slots, literal, original, parseOne)
        : [...new Set([...wrongSlots(slots, literal, shape, parseOne), ...kindSlots(shape)])];
    if (guilty.length === 0) return shape === null ? null : { shape, literal: [...literal].sort((a, b) => a - b) };
    for (const slot of guilty) literal.add(slot);
  }
  return null;
}

/** A slot's text is a number that JSON prints the same way. */
export function isDecimal(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (length === 0 || length > MAX_DECIMAL_DIGITS) return false;
  if (length > 1 && bytes[from] === 0x30) return false;
  for (let i = from; i < to; i++) if (!isDigit(bytes[i]!)) return false;
  return true;
}

/**
 * Parsers cut attributes of 1,024 characters and more, which templates do not. So neither the text of an attribute when it is learned
 * nor that of a line's slots may be longer than half of that.
 */
export const MAX_TEXT_CHARS = 512;

function hasLongText(value: unknown): boolean {
  if (typeof value === 'string') return value.length > MAX_TEXT_CHARS;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasLongText);
}

/** The only flag that is the same for all lines of a shape. */
function isLearnable(flags: readonly RecordFlag[] | undefined): boolean {
  return flags === undefined || (flags.length === 1 && flags[0] === 'cut');
}

function sameFlags(a: readonly RecordFlag[] | undefined, b: readonly RecordFlag[] | undefined): boolean {
  return a?.join() === b?.join();
}

function isWhole(record: LogRecord, text: string, time: Stamp): boolean {
  return (
    record.ts !== null &&
    isLearnable(record.flags) &&
    record.head + record.body === text &&
    (record.head.length >= time.length || record.head === '')
  );
}

// --- what is put into the slots ---

function otherValue(slots: Slots, slot: number): string {
  const text = slots.text.slice(slots.from[slot], slots.to[slot]);
  switch (slots.kind[slot]) {
    case NUMBER:
      return String(7_310_000 + slot * 101);
    case COMPOSITE: {
      // Same build, other digits; the slot's index makes it unlike the others.
      const salt = String(slot + 17);
      let at = 0;
      return text.replace(/\d/g, () => {
        at += 1;
        return at <= salt.length ? salt[at - 1]! : String((at * 7 + slot) % 9 || 9);
      });
    }
    case HEX:
      return `7e${(0xabc000 + slot * 37).toString(16)}`;
    case BYTES:
      return `9,${slot + 11},77`;
    case WORD:
    case PHRASE:
    case BINARY:
    case PAYLOAD:
      return `zqx${slot}${'w'.repeat((slot % 5) + 3)}yk`;
    case CUT_PAYLOAD: {
      const mark = cutMark(Buffer.from(text, 'latin1'), 0, text.length)!;
      return `zqx${slot}yk${text.slice(mark.at).replace(/\d+/, String(4100 + slot * 3))}`;
    }
    default:
      return text;
  }
}

/** Slots whose values are exchanged. The stamp is not: how it is read is known. */
function isTried(slots: Slots, literal: ReadonlySet<number>, slot: number): boolean {
  return !literal.has(slot) && slots.kind[slot] !== TIME;
}

/** Values at which programs like to turn: small numbers, codes, limits. */
const TURNING_POINTS = ['0', '1', '2', '3', '5', '16', '128', '135', '65535', '4294967295'];
const TRIED_VALUES: readonly (readonly [kind: number, values: readonly string[]])[] = [
  [NUMBER, TURNING_POINTS],
  [BINARY, ['a', 'a b']],
  [WORD, ['a']],
];

function replaced(slots: Slots, value: (slot: number) => string | null): string {
  let text = '';
  let at = 0;
  for (let i = 0; i < slots.from.length; i++) {
    const other = value(i);
    if (other === null) continue;
    text += slots.text.slice(at, slots.from[i]) + other;
    at = slots.to[i]!;
  }
  return text + slots.text.slice(at);
}

// --- from answers to a shape ---

function deriveShape(
  slots: Slots,
  literal: ReadonlySet<number>,
  original: LogRecord,
  time: Stamp,
  parseOne: ParseOne,
): Shape | null {
  const others = new Map<number, string>();
  for (let i = 0; i < slots.from.length; i++) if (isTried(slots, literal, i)) others.set(i, otherValue(slots, i));
  const answer = parseOne(replaced(slots, (slot) => others.get(slot) ?? null));
  if (answer === null || !sameKind(original, answer)) return null;
  const timed = original.head.length >= time.length;
  const bodyAt = original.head.length;
  const body = bodyTemplate(slots, literal, timed ? bodyAt : 0);
  const text = (slot: number): string => slots.text.slice(slots.from[slot], slots.to[slot]);
  const source = (before: string | null, after: string | null): Source | undefined => {
    if (before === null || after === null) return before === after ? null : undefined;
    for (const [slot, other] of others) if (after === other && before === text(slot)) return slot;
    return before === after ? before : undefined;
  };
  const thread = source(original.thread, answer.thread);
  const clientId = source(original.clientId, answer.clientId);
  const bridgeId = source(original.bridgeId, answer.bridgeId);
  const peer = source(original.peer, answer.peer);
  if (thread === undefined || clientId === undefined || bridgeId === undefined || peer === undefined) return null;
  const attributes = attributesTemplate(slots, others, original, answer);
  if (attributes === undefined) return null;
  const head = timed ? headText(slots, literal, time, bodyAt, { thread, clientId, peer }) : '';
  if (head === null) return null;
  const shape: Shape = {
    severity: original.severity,
    file: original.file,
    line: original.line,
    func: original.func,
    tag: original.tag,
    event: original.event,
    tsPrecisionUs: original.tsPrecisionUs,
    timeShiftUs: original.ts! - time.us,
    time: timed ? time.format : null,
    head,
    body,
    attributes: attributes?.template ?? null,
    thread,
    clientId,
    bridgeId,
    peer,
    flags: original.flags,
    slotCount: slots.from.length,
    decimals: attributes?.decimals ?? [],
    quoted: attributes?.quoted ?? [],
    measured: attributes?.measured ?? [],
  };
  const restored = shape.attributes === null ? null : fill(shape.attributes, (slot) => slotValue(slots, slot));
  return restored === (original.attributes === null ? null : JSON.stringify(original.attributes)) ? shape : null;
}

/** Characters that another value of the slot stands for. */
function lengthOfOther(slots: Slots, slot: number, value: string): number {
  return slotLength(Buffer.from(value, 'latin1'), 0, value.length, slots.kind[slot]!);
}

function slotValue(slots: Slots, slot: number): string {
  return slot >= 0 ? slots.text.slice(slots.from[slot], slots.to[slot]) : String(slots.lengths[~slot]!);
}

/** What no slot may change. */
function sameKind(a: LogRecord, b: LogRecord): boolean {
  return (
    a.severity === b.severity &&
    a.file === b.file &&
    a.line === b.line &&
    a.func === b.func &&
    a.tag === b.tag &&
    a.event === b.event &&
    a.ts === b.ts &&
    a.tsPrecisionUs === b.tsPrecisionUs &&
    sameFlags(a.flags, b.flags)
  );
}

function bodyTemplate(slots: Slots, literal: ReadonlySet<number>, bodyAt: number): Template {
  const parts: string[] = [];
  const used: number[] = [];
  let at = bodyAt;
  for (let i = 0; i < slots.from.length; i++) {
    if (literal.has(i) || slots.from[i]! < bodyAt) continue;
    parts.push(slots.text.slice(at, slots.from[i]));
    used.push(i);
    at = slots.to[i]!;
  }
  parts.push(slots.text.slice(at));
  return { parts, slots: used };
}

/** The head behind its stamp; every slot in it must be a field that the record has. */
function headText(
  slots: Slots,
  literal: ReadonlySet<number>,
  time: Stamp,
  bodyAt: number,
  fields: { thread: Source; clientId: Source; peer: Source },
): string | null {
  let head = '';
  let at = time.length;
  for (let i = 0; i < slots.from.length && slots.from[i]! < bodyAt; i++) {
    if (literal.has(i)) continue;
    const name =
      fields.thread === i ? '{thread}' : fields.clientId === i ? '{client}' : fields.peer === i ? '{peer}' : null;
    if (name === null || slots.to[i]! > bodyAt) return null;
    head += slots.text.slice(at, slots.from[i]) + name;
    at = slots.to[i]!;
  }
  return head + slots.text.slice(at, bodyAt);
}

interface AttributesTemplate {
  readonly template: Template;
  readonly decimals: number[];
  readonly quoted: number[];
  readonly measured: number[];
}

/** Template of the attributes' JSON text; null if there are none, undefined if they do not follow the slots. */
function attributesTemplate(
  slots: Slots,
  others: ReadonlyMap<number, string>,
  original: LogRecord,
  answer: LogRecord,
): AttributesTemplate | null | undefined {
  if (original.attributes === null || answer.attributes === null) {
    return original.attributes === answer.attributes ? null : undefined;
  }
  const before = JSON.stringify(original.attributes);
  let after = JSON.stringify(answer.attributes);
  const measured = new Set<number>();
  // A value that is neither the same nor the slot's text can be its length.
  for (const key of Object.keys(original.attributes)) {
    const was = original.attributes[key];
    const is = answer.attributes[key];
    if (typeof was !== 'number' || typeof is !== 'number') continue;
    for (const [slot, other] of others) {
      if (
        slots.kind[slot] === NUMBER ||
        slotValue(slots, ~slot) !== String(was) ||
        lengthOfOther(slots, slot, other) !== is
      )
        continue;
      if (after.includes(`"${key}":${is}`)) after = after.replace(`"${key}":${is}`, `"${key}":\u0001${slot}\u0001`);
      measured.add(slot);
      break;
    }
  }
  const byLength = [...others].sort((a, b) => b[1].length - a[1].length);
  for (const [slot, other] of byLength) after = after.split(other).join(`\u0002${slot}\u0002`);
  const parts: string[] = [];
  const used: number[] = [];
  const quoted = new Set<number>();
  const decimals = new Set<number>();
  let literalText = '';
  for (const piece of after.split(/([\u0001\u0002]\d+[\u0001\u0002])/)) {
    if (piece.charCodeAt(0) > 2 || piece === '') {
      literalText += piece;
      continue;
    }
    const slot = Number(piece.slice(1, -1));
    parts.push(literalText);
    literalText = '';
    used.push(piece.charCodeAt(0) === 1 ? ~slot : slot);
    if (piece.charCodeAt(0) === 2) {
      const inString = (parts.join('').match(/(?<!\\)(?:\\\\)*"/g)?.length ?? 0) % 2 === 1;
      (inString ? quoted : decimals).add(slot);
    }
  }
  parts.push(literalText);
  if (before.length > MAX_JSON_CHARS) return undefined;
  return { template: { parts, slots: used }, decimals: [...decimals], quoted: [...quoted], measured: [...measured] };
}

const MAX_JSON_CHARS = 8_192;

// --- which slots decide what the line means ---

/** Slots that alone make the answer differ in more than their own value. */
function guiltySlots(slots: Slots, literal: ReadonlySet<number>, original: LogRecord, parseOne: ParseOne): number[] {
  const guilty: number[] = [];
  for (let i = 0; i < slots.from.length; i++) {
    if (!isTried(slots, literal, i)) continue;
    const other = otherValue(slots, i);
    const answer = parseOne(replaced(slots, (slot) => (slot === i ? other : null)));
    if (answer === null || !sameKind(original, answer) || !follows(slots, i, other, original, answer)) guilty.push(i);
  }
  return guilty;
}

/** Whether every field of the answer is the original's, but for the slot's own text or length. */
function follows(slots: Slots, slot: number, other: string, original: LogRecord, answer: LogRecord): boolean {
  const text = slots.text.slice(slots.from[slot], slots.to[slot]);
  const same = (before: string | null, after: string | null): boolean =>
    before === after || (after === other && before === text);
  if (!same(original.thread, answer.thread) || !same(original.clientId, answer.clientId)) return false;
  if (!same(original.peer, answer.peer) || !same(original.bridgeId, answer.bridgeId)) return false;
  const derived = attributesTemplate(slots, new Map([[slot, other]]), original, answer);
  if (derived === undefined) return false;
  if (derived === null) return true;
  const value = (index: number): string => slotValue(slots, index);
  return fill(derived.template, value) === JSON.stringify(original.attributes);
}

/** Slots that hold an attribute by which records are told apart. */
function kindSlots(shape: Shape): number[] {
  const { attributes } = shape;
  if (attributes === null) return [];
  return attributes.slots.filter((slot, i) => slot >= 0 && KIND_ATTRIBUTES.test(attributes.parts[i]!));
}

/** Slots for which the shape foretells something else than the grammars say at a turning point. */
function wrongSlots(slots: Slots, literal: ReadonlySet<number>, shape: Shape, parseOne: ParseOne): number[] {
  const isRight = (changed: readonly number[], value: string): boolean => {
    const text = replaced(slots, (slot) => (changed.includes(slot) ? value : null));
    return foretold(slots, changed, value, text, shape, parseOne(text));
  };
  const wrong = new Set<number>();
  for (const [kind, values] of TRIED_VALUES) {
    const tried = slots.kind.flatMap((one, slot) => (one === kind && isTried(slots, literal, slot) ? [slot] : []));
    for (const value of values) {
      // All at once is right nearly always; only if it is not, one after the other tells which is wrong.
      if (tried.length > 1 && isRight(tried, value)) continue;
      for (const slot of tried) if (!wrong.has(slot) && !isRight([slot], value)) wrong.add(slot);
    }
  }
  return [...wrong].sort((a, b) => a - b);
}

function foretold(
  slots: Slots,
  changed: readonly number[],
  value: string,
  text: string,
  shape: Shape,
  answer: LogRecord | null,
): boolean {
  if (answer === null || !sameFlags(answer.flags, shape.flags)) return false;
  const at = (slot: number): string => (changed.includes(slot) ? value : slotValue(slots, slot));
  const filled = (slot: number): string =>
    changed.includes(~slot) ? String(lengthOfOther(slots, ~slot, value)) : at(slot);
  const sourced = (source: Source): string | null => (typeof source === 'number' ? at(source) : source);
  return (
    answer.event === shape.event &&
    answer.severity === shape.severity &&
    answer.tag === shape.tag &&
    answer.func === shape.func &&
    answer.line === shape.line &&
    answer.file === shape.file &&
    answer.head + answer.body === text &&
    answer.body === fill(shape.body, filled) &&
    answer.thread === sourced(shape.thread) &&
    answer.clientId === sourced(shape.clientId) &&
    answer.bridgeId === sourced(shape.bridgeId) &&
    answer.peer === sourced(shape.peer) &&
    (answer.attributes === null ? null : JSON.stringify(answer.attributes)) ===
      (shape.attributes === null ? null : fill(shape.attributes, filled))
  );
}
