#!/usr/bin/env node
/** The executable: connects `run` to the process and its signals. */
import { InterruptedError, processContext } from './context.ts';
import { ExitCode } from './exit-codes.ts';
import { run } from './program.ts';
import { reportError } from './report-error.ts';

const interrupt = new AbortController();
const context = processContext(interrupt.signal);

// The first Ctrl-C asks the command to stop in order, the second stops it.
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(ExitCode.interrupted);
  interrupt.abort(new InterruptedError());
});

// `bridgetrace query … | head` closes the pipe early: no error, and nobody is left to write for.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

process.on('uncaughtException', (error) => {
  const code = reportError(error, {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    json: false,
    debug: process.argv.includes('--debug'),
    command: null,
  });
  process.exit(code);
});

process.exitCode = await run(process.argv.slice(2), context);
