/** Whole lines of every layout to start from: of the bundled incident, and of the parsers' own test cases. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Layout } from '../../parsers/index.ts';
import { packageRoot } from '../../queries/index.ts';
import { recordCases } from '../parsers/cases/records.ts';

export type LinePool = Map<Layout, Buffer[]>;

const EXAMPLES: readonly { readonly layout: Layout; readonly file: string }[] = [
  { layout: 'nanomq-file', file: 'nanomq.log.gz' },
  { layout: 'emqx-text', file: 'emqx.log' },
  { layout: 'emqx-trace', file: 'trace.log' },
];
const MAX_LINES = 4000;

export function bundledLines(): LinePool {
  const pool: LinePool = new Map();
  for (const { layout, lines } of recordCases)
    addLines(
      pool,
      layout,
      lines.map((line) => Buffer.from(line)),
    );
  for (const { layout, file } of EXAMPLES) {
    const bytes = readFileSync(path.join(packageRoot(), 'examples', 'stuck-busy', file));
    addLines(pool, layout, splitLines(file.endsWith('.gz') ? gunzipSync(bytes) : bytes));
  }
  return pool;
}

/** Adds lines of shapes that the pool does not have yet: a log says the same thing thousands of times. */
export function addLines(pool: LinePool, layout: Layout, lines: readonly Buffer[]): void {
  const known = pool.get(layout) ?? [];
  const shapes = new Set(known.map(shapeOf));
  for (const line of lines) {
    if (known.length >= MAX_LINES) break;
    const shape = shapeOf(line);
    if (shapes.has(shape)) continue;
    shapes.add(shape);
    known.push(line);
  }
  pool.set(layout, known);
}

const shapeOf = (line: Buffer) => line.toString('latin1', 0, 400).replace(/[0-9a-f]*\d[0-9a-f]*/gi, '0');

export function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let lf = bytes.indexOf(0x0a); lf !== -1; lf = bytes.indexOf(0x0a, from)) {
    lines.push(bytes.subarray(from, lf));
    from = lf + 1;
  }
  if (from < bytes.length) lines.push(bytes.subarray(from));
  return lines;
}
