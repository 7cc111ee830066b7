/** Runs the command line for tests: in this process, or as the process a user starts. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../cli/program.ts';
import { capturedContext } from './capture.ts';

export const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** In this process; paths must be absolute. */
export async function bridgetrace(...argv: string[]): Promise<Outcome> {
  const context = capturedContext();
  const code = await run(argv, context);
  return { code, out: context.stdout.text(), err: context.stderr.text() };
}

/** As a process of its own in a folder. */
export function bridgetraceIn(folder: string, ...argv: string[]): Outcome {
  const child = spawnSync(process.execPath, [MAIN, ...argv], {
    cwd: folder,
    encoding: 'utf8',
    env: plainEnvironment(),
  });
  return { code: child.status, out: child.stdout, err: child.stderr };
}

export function plainEnvironment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, NO_COLOR: __, NODE_OPTIONS: ___, ...env } = process.env;
  return env;
}

/** Makes a child take its stderr for a terminal, so that it shows its progress and a test knows how far it is. */
const TERMINAL = 'data:text/javascript,process.stderr.isTTY=true;process.stderr.columns=80;';

/** Starts a command and sends it a SIGINT as soon as its progress fits `ready`. */
export async function interrupted(
  folder: string,
  ready: (progress: string) => boolean,
  ...argv: string[]
): Promise<Outcome> {
  const child: ChildProcess = spawn(process.execPath, ['--import', TERMINAL, MAIN, ...argv], {
    cwd: folder,
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  let sent = false;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    if (sent || !ready(text)) return;
    sent = true;
    child.kill('SIGINT');
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  assert.ok(sent, `it ended before it was interrupted: ${err}`);
  return { code, out, err };
}

/** A folder that is gone when the test file has ended. */
export function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-cli-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function assertNoStackTrace({ out, err }: Outcome): void {
  assert.doesNotMatch(out + err, /^\s+at .+:\d+:\d+\)?$/m);
  assert.doesNotMatch(out + err, /internal error/);
}

/** One `error:` line on stderr, nothing on stdout, no stack trace. */
export function assertError(outcome: Outcome, code: number, message: RegExp): void {
  assert.equal(outcome.code, code, outcome.err + outcome.out);
  assert.equal(outcome.out, '');
  assert.equal(outcome.err.match(/^error: /gm)?.length, 1, outcome.err);
  assert.match(outcome.err, /^error: /);
  assert.match(outcome.err, message);
  assertNoStackTrace(outcome);
}

/** The same error as JSON: one document on stdout, nothing on stderr. */
export function assertJsonError(outcome: Outcome, exitCode: number, code: string): void {
  assert.equal(outcome.code, exitCode, outcome.err + outcome.out);
  assert.equal(outcome.err, '');
  const { schema, error } = JSON.parse(outcome.out);
  assert.equal(schema, 1);
  assert.deepEqual(Object.keys(error).toSorted(), ['code', 'details', 'hint', 'message']);
  assert.equal(error.code, code);
  assert.equal(typeof error.message, 'string');
  assertNoStackTrace(outcome);
}
