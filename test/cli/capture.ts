import { Writable } from 'node:stream';
import type { CliContext, OutputStream } from '../../cli/context.ts';
import { ExitCode } from '../../cli/exit-codes.ts';

export interface Captured extends OutputStream {
  readonly text: () => string;
}

/** A stream that keeps what is written to it; with `columns` it passes for a terminal. */
export function captured(columns?: number): Captured {
  let text = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return Object.assign(stream, { text: () => text, ...(columns === undefined ? {} : { isTTY: true, columns }) });
}

export interface CapturedContext extends CliContext {
  readonly stdout: Captured;
  readonly stderr: Captured;
}

export function capturedContext(changes: Partial<CliContext> = {}): CapturedContext {
  return {
    env: {},
    cwd: '/',
    signal: new AbortController().signal,
    exitCode: ExitCode.clean,
    ...changes,
    stdout: captured(),
    stderr: captured(),
  };
}
