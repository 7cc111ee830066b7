/** A damaged log through the program itself: it must take any bytes, and count what the parsers count. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readStream } from '../../test/parsers/read-stream.ts';
import type { Violation } from '../../test/property/laws.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export const PROGRAM_LAW = 'the program takes any bytes';

interface Counts {
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
    const { sources } = JSON.parse(stdout) as { sources: (Counts & { path: string })[] };
    const got = summed(sources);
    const expected = summed(countAll(bytes));
    return got === expected ? null : { law: 'the program counts what the parsers count', expected, got };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A damaged line can look like one of another layout; then the log has several parts. */
const summed = (parts: readonly Counts[]) => {
  const sum = (name: keyof Counts) => parts.reduce((total, part) => total + part[name], 0);
  return JSON.stringify({ records: sum('records'), continuations: sum('continuations'), unparsed: sum('unparsed') });
};

/** The plain way, in one thread. */
function countAll(bytes: Buffer): Counts[] {
  return (readStream(bytes)?.parts ?? []).map(({ records, unparsed }) => ({
    records: records.length,
    continuations: records.reduce((total, record) => total + record.continuations, 0),
    unparsed: unparsed.length,
  }));
}

function run(args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  if (error) throw error;
  return { code: status, stdout, stderr };
}
