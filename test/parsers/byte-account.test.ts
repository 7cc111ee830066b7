/** Properties that hold for any input: no byte is lost or counted twice, and an interrupted read sees the same records. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParser, type Layout, LineSplitter, type LogRecord, type UnparsedLine } from '../../parsers/index.ts';
import { layoutCases } from './cases/nanomq-layouts.ts';
import { recordCases } from './cases/records.ts';
import { parseAll } from './parse.ts';

const SEED = Number(process.env.SEED ?? 20_250_102);
const ROUNDS = 150;
const LAYOUTS: readonly Layout[] = [
  'nanomq-file',
  'nanomq-console',
  'nanomq-syslog',
  'emqx-text',
  'emqx-trace',
  'emqx-json',
  'emqx-trace-json',
];

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

const LINES = [
  ...recordCases.flatMap((one) => one.lines),
  ...layoutCases.flatMap((one) => one.lines.map((line) => (typeof line === 'string' ? line : line.text))),
];
const NOISE = ['', '\r', '\0\x01', '�é', '{', '}, x: ', '((((', '<<"', '2025-01-02 03:04:05 [17] INFO  ', '\x1b[0m'];

/** Lines of all layouts, glued, cut and damaged at random. */
function mutatedInput(next: () => number): Buffer {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const parts: Buffer[] = [];
  const count = 1 + Math.floor(next() * 30);
  for (let i = 0; i < count; i++) {
    let text = next() < 0.15 ? pick(NOISE) : pick(LINES);
    if (next() < 0.25) text = text.slice(0, Math.floor(next() * text.length));
    if (next() < 0.25) text += pick(LINES);
    const bytes = Buffer.from(text);
    if (next() < 0.1 && bytes.length > 0) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
    parts.push(bytes, Buffer.from(next() < 0.15 ? '\r\n' : next() < 0.05 ? '' : '\n'));
  }
  return Buffer.concat(parts);
}

interface Halves {
  readonly records: LogRecord[];
  readonly unparsed: UnparsedLine[];
}

/** Reads up to `lines` lines, then starts again with a fresh parser where the first one says. */
function parseInHalves(layout: Layout, bytes: Buffer, lines: number): Halves {
  const records: LogRecord[] = [];
  const unparsed: UnparsedLine[] = [];
  const sink = { record: (r: LogRecord) => records.push(r), unparsed: (u: UnparsedLine) => unparsed.push(u) };
  const parser = createParser(layout, sink);
  let left = lines;
  const splitter = new LineSplitter((line) => {
    if (left > 0) parser.line(line);
    left -= 1;
  });
  splitter.push(bytes);
  splitter.end();
  const resume = parser.resumePoint();
  const rest = parseAll(layout, bytes.subarray(resume.byteOffset), resume);
  records.push(...rest.records);
  unparsed.push(...rest.unparsed);
  return { records, unparsed };
}

test(`every byte belongs to one record or one unparsed line (seed ${SEED})`, () => {
  const next = random(SEED);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = mutatedInput(next);
    for (const layout of LAYOUTS) {
      const { records, unparsed } = parseAll(layout, bytes, undefined, 1 + Math.floor(next() * 200));
      const sum = [...records, ...unparsed].reduce((total, one) => total + one.byteLength, 0);
      assert.equal(sum, bytes.length, `round ${round}, ${layout}`);
      const starts = records.map((one) => one.byteOffset);
      assert.deepEqual(
        starts,
        [...new Set(starts)].sort((a, b) => a - b),
        `round ${round}, ${layout}: order of records`,
      );
      for (const one of records) assert.ok(one.byteLength > 0 && one.head.length + one.body.length > 0);
    }
  }
});

test(`a read that is interrupted anywhere sees the same records (seed ${SEED})`, () => {
  const next = random(SEED + 1);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = mutatedInput(next);
    for (const layout of LAYOUTS) {
      const whole = parseAll(layout, bytes);
      const lines = Math.floor(next() * 30);
      const halves = parseInHalves(layout, bytes, lines);
      assert.deepEqual(halves.records, whole.records, `round ${round}, ${layout}, after ${lines} lines`);
      assert.deepEqual(halves.unparsed, whole.unparsed, `round ${round}, ${layout}, after ${lines} lines`);
    }
  }
});

test('head and body are the text of a record', () => {
  for (const { layout, lines } of recordCases) {
    const hidden = /password|raw_bin/.test(lines.join());
    if (layout === 'nanomq-console' || hidden) continue;
    const { records, unparsed } = parseAll(layout, lines.join('\n'));
    if (unparsed.length > 0) continue;
    assert.equal(records.map((one) => one.head + one.body).join('\n'), lines.join('\n'));
  }
});
