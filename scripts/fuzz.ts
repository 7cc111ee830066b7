/**
 * Damaged logs without end: `npm run fuzz -- [--lines 1000000] [--seed S] [--layout L] [--corpus DIR] [--skip CHECK,…]`.
 *
 * Three checks. `laws`: those of test/property/laws.ts, over many small logs. `program`: larger ones through `bridgetrace
 * ingest`, whose counts must be the parsers'. `time`: eight times the input takes no more than `MAX_SLOWDOWN` times as long,
 * for more lines and for longer lines. A failure leaves the input that shows it in the temporary folder, made as small as it
 * can be, and the exit code is 1. The same seed makes the same logs.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createRng } from '../engine/index.ts';
import type { Layout } from '../parsers/index.ts';
import { LAYOUTS, minimised, NO_THROW_LAW, VALUE_LAW, type Violation, violation } from '../test/property/laws.ts';
import { bundledLines, type LinePool } from '../test/property/line-pool.ts';
import { damagedLog, repeatedLog } from '../test/property/mutate.ts';
import { addCorpusLines, CORPUS } from './fuzz/corpus-lines.ts';
import { PROGRAM_LAW, programViolation } from './fuzz/program.ts';
import { TIME_LAW, timeViolations } from './fuzz/time.ts';

const DEFAULT_LINES = 1_000_000;
const MAX_LOG_LINES = 60;
const PROGRAM_LINES = 20_000;
/** One log in so many is made of lines of all layouts, and one says a few things again and again. */
const MIXED_ONE_IN = 5;
/** Each starts the program. */
const PROGRAM_TRIES = 150;
/** One failure a law and layout is told; a script that prints thousands is read by nobody. */
const MAX_FAILURES = 20;

class Failures {
  readonly told = new Set<string>();
  private folder: string | null = null;

  /** @param shrink whether a shorter input still fails; without it the input is kept as it is */
  tell(
    layout: Layout,
    from: string,
    found: Violation,
    bytes: Buffer,
    shrink?: (candidate: Buffer) => boolean,
    tries?: number,
  ): void {
    const key = `${layout} ${found.law} ${detailOf(found, from)}`.replace(/\d+/g, '0');
    if (this.told.has(key)) return;
    this.told.add(key);
    this.folder ??= mkdtempSync(path.join(tmpdir(), 'bridgetrace-fuzz-'));
    const file = path.join(this.folder, `${this.told.size}-${layout}.log`);
    writeFileSync(file, shrink ? minimised(bytes, shrink, tries) : bytes);
    process.stdout.write(
      `FAILED ${layout}, ${from}: ${found.law}\n  expected ${found.expected}\n  got      ${found.got}\n  input    ${file}\n`,
    );
  }

  get full(): boolean {
    return this.told.size >= MAX_FAILURES;
  }
}

/** What tells two defects under one law apart; its numbers differ with every input. */
function detailOf({ law, expected, got }: Violation, from: string): string {
  if (law === TIME_LAW) return from;
  if (law === VALUE_LAW) return expected;
  return law === NO_THROW_LAW || law === PROGRAM_LAW ? got.split('\n').slice(0, 5).join(' ') : '';
}

function checkLaws(pool: LinePool, layouts: readonly Layout[], lines: number, seed: number, failures: Failures): void {
  const all = [...pool.values()].flat();
  for (let round = 0, done = 0; done < lines && !failures.full; round += 1) {
    const layout = layouts[round % layouts.length]!;
    const name = `round ${round}`;
    const rng = createRng(seed, name);
    const count = rng.int(1, MAX_LOG_LINES);
    const kind = rng.int(1, MIXED_ONE_IN);
    const log =
      kind === 2 ? repeatedLog(pool.get(layout)!, rng) : damagedLog(kind === 1 ? all : pool.get(layout)!, count, rng);
    done += count;
    const drawn = createRng(seed, `${name} laws`);
    const found = violation(layout, log.bytes, drawn);
    if (found === null) continue;
    const again = (candidate: Buffer) =>
      violation(layout, candidate, createRng(seed, `${name} laws`))?.law === found.law;
    failures.tell(layout, `${name} (${log.mutations.join(', ')})`, found, log.bytes, again);
  }
}

function checkProgram(pool: LinePool, layouts: readonly Layout[], lines: number, seed: number, failures: Failures) {
  // The program reads each log once, the laws several times: a tenth of the lines takes about as long.
  const logs = Math.max(layouts.length, Math.round(lines / 10 / PROGRAM_LINES));
  for (let round = 0; round < logs && !failures.full; round += 1) {
    const layout = layouts[round % layouts.length]!;
    const name = `program ${round}`;
    const log = damagedLog(pool.get(layout)!, PROGRAM_LINES, createRng(seed, name));
    // Undamaged lines at the front, so that the layout is detected.
    const bytes = Buffer.concat([
      ...pool
        .get(layout)!
        .slice(0, 50)
        .flatMap((line) => [line, Buffer.from('\n')]),
      log.bytes,
    ]);
    const found = programViolation(bytes);
    if (found === null) continue;
    const again = (candidate: Buffer) => sameFailure(programViolation(candidate), found);
    failures.tell(layout, name, found, bytes, again, PROGRAM_TRIES);
  }
}

/** Messages, not stacks or counts, which differ with every byte that is left out. */
const sameFailure = (one: Violation | null, other: Violation) =>
  one?.law === other.law && (one.law !== PROGRAM_LAW || one.got === other.got);

function main(): number {
  const { values } = parseArgs({
    options: {
      lines: { type: 'string', default: String(DEFAULT_LINES) },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      layout: { type: 'string' },
      corpus: { type: 'string', default: CORPUS },
      skip: { type: 'string', default: '' },
    },
  });
  const lines = Number(values.lines);
  const seed = Number(values.seed);
  const layouts = LAYOUTS.filter((layout) => values.layout === undefined || values.layout === layout);
  const skip = values.skip.split(',');
  process.stdout.write(`seed ${seed}: ${lines} lines of ${layouts.join(', ')}\n`);
  const pool = bundledLines();
  addCorpusLines(pool, values.corpus);
  for (const [layout, known] of pool) process.stdout.write(`${known.length} different lines of ${layout}\n`);
  const failures = new Failures();
  if (!skip.includes('laws')) checkLaws(pool, layouts, lines, seed, failures);
  if (!skip.includes('program')) checkProgram(pool, layouts, lines, seed, failures);
  if (!skip.includes('time')) {
    for (const { layout, from, found, bytes } of timeViolations(pool, layouts, seed))
      failures.tell(layout, from, found, bytes);
  }
  process.stdout.write(`${failures.told.size === 0 ? 'no failure' : `${failures.told.size} failures`}, seed ${seed}\n`);
  return failures.told.size === 0 ? 0 : 1;
}

process.exitCode = main();
