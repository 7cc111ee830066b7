/** A damaged log through the program itself: it must take any bytes, and count what the parsers count. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createParser, type Layout, LineSplitter } from '../../parsers/index.ts';
import type { Violation } from '../../test/property/laws.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export const PROGRAM_LAW = 'the program takes any bytes';

interface Counts {
  readonly lines: number;
  readonly records: number;
  readonly continuations: number;
  readonly unparsed: number;
}

export function programViolation(bytes: Buffer): Violation | null {
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-fuzz-program-'));
  try {
    const log = path.join(folder, 'damaged.log');
    writeFileSync(log, bytes);
    const { code, stdout, stderr } = run(['ingest', log, '--db', path.join(folder, 'damaged.duckdb'), '--json']);
    const law = PROGRAM_LAW;
    if (code !== 0) return { law, expected: 'exit code 0', got: `${code}: ${(stderr || stdout).slice(0, 2000)}` };
    const source = (JSON.parse(stdout) as { sources: (Counts & { layout: Layout })[] }).sources[0];
    if (source === undefined) return { law, expected: 'one source', got: stdout.slice(0, 2000) };
    const got = pick(source);
    const expected = pick(countAll(source.layout, bytes));
    return got === expected ? null : { law: 'the program counts what the parsers count', expected, got };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const pick = ({ lines, records, continuations, unparsed }: Counts) =>
  JSON.stringify({ lines, records, continuations, unparsed });

function countAll(layout: Layout, bytes: Buffer): Counts {
  const counts = { lines: 0, records: 0, continuations: 0, unparsed: 0 };
  const parser = createParser(layout, {
    record: (record) => {
      counts.records += 1;
      counts.continuations += record.continuations;
    },
    unparsed: () => {
      counts.unparsed += 1;
    },
  });
  const splitter = new LineSplitter((line) => {
    counts.lines += 1;
    parser.line(line);
  });
  splitter.push(bytes);
  splitter.end();
  parser.end();
  return counts;
}

function run(args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  if (error) throw error;
  return { code: status, stdout, stderr };
}
