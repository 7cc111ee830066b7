/** What a command may use of the process: passed in, so that tests run commands without a process of their own. */
import { ExitCode } from './exit-codes.ts';

export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number; // width of the terminal
}

export interface CliContext {
  readonly stdout: OutputStream; // data only
  readonly stderr: OutputStream; // progress, warnings, hints, errors
  readonly env: { readonly [name: string]: string | undefined };
  readonly cwd: string;
  /** Aborted at the first Ctrl-C; a command that works for long passes it on and stops in order. */
  readonly signal: AbortSignal;
  /** What the process will exit with unless an error is thrown; commands set it through `exitingWith`. */
  exitCode: ExitCode;
}

/** The reason of `signal`, thrown by what was interrupted. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor() {
    super('interrupted');
  }
}

export function processContext(signal: AbortSignal): CliContext {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    signal,
    exitCode: ExitCode.clean,
  };
}
