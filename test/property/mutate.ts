/** Damaged logs: real lines, put through the accidents that logs meet on their way, and some that no log meets. */
import type { createRng } from '../../engine/index.ts';
import { MAX_LINE_CHARS } from '../../parsers/index.ts';

export type Rng = ReturnType<typeof createRng>;

const LF = Buffer.from('\n');
const CRLF = Buffer.from('\r\n');
const BRACKETS = /[()[\]{}<>"']/g;
const HUGE = [
  '99999999999',
  '4294967296',
  '-1',
  '18446744073709551616',
  '1e400',
  '9'.repeat(400),
  '0'.repeat(40),
  '00',
];
const NOISE = [
  '',
  ' ',
  '\t',
  '\r',
  '\0',
  '\x1b[31m',
  '\x1b[0m',
  '\ufeff',
  '{',
  '}, x: ',
  '((((',
  '<<"',
  '=>',
  '\\',
  '"',
];
/** Lines that are nearly a record's start, and stamps that are nearly a time. */
const NEAR_MISSES = [
  '2025-01-02 03:04:05 [17] INFO  ',
  '2025-01-02 03:04:05 [17] INFO  /b/x.c:1: ',
  '2025-01-02 03:04:05 [17] DEBUG /b/x.c:1 f: ',
  '2025-02-30 25:61:61 [17] DEBUG /b/x.c:1: x',
  '0000-00-00 00:00:00 [0] FATAL /b/x.c:0: ',
  '2025-01-02T03:04:05.000006+00:00 [debug] ',
  '2025-01-02T03:04:05.000006+99:99 [debug] msg: x',
  '2025-13-45T99:99:99.999999+00:00 [error] msg: x',
  '9999999999999999 [info] msg: x',
  '{"time":1,"level":"debug"}',
  '{"time":"2025-01-02T03:04:05.000006+00:00","level":"debug","msg":null,"__proto__":{"a":1}}',
  '{"time":1e400,"level":"debug","msg":"x","meta":{}}',
];
/** What collectors write before a line. */
const WRAPPERS: readonly ((text: string) => string)[] = [
  (text) => `${JSON.stringify({ log: `${text}\n`, stream: 'stderr', time: '2025-01-02T03:04:05.000006789Z' })}`,
  (text) => `nanomq-1  | ${text}`,
  (text) => `2025-01-02T03:04:05.000006789Z ${text}`,
  (text) => `Jan  2 03:04:05 edge-7 nanomq[412]: ${text}`,
  (text) => `<30>1 2025-01-02T03:04:05.000006Z edge-7 emqx 412 - - ${text}`,
];

type Mutation = (line: Buffer, rng: Rng, other: () => Buffer) => Buffer;

const at = (rng: Rng, line: Buffer) => rng.int(0, line.length);
const pick = <T>(rng: Rng, list: readonly T[]): T => list[rng.int(0, list.length - 1)]!;
const insert = (line: Buffer, place: number, bytes: Buffer) =>
  Buffer.concat([line.subarray(0, place), bytes, line.subarray(place)]);
const latin1 = (line: Buffer) => line.toString('latin1');
const bytesOf = (text: string) => Buffer.from(text, 'latin1');

function randomBytes(rng: Rng, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => rng.int(0, 255)));
}

function replaceOne(text: string, pattern: RegExp, rng: Rng, by: (found: string) => string): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const match = pick(rng, found);
  return text.slice(0, match.index) + by(match[0]) + text.slice(match.index + match[0].length);
}

/** By name, so that a failure can say what had been done to its lines. */
export const MUTATIONS: { readonly [name: string]: Mutation } = {
  cut: (line, rng) => line.subarray(0, at(rng, line)),
  'cut at the front': (line, rng) => line.subarray(at(rng, line)),
  joined: (line, _rng, other) => Buffer.concat([line, other()]),
  interleaved: (line, rng, other) => insert(line, at(rng, line), other()),
  'two halves': (line, rng, other) => Buffer.concat([line.subarray(0, at(rng, line)), other()]),
  'broken in two': (line, rng) => insert(line, at(rng, line), LF),
  'swapped bytes': (line, rng) => {
    const copy = Buffer.from(line);
    for (let swap = rng.int(1, 4); swap > 0 && copy.length > 1; swap -= 1) {
      const one = rng.int(0, copy.length - 1);
      const two = rng.int(0, copy.length - 1);
      [copy[one], copy[two]] = [copy[two]!, copy[one]!];
    }
    return copy;
  },
  'wrong byte': (line, rng) => {
    const copy = Buffer.from(line);
    if (copy.length > 0) copy[rng.int(0, copy.length - 1)] = rng.int(0, 255);
    return copy;
  },
  'NUL bytes': (line, rng) => insert(line, at(rng, line), Buffer.alloc(rng.int(1, 64))),
  'no UTF-8': (line, rng) =>
    insert(
      line,
      at(rng, line),
      Buffer.from(pick(rng, [[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf8, 0x88]])),
    ),
  'beyond the BMP': (line, rng) => insert(line, at(rng, line), Buffer.from('größe 漢字 🚀')),
  'carriage return': (line, rng) => insert(line, at(rng, line), Buffer.from('\r')),
  noise: (line, rng) => insert(line, at(rng, line), Buffer.from(pick(rng, NOISE))),
  'random bytes': (line, rng) => insert(line, at(rng, line), randomBytes(rng, rng.int(1, 40))),
  'only random bytes': (_line, rng) => randomBytes(rng, rng.int(0, 80)),
  'near miss': (_line, rng) => Buffer.from(pick(rng, NEAR_MISSES)),
  'near miss before': (line, rng) => Buffer.concat([Buffer.from(pick(rng, NEAR_MISSES)), line]),
  'bracket doubled': (line, rng) =>
    bytesOf(replaceOne(latin1(line), BRACKETS, rng, (found) => found.repeat(rng.int(2, 9)))),
  'bracket removed': (line, rng) => bytesOf(replaceOne(latin1(line), BRACKETS, rng, () => '')),
  'brackets all removed': (line) => bytesOf(latin1(line).replaceAll(BRACKETS, '')),
  'deeply nested': (line, rng) =>
    insert(line, at(rng, line), Buffer.from(pick(rng, ['{', '[', '(', '#{a => ', '<<']).repeat(rng.int(50, 3000)))),
  'wrong digit': (line, rng) => bytesOf(replaceOne(latin1(line), /\d/g, rng, () => String(rng.int(0, 9)))),
  'wrong digits': (line, rng) =>
    bytesOf(latin1(line).replace(/\d/g, (digit) => (rng.int(0, 3) === 0 ? String(rng.int(0, 9)) : digit))),
  'huge number': (line, rng) => bytesOf(replaceOne(latin1(line), /\d+/g, rng, () => pick(rng, HUGE))),
  'wrapped by a collector': (line, rng) => Buffer.from(pick(rng, WRAPPERS)(line.toString('utf8'))),
  'very long': (line, rng) => {
    const place = at(rng, line);
    const filling = pick(rng, [Buffer.from('x'), Buffer.from(', a: b'), Buffer.from('ff '), line]);
    const times = Math.ceil(rng.int(2_000, 80_000) / Math.max(1, filling.length));
    return insert(line, place, Buffer.concat(Array<Buffer>(times).fill(filling)));
  },
  'over the limit': (line, rng) => {
    const filling = pick(rng, ['x', 'é', '\r', '🚀', 'a: b, ']);
    const characters = MAX_LINE_CHARS + rng.int(-2, 2) - rng.int(0, 1) * line.length;
    return Buffer.concat([line, Buffer.from(filling.repeat(Math.ceil(characters / filling.length)))]);
  },
};
const NAMES = Object.keys(MUTATIONS);
/** These cost as much as hundreds or thousands of other lines, so of so many draws one is taken. */
const SELDOM: { readonly [name: string]: number } = { 'very long': 20, 'deeply nested': 20, 'over the limit': 400 };

export interface DamagedLog {
  readonly bytes: Buffer;
  readonly mutations: readonly string[];
}

/**
 * A log of `lines` lines or a few more: runs of consecutive lines of the pool, of which a share is damaged.
 * @param pool lines without their ends; not empty
 */
export function damagedLog(pool: readonly Buffer[], lines: number, rng: Rng): DamagedLog {
  const parts: Buffer[] = [];
  const mutations = new Set<string>();
  const other = () => pick(rng, pool);
  const lineEnd = rng.int(0, 4) === 0 ? CRLF : LF;
  const damageOneIn = rng.int(1, 12);
  let next = rng.int(0, pool.length - 1);
  for (let count = 0; count < lines; count += 1) {
    if (rng.int(0, 9) === 0) next = rng.int(0, pool.length - 1);
    let line = pool[next]!;
    next = (next + 1) % pool.length;
    if (rng.int(1, damageOneIn) === 1) {
      for (let twice = rng.int(1, 2); twice > 0; twice -= 1) {
        const name = pick(rng, NAMES);
        if (rng.int(1, SELDOM[name] ?? 1) !== 1) continue;
        line = MUTATIONS[name]!(line, rng, other);
        mutations.add(name);
      }
    }
    parts.push(line);
    const end = rng.int(0, 59);
    if (end > 1) parts.push(end === 2 ? CRLF : lineEnd);
    else if (end === 1) parts.push(LF, LF);
  }
  if (rng.int(0, 3) === 0) parts.pop(); // the log ends in the middle
  return { bytes: Buffer.concat(parts), mutations: [...mutations] };
}

/** Values that a number, a name or a text of a line is changed to: those that parsers know, and those that look like something else. */
const OTHER_VALUES = [
  '0',
  '1',
  '2',
  '3',
  '5',
  '10',
  '16',
  '17',
  '128',
  '135',
  '255',
  '256',
  '65535',
  '65536',
  '4294967295',
  '4294967296',
  '99999999999',
  '9'.repeat(16),
  '00',
  '007',
  '-1',
  '1.5',
  '1e5',
  '0x1f',
  'ff',
  'a',
  'A_b-c',
  'undefined',
  'null',
  'true',
  'false',
  'x y',
  'x,y',
  'x, y: z',
  'a: b',
  'PacketId=7',
  'é',
  '"',
  '\\',
  '\\"',
  "it's",
  '',
  ' ',
  '<<"x">>',
  '<<"x\\"y">>',
  '<<1,2,3>>',
  '<<16,1,2>>',
  '[]',
  '[x]',
  '(x)',
  '{x}',
  ']',
  ')',
  '...',
  'x...',
  '******',
  'eyJhbGciOi.eyJzdWIi.x',
  '127.0.0.1:1883',
  '[::1]:1883',
  '<0.1.2>',
  'sid4',
  'a@b',
  '10ab',
];
const TOKEN = /\d+|[A-Za-z_]+|[^\sA-Za-z0-9_]+/g;

/** The line with one to three of its values changed. */
function varied(line: Buffer, rng: Rng): Buffer {
  let text = latin1(line);
  for (let count = rng.int(1, 3); count > 0; count -= 1) {
    const pattern = rng.int(0, 2) === 0 ? TOKEN : /\d+/g;
    text = replaceOne(text, pattern, rng, (found) =>
      rng.int(0, 2) === 0 ? pick(rng, OTHER_VALUES) : found.replace(/\d/g, () => String(rng.int(0, 9))),
    );
  }
  return bytesOf(text);
}

/**
 * A log that says a few things again and again with other values in them, as real ones do, so that their shapes are learned: a
 * reader that knows the shape of a line must not take another line for one of its kind.
 */
export function repeatedLog(pool: readonly Buffer[], rng: Rng): DamagedLog {
  const mutations = new Set<string>(['repeated']);
  const bases = Array.from({ length: rng.int(1, 3) }, () => {
    const line = pick(rng, pool);
    return rng.int(0, 3) === 0 ? varied(line, rng) : line;
  });
  const parts: Buffer[] = [];
  for (let count = rng.int(20, 40) * bases.length; count > 0; count -= 1) {
    let line = pick(rng, bases);
    const change = rng.int(0, 9);
    // Mostly only other digits: what is too different has another shape and is not learned.
    if (change < 4)
      line = bytesOf(latin1(line).replace(/\d/g, (digit) => (rng.int(0, 7) === 0 ? String(rng.int(0, 9)) : digit)));
    else if (change < 8) line = varied(line, rng);
    else if (change === 8) {
      const name = pick(rng, NAMES);
      if (SELDOM[name] === undefined) {
        line = MUTATIONS[name]!(line, rng, () => pick(rng, pool));
        mutations.add(name);
      }
    }
    parts.push(line, LF);
    if (rng.int(0, 19) === 0) parts.push(LF);
  }
  return { bytes: Buffer.concat(parts), mutations: [...mutations] };
}
