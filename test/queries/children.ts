/** Starts the scripts of this folder as processes of their own, for what one process cannot show: locks and kills. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly process: ChildProcess;
  /** The next whole line it prints; null once it has ended. */
  nextLine(): Promise<string | null>;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Runs `script` (its name without folder and extension) with Node. */
export function start(script: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`./${script}.js`, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = printedLines(child);
  return {
    process: child,
    async nextLine() {
      const next = await lines.next();
      return next.done ? null : next.value;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function* printedLines(child: ChildProcess): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of child.stdout!.setEncoding('utf8') as AsyncIterable<string>) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}
