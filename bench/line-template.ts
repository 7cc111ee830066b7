/**
 * Log lines cut at what varies from one copy to the next: times and ids. Cutting is slow and done once; a copy is then a
 * joining of strings. The same id of a log has one slot, so that a copy keeps what belongs together together.
 */
import type { createRng } from '../engine/index.ts';
import type { BaseLog } from './base-logs.ts';

export type Rng = ReturnType<typeof createRng>;

const SLOT_KINDS = [
  'client',
  'peer',
  'topic',
  'packet',
  'sequence',
  'epoch',
  'pointer',
  'process',
  'thread',
  'hex',
] as const;
type SlotKind = (typeof SLOT_KINDS)[number];

export interface Slot {
  readonly kind: SlotKind;
  readonly text: string; // as in the base log
}

export interface LineTemplate {
  /** Time in µs from the log's first stamp, never less than the line before; null: a line without a stamp. */
  readonly atUs: number | null;
  /** literals[0] slots[0] literals[1] … ; one literal more than slots. Without the stamp. */
  readonly literals: readonly string[];
  readonly slots: readonly number[];
}

export interface LogTemplate {
  readonly name: string;
  readonly stampLayout: StampLayout;
  readonly lines: readonly LineTemplate[];
  readonly slots: readonly Slot[];
  readonly startUs: number;
  readonly durationUs: number;
}

/** NanoMQ stamps whole seconds; EMQX microseconds with an offset, of which `tail` is kept as written. */
interface StampLayout {
  readonly separator: ' ' | 'T';
  readonly micros: boolean;
  readonly tail: string;
}

const STAMP = /^(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(?:\.(\d{6})(Z|[+-]\d\d:\d\d))?/;
const CLIENT_IDS = /\bclientid: +([\w.:-]+)|\bClientId=([\w.:-]+)/g;
/** Of a packet in hex so much is varied: its end, which is payload. */
const PAYLOAD_END_DIGITS = 12;
const SECOND_US = 1_000_000;

/** @throws if the log has no line with a stamp */
export function cutLog(log: BaseLog): LogTemplate {
  const first = log.lines.map((line) => STAMP.exec(line)).find((match) => match !== null);
  if (!first) throw new Error(`${log.name} has no line with a time`);
  const startUs = stampUs(first);
  const pattern = slotPattern(clientIds(log.lines));
  const slots: Slot[] = [];
  const known = new Map<string, number>();
  let latest = 0;
  const lines = log.lines.map((line): LineTemplate => {
    const stamp = STAMP.exec(line);
    // Processes of one broker log a few µs out of order; what is made here is monotone.
    if (stamp) latest = Math.max(latest, stampUs(stamp) - startUs);
    return { atUs: stamp ? latest : null, ...cutLine(line.slice(stamp?.[0].length ?? 0), pattern, slots, known) };
  });
  const stampLayout: StampLayout = {
    separator: first[2] === 'T' ? 'T' : ' ',
    micros: first[4] !== undefined,
    tail: first[5] ?? '',
  };
  return { name: log.name, stampLayout, lines, slots, startUs, durationUs: latest };
}

function stampUs([, date, , time, micros]: RegExpExecArray): number {
  return Date.parse(`${date}T${time}Z`) * 1000 + Number(micros ?? 0);
}

function clientIds(lines: readonly string[]): string[] {
  const ids = new Set<string>();
  for (const line of lines) {
    for (const match of line.matchAll(CLIENT_IDS)) {
      const id = match[1] ?? match[2]!;
      if (id.length > 3) ids.add(id); // shorter ones also occur as words
    }
  }
  return [...ids].sort((a, b) => b.length - a.length); // the longest first: one may be the start of another
}

function slotPattern(clients: readonly string[]): RegExp {
  const client = clients.length === 0 ? '(?!)' : clients.map(escaped).join('|');
  return new RegExp(
    [
      `(?<client>(?<![\\w-])(?:${client})(?![\\w-]))`,
      '(?<peer>\\b\\d{1,3}(?:\\.\\d{1,3}){3}:\\d{4,5}\\b)',
      '(?<topic>\\b(?:up|down)/\\w+)',
      '(?<packet>(?<=PacketId=|packet id |msg id |msg \\w+ id )\\d+)',
      '(?<sequence>(?<="s":)\\d+)',
      '(?<epoch>\\b1[5-9]\\d{11}\\b)',
      '(?<pointer>\\b0x[0-9a-f]{8,16}\\b)',
      '(?<process><0\\.\\d+\\.0>)',
      '(?<thread>(?<=^ \\[)\\d+(?=\\]))',
      '(?<hex>(?<=bin: )3[0-9A-F]{40,}(?=,))', // a PUBLISH as it came
    ].join('|'),
    'g',
  );
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function cutLine(text: string, pattern: RegExp, slots: Slot[], known: Map<string, number>) {
  const literals: string[] = [];
  const used: number[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const kind = SLOT_KINDS.find((one) => match.groups?.[one] !== undefined)!;
    const key = `${kind} ${match[0]}`;
    let slot = known.get(key);
    if (slot === undefined) {
      slot = slots.push({ kind, text: match[0] }) - 1;
      known.set(key, slot);
    }
    literals.push(text.slice(from, match.index));
    used.push(slot);
    from = match.index + match[0].length;
  }
  literals.push(text.slice(from));
  return { literals, slots: used };
}

/** Numbers by which the ids of a copy differ from those of the base log. */
export interface Shift {
  readonly us: number;
  readonly number: number;
  /** Of `clients` names a client id becomes one. */
  readonly clients: number;
}

/** What stands in a slot in one copy. */
export function slotValue({ kind, text }: Slot, shift: Shift, rng: Rng): string {
  switch (kind) {
    case 'client':
      return `${text}-${rng.int(0, shift.clients - 1)}`;
    case 'peer':
      return randomPeer(rng);
    case 'topic': // as long as it was: lines print its length
      return text.slice(0, text.indexOf('/') + 1) + randomDigits(rng, text.length - text.indexOf('/') - 1, 36);
    case 'packet':
      return String(((Number(text) + shift.number) % 65_535) + 1);
    case 'sequence':
      return String(Number(text) + shift.number);
    case 'epoch':
      return String(Number(text) + Math.floor(shift.us / 1000));
    case 'pointer':
      return `0x7f${randomDigits(rng, text.length - 4, 16)}`;
    case 'process':
      return `<0.${rng.int(1000, 99_999)}.0>`;
    case 'hex':
      return text.slice(0, -PAYLOAD_END_DIGITS) + randomDigits(rng, PAYLOAD_END_DIGITS, 16).toUpperCase();
    case 'thread':
      return String(Number(text) + (shift.number % 10_000));
  }
}

export function randomPeer(rng: Rng): string {
  return `10.${rng.int(0, 255)}.${rng.int(0, 255)}.${rng.int(1, 254)}:${rng.int(1024, 65_535)}`;
}

/** Four digits a draw: a copy of a log has as many as it has lines. */
function randomDigits(rng: Rng, count: number, base: number): string {
  let text = '';
  while (text.length < count)
    text += rng
      .int(0, base ** 4 - 1)
      .toString(base)
      .padStart(4, '0');
  return text.slice(0, count);
}

/** Writes stamps of one layout; the text of a second is made once, as times come in order. */
export function stampWriter({ separator, micros, tail }: StampLayout): (us: number) => string {
  let second = Number.NaN;
  let text = '';
  return (us) => {
    const now = Math.floor(us / SECOND_US);
    if (now !== second) {
      second = now;
      const iso = new Date(now * 1000).toISOString();
      text = `${iso.slice(0, 10)}${separator}${iso.slice(11, 19)}`;
    }
    return micros ? `${text}.${String(us - now * SECOND_US).padStart(6, '0')}${tail}` : text;
  };
}
