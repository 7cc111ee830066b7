/** Streams that hold more than one log: each line reaches the part it belongs to, and none is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf } from '../../parsers/index.ts';
import { LOGGED_LAYOUTS, LOGS, WRAPPINGS } from './cases/wrappers.ts';
import { byteSum, headLines, type ReadPart, type ReadStream, readStream } from './read-stream.ts';

const SEED = Number(process.env.SEED ?? 20_250_102);
const ROUNDS = 120;

function read(input: string, options = {}): ReadStream {
  const found = readStream(input, options);
  assert.ok(found !== null, 'not recognised');
  assert.equal(byteSum(found.parts), Buffer.byteLength(input));
  return found;
}

function outline(parts: readonly ReadPart[]): unknown[] {
  return parts.map((part) => [
    part.label,
    part.detection.layout,
    part.records.map((one) => one.lineNo),
    part.unparsed.map((one) => `${one.lineNo} ${one.reason}`),
  ]);
}

const NANOMQ = LOGS['nanomq-console'];
const FILE = LOGS['nanomq-file'];
const TEXT = LOGS['emqx-text'];
const TRACE = LOGS['emqx-trace'];
const JSON_LINES = LOGS['emqx-json'];

test('a compose log of both products is two parts, and continuations stay with their service', () => {
  const input = [
    `nanomq-1  | ${NANOMQ[2]}`,
    `emqx-1    | ${TEXT[2]}`,
    'nanomq-1  | ',
    `emqx-1    | ${TEXT[3]}`,
    'nanomq-1  | MQTT client recv error 18!',
    'redis-1   | Ready to accept connections',
    `nanomq-1  | ${NANOMQ[5]}`,
    '',
  ].join('\n');
  const { parts } = read(input);
  assert.deepEqual(outline(parts), [
    ['nanomq-1', 'nanomq-console', [1, 1, 7], ['6 other-program']],
    ['emqx-1', 'emqx-text', [2], []],
  ]);
  assert.equal(parts[0]!.records[0]!.body, 'MQTT client recv error 18!');
  assert.equal(parts[1]!.records[0]!.body, 'msg: Ensure mnesia schema\n    more of it');
});

test('without labels, the layout alone tells the parts', () => {
  const { parts } = read([FILE[0], TEXT[0], FILE[1], TEXT[2], TEXT[3], FILE[2], '', TRACE[0]].join('\n'));
  assert.deepEqual(outline(parts), [
    ['', 'nanomq-file', [1, 3, 6], []],
    ['', 'emqx-text', [2, 4, 8], []],
  ]);
});

test('a log that changes its layout midway gets a second part', () => {
  const { parts } = read([...TEXT, ...JSON_LINES, ...JSON_LINES].join('\n'));
  assert.deepEqual(outline(parts), [
    ['', 'emqx-text', [1, 2, 3], []],
    ['', 'emqx-json', [5, 6, 7, 8], []],
  ]);
  assert.equal(parts[1]!.detection.evidence, 'line 5 is a JSON object with time and level');
});

test('console and file layout pasted after one another are two parts', () => {
  assert.deepEqual(outline(read([FILE[0], FILE[1], NANOMQ[0], NANOMQ[1]].join('\n')).parts), [
    ['', 'nanomq-file', [1, 2], []],
    ['', 'nanomq-console', [3, 4], []],
  ]);
});

test('a trace file that starts with log lines is one part', () => {
  assert.deepEqual(outline(read([TRACE[1], ...TRACE].join('\n')).parts), [['', 'emqx-trace', [1, 2, 3, 4], []]]);
});

test('text before the first record belongs to the log', () => {
  assert.deepEqual(outline(read(['path :/opt', FILE[0]].join('\n')).parts), [
    ['', 'nanomq-file', [2], ['1 no-record-start']],
  ]);
});

test('lines of the product that is not wanted are kept as unparsed', () => {
  const input = [TEXT[2], TEXT[3], FILE[0], TEXT[0], FILE[1]].join('\n');
  assert.deepEqual(outline(read(input, { product: 'nanomq' }).parts), [
    ['', 'nanomq-file', [3, 5], ['1 other-product', '2 other-product', '4 other-product']],
  ]);
  assert.equal(readStream(TEXT.join('\n'), { product: 'nanomq' }), null);
});

test('no more than sixteen parts are opened', () => {
  const lines = Array.from({ length: 20 }, (_, i) => `emqx-${i}  | ${TEXT[0]}`);
  const { parts } = read(lines.join('\n'));
  assert.equal(parts.length, 16);
  assert.deepEqual(
    parts[0]!.unparsed.map((one) => `${one.lineNo} ${one.reason}`),
    ['17 too-many-parts', '18 too-many-parts', '19 too-many-parts', '20 too-many-parts'],
  );
});

test('what is repaired in a line is said by its record, and of continuation lines too', () => {
  const { parts } = read([`${FILE[0]}\0`, 'more\ufffd', FILE[1], FILE[4]].join('\n'));
  assert.deepEqual(
    parts[0]!.records.map((one) => one.flags),
    [['nul-bytes'], undefined, undefined],
  );
  const bytes = Buffer.from(`${FILE[0]}\nmore#\n${FILE[1]}\n`);
  bytes[bytes.indexOf('#')] = 0xff;
  assert.deepEqual(
    readStream(bytes)!.parts[0]!.records.map((one) => one.flags),
    [['invalid-utf8'], undefined],
  );
});

test('a part that falls silent does not hold back the resume point for ever', () => {
  const filler = `nanomq-1  | ${FILE[0]}${'x'.repeat(60_000)}\n`;
  const input = `emqx-1  | ${TEXT[0]}\n${filler.repeat(400)}`;
  const { parser, parts } = readStream(input, { lines: 401 })!;
  assert.ok(parser.resumePoint().byteOffset > 399 * 60_000);
  assert.equal(parts[0]!.records.length, 1);
});

test('a refusal says what was looked at', () => {
  assert.equal(refusalOf([]), 'empty');
  assert.equal(refusalOf(['', 'hello']), 'no header of NanoMQ or EMQX in the first 2 lines');
  assert.equal(
    refusalOf(['n-1 | a', 'n-1 | b']),
    "no header of NanoMQ or EMQX in the first 2 lines, behind docker compose's prefix",
  );
  assert.equal(refusalOf(['\x01\x02\x03', '\x7fELF\x01']), 'binary data');
  assert.equal(refusalOf([...TEXT], 'nanomq'), 'a log of emqx');
});

/** mulberry32: a small generator that a seed repeats. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const NOISE = [
  '',
  '\0',
  '\0'.repeat(80),
  '{',
  '{"log":"',
  '-- Boot 1 --',
  '\x1b[0m',
  '  x',
  'n-1  | ',
  '\ufffd',
  'nng-nanomq[1]: hello',
];

/** Lines of all layouts, wrapped by one collector most of the time, of several services, damaged at random; `glued`: without line ends too. */
function mixture(next: () => number, glued: boolean): Buffer {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const wrapping = next() < 0.2 ? null : pick(WRAPPINGS);
  const parts: Buffer[] = [];
  const count = 2 + Math.floor(next() * 40);
  for (let i = 0; i < count; i++) {
    let text: string = next() < 0.1 ? pick(NOISE) : pick(LOGS[pick(LOGGED_LAYOUTS)]);
    if (glued && next() < 0.05) text += pick(LOGS[pick(LOGGED_LAYOUTS)]);
    if (wrapping !== null && next() < 0.95) text = wrapping.wrap(text, pick(['a', 'b', 'nng-nanomq']));
    if (next() < 0.1) text = text.replace(' F ', ' P ').replace('\\n"', '"');
    if (next() < 0.05) text = text.slice(0, Math.floor(next() * text.length));
    if (next() < 0.05) text += '\0'.repeat(Math.floor(next() * 100)) + pick(NOISE);
    const bytes = Buffer.from(text);
    if (next() < 0.03 && bytes.length > 0) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
    parts.push(bytes, Buffer.from(next() < 0.1 ? '\r\n' : '\n'));
  }
  return Buffer.concat(parts);
}

function wrapperMissed(bytes: Buffer, { parser }: ReadStream): boolean {
  return (
    !parser.detection.evidence.includes('behind') &&
    /stdout|stderr|edge-7|T05:00:00|T07:00:00| \|/.test(bytes.toString())
  );
}

function byName(parts: readonly ReadPart[]): Map<string, ReadPart> {
  return new Map(parts.map((part) => [part.key, part]));
}

test(`every byte of a mixture belongs to one record or line of one part (seed ${SEED})`, () => {
  const next = random(SEED);
  let known = 0;
  for (let round = 0; round < ROUNDS * 5; round++) {
    const bytes = mixture(next, true);
    const found = readStream(bytes, { chunkBytes: 1 + Math.floor(next() * 300) });
    if (found === null) {
      assert.ok(refusalOf(headLines(bytes)).length > 0);
      continue;
    }
    known += 1;
    assert.equal(byteSum(found.parts), bytes.length, `round ${round}`);
    assert.equal(byName(found.parts).size, found.parts.length, `round ${round}: a part opened twice`);
    for (const part of found.parts) {
      const lines = part.records.map((one) => one.byteOffset);
      assert.deepEqual(
        lines,
        [...lines].sort((a, b) => a - b),
        `round ${round}: order`,
      );
    }
  }
  assert.ok(known > ROUNDS * 4);
});

test(`a read of a mixture that is broken off anywhere and resumed sees the same (seed ${SEED})`, () => {
  const next = random(SEED + 1);
  for (let round = 0; round < ROUNDS * 5; round++) {
    const bytes = mixture(next, false);
    const whole = readStream(bytes);
    // Where the wrapper was not seen, a record can start inside a line, and its text alone does not say which part it was in.
    if (whole === null || wrapperMissed(bytes, whole)) continue;
    const lines = Math.floor(next() * 40);
    const first = readStream(bytes, { lines, fast: round % 2 === 1 })!;
    const start = first.parser.resumePoint();
    const rest = byName(readStream(bytes, { start })!.parts);
    const kept = byName(first.parts);
    const taken = <T extends { byteOffset: number }>(list: readonly T[] = []) =>
      list.filter((one) => one.byteOffset < start.byteOffset);
    const title = `round ${round}, after ${lines} lines`;
    for (const [name, part] of byName(whole.parts)) {
      const again = [...taken(kept.get(name)?.records), ...(rest.get(name)?.records ?? [])];
      assert.deepEqual(again, part.records, `${title}, ${name}`);
    }
    // Lines that nobody takes are the same ones, though after damage another part may count them.
    const unparsed = (parts: Iterable<ReadPart>) =>
      [...parts].flatMap((part) => part.unparsed.map((one) => one.byteOffset));
    const again = [
      ...taken(first.parts.flatMap((part) => part.unparsed)).map((one) => one.byteOffset),
      ...unparsed(rest.values()),
    ];
    assert.deepEqual(
      again.sort((a, b) => a - b),
      unparsed(whole.parts).sort((a, b) => a - b),
      title,
    );
  }
});
