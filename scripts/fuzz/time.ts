/** Whether the time to read grows with the size only: no log, however damaged, may hold the reader up. */
import { createRng } from '../../engine/index.ts';
import { createParser, type Layout, LineSplitter } from '../../parsers/index.ts';
import type { Violation } from '../../test/property/laws.ts';
import type { LinePool } from '../../test/property/line-pool.ts';
import { damagedLog, type Rng } from '../../test/property/mutate.ts';

const TIMES = 8;
/** Generous, as the machine has other work: quadratic growth would be 64. */
const MAX_SLOWDOWN = 3 * TIMES;
/** Shorter times are noise. */
const MIN_MS = 25;
const MANY_LINES = 3000;
const LONG_CHARS = 4000;
const REPEATS = 2;
const MAX_LOOKS = 4;
const LONG_LINES_A_LAYOUT = 400;
/** What a pattern that looks ahead or backtracks may trip over, when there is much of it. */
const FILLINGS = [
  '{',
  '}',
  '(',
  '[',
  '<<',
  '"',
  "'",
  '\\',
  ', a: ',
  ', ',
  ': ',
  '#{a => ',
  '=> ',
  ' ',
  '0',
  '-',
  '=',
  'x',
  'ff ',
  '\t',
  '\\"',
  '{"a":',
  '2025-01-02 03:04:05 [17] ',
  'INFO  /b/x.c:1: ',
  '[MQTT] ',
  'msg: ',
  'Topic=',
  '/',
  ':',
  '@',
  '@ ',
  ',',
  '.',
  ' .',
  '(#{',
  '\\n',
  '\\n ',
  '#012',
  ', reason: ',
  'PacketId=',
  ', error: ',
  ' SUBSCRIBE ',
  '. Reason: ',
  '}, ',
];

export const TIME_LAW = 'time is linear in size';

interface TimeViolation {
  readonly layout: Layout;
  readonly from: string;
  readonly found: Violation;
  readonly bytes: Buffer;
}

export function* timeViolations(pool: LinePool, layouts: readonly Layout[], seed: number): Generator<TimeViolation> {
  for (const layout of layouts) {
    const lines = pool.get(layout)!;
    const rng = createRng(seed, `time ${layout}`);
    const slow = new Set<string>();
    const many = damagedLog(lines, MANY_LINES, rng).bytes;
    yield* judged(layout, 'more lines', many, Buffer.concat(Array<Buffer>(TIMES).fill(many)));
    for (let count = 0; count < LONG_LINES_A_LAYOUT; count += 1) {
      const { name, filling, line } = longLine(lines, rng);
      if (slow.has(filling)) continue; // told once; each costs seconds
      for (const found of judged(layout, name, line(LONG_CHARS), line(LONG_CHARS * TIMES))) {
        slow.add(filling);
        yield found;
      }
    }
    for (const filling of FILLINGS) {
      const blanks = (times: number) => Buffer.from(`${filling}\n`.repeat(times));
      yield* judged(layout, `many lines of ${filling}`, blanks(LONG_CHARS), blanks(LONG_CHARS * TIMES));
      const base = lines[rng.int(0, lines.length - 1)]!;
      const behind = (times: number) => Buffer.concat([base, Buffer.from('\n'), blanks(times), Buffer.from('x\n')]);
      const name = `many lines of ${filling} behind ${base.toString('latin1', 0, 200)}`;
      yield* judged(layout, name, behind(LONG_CHARS), behind(LONG_CHARS * TIMES));
    }
  }
}

function longLine(
  lines: readonly Buffer[],
  rng: Rng,
): { name: string; filling: string; line: (chars: number) => Buffer } {
  const base = lines[rng.int(0, lines.length - 1)]!;
  const filling = FILLINGS[rng.int(0, FILLINGS.length - 1)]!;
  const place = rng.int(0, base.length);
  return {
    filling,
    name: `${JSON.stringify(filling)} repeated at byte ${place} of ${base.toString('latin1', 0, 200)}`,
    line: (chars) =>
      Buffer.concat([
        base.subarray(0, place),
        Buffer.from(filling.repeat(Math.ceil(chars / filling.length))),
        base.subarray(place),
        Buffer.from('\n'),
      ]),
  };
}

function* judged(layout: Layout, from: string, small: Buffer, large: Buffer): Generator<TimeViolation> {
  const first = timeMs(layout, large, 1);
  if (first < MIN_MS) return;
  // Looked at again before it is told: other work on the machine slows some runs down and not others.
  let ratio = Number.POSITIVE_INFINITY;
  for (let look = 0; look < MAX_LOOKS && ratio > MAX_SLOWDOWN; look += 1)
    ratio = Math.min(ratio, timeMs(layout, large, REPEATS) / timeMs(layout, small, REPEATS));
  if (ratio <= MAX_SLOWDOWN) return;
  yield {
    layout,
    from,
    bytes: large,
    found: {
      law: TIME_LAW,
      expected: `at most ${MAX_SLOWDOWN} times as long for ${TIMES} times the bytes`,
      got: `${ratio.toFixed(0)} times, ${first.toFixed(0)} ms for ${large.length} bytes`,
    },
  };
}

/** The shortest of some runs: others' work only adds. */
function timeMs(layout: Layout, bytes: Buffer, repeats: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const started = performance.now();
    const parser = createParser(layout, { record: () => {}, unparsed: () => {} });
    const splitter = new LineSplitter((line) => parser.line(line));
    splitter.push(bytes);
    splitter.end();
    parser.end();
    best = Math.min(best, performance.now() - started);
  }
  return Math.max(best, 0.05);
}
