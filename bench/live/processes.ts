/** Each end of a measurement is a process of its own, as in production; the two ends talk to the one that measures by messages. */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A run that takes longer than this has failed. */
const PATIENCE_MS = 180_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface End {
  readonly pid: number;
  /** Asks for one thing; the answer is the next message of the process. */
  ask<Answer>(question: unknown): Promise<Answer>;
  stop(): Promise<void>;
}

/** @param script name of a file in this folder, without extension */
export function startEnd(script: string): End {
  const child = fork(fileURLToPath(new URL(`./${script}.js`, import.meta.url)), {
    execArgv: ['--expose-gc', ...process.execArgv],
  });
  return {
    pid: child.pid ?? 0,
    ask: (question) => ask(child, script, question),
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.disconnect();
      }),
  };
}

function ask<Answer>(child: ChildProcess, script: string, question: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(new Error(`${script} gave no answer`)), PATIENCE_MS);
    const onMessage = (answer: unknown): void => done(null, answer as Answer);
    const onExit = (code: number | null): void => done(new Error(`${script} ended with ${code}`));
    function done(error: Error | null, answer?: Answer): void {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      if (error) reject(error);
      else resolve(answer as Answer);
    }
    child.once('message', onMessage);
    child.once('exit', onExit);
    child.send(question as object);
  });
}

/** The other side of {@link End.ask}. The process ends when the one that measures lets go of it. */
export function answerWith<Question>(answer: (question: Question) => Promise<object>): void {
  process.on('message', (question) => {
    answer(question as Question).then(
      (result) => process.send!(result),
      (error: unknown) => fail(error),
    );
  });
  process.on('disconnect', () => process.exit(0));
}

export function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
