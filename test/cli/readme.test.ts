import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../queries/index.ts';
import { EXAMPLE, exampleLogs } from '../replay/example.ts';
import { MAIN, plainEnvironment, scratch } from './bridgetrace.ts';

const README = path.join(packageRoot(), 'README.md');

interface Command {
  readonly line: number;
  readonly text: string;
  /** From a remark such as `# exit code 1`; without one, what the command may say of an incident. */
  readonly codes: readonly number[];
}

const CODES: { readonly [command: string]: readonly number[] } = {
  analyze: [0, 1],
  replay: [0, 1],
  verify: [0, 1, 3],
  sweep: [0, 1, 3],
};

/** The `bridgetrace …` commands of the ```sh blocks, lines that end in a backslash joined. */
function commandsOf(markdown: string): Command[] {
  const commands: Command[] = [];
  let shell = false;
  let begun: { line: number; text: string } | null = null;
  for (const [index, raw] of markdown.split('\n').entries()) {
    const fence = /^\s*```(\w*)/.exec(raw);
    if (fence !== null) {
      shell = !shell && fence[1] === 'sh';
      continue;
    }
    if (!shell) continue;
    const text: string = (begun?.text ?? '') + raw.trim().replace(/^\$ /, '');
    const line: number = begun?.line ?? index + 1;
    begun = text.endsWith('\\') ? { line, text: text.slice(0, -1) } : null;
    if (begun !== null) continue;
    const command = text.replace(/^npx /, '');
    if (!/^bridgetrace( |$)/.test(command)) continue;
    const promised = /#.*\bexit(?: code|s)? (\d+)/.exec(command)?.[1];
    commands.push({
      line,
      text: command,
      codes: promised === undefined ? (CODES[command.split(' ')[1] ?? ''] ?? [0]) : [Number(promised)],
    });
  }
  return commands;
}

/** A folder with a `bridgetrace` on its path and, under every name that an ingest in the README uses, a log of the example. */
function prepared(commands: readonly Command[]): { folder: string; bin: string } {
  const folder = scratch();
  const bin = scratch();
  writeFileSync(path.join(bin, 'bridgetrace'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(path.join(bin, 'bridgetrace'), 0o755);
  mkdirSync(path.join(folder, 'examples'));
  symlinkSync(EXAMPLE, path.join(folder, 'examples', path.basename(EXAMPLE)));
  symlinkSync(path.join(EXAMPLE, '..', 'nanomq.conf'), path.join(folder, 'examples', 'nanomq.conf'));
  const words = commands.flatMap(({ text }) =>
    /^bridgetrace ingest /.test(text) ? text.replace(/ #.*/, '').split(/\s+/).slice(2) : [],
  );
  for (const word of words) {
    const target = path.resolve(folder, word);
    if (word.startsWith('-') || !/\.log|\.gz|\.txt/.test(word) || existsSync(target)) continue;
    if (!target.startsWith(folder)) continue;
    mkdirSync(path.dirname(target), { recursive: true });
    if (/nanomq/.test(word) && word.endsWith('.gz')) copyFileSync(path.join(EXAMPLE, 'nanomq.log.gz'), target);
    else if (/nanomq/.test(word)) writeFileSync(target, `${exampleLogs()['nanomq.log'].join('\n')}\n`);
    else if (/trace/.test(word)) copyFileSync(path.join(EXAMPLE, 'trace.log'), target);
    else copyFileSync(path.join(EXAMPLE, 'emqx.log'), target);
  }
  return { folder, bin };
}

test('commands are taken from sh blocks only, with joined lines and promised exit codes', () => {
  const markdown = [
    'Run `bridgetrace nothing`.',
    '```sh',
    'npm install -g bridgetrace',
    '$ bridgetrace ingest a.log \\',
    '    b.log',
    'bridgetrace analyze   # exit code 1: there are findings',
    '```',
    '```text',
    'bridgetrace prints this',
    '```',
    '```sh',
    'npx bridgetrace demo',
    '```',
  ].join('\n');
  assert.deepEqual(commandsOf(markdown), [
    { line: 4, text: 'bridgetrace ingest a.log b.log', codes: [0] },
    { line: 6, text: 'bridgetrace analyze   # exit code 1: there are findings', codes: [1] },
    { line: 12, text: 'bridgetrace demo', codes: [0] },
  ]);
});

test('every command of the README works, in order, in a folder with the logs of the bundled incident', {
  skip: !existsSync(README) && 'there is no README.md yet',
}, (t) => {
  const commands = commandsOf(readFileSync(README, 'utf8'));
  assert.ok(commands.length > 0, 'the README shows commands in ```sh blocks');
  const { folder, bin } = prepared(commands);
  const env = { ...plainEnvironment(), PATH: `${bin}${path.delimiter}${process.env.PATH}` };
  for (const { line, text, codes } of commands) {
    if (/--mode live|--broker/.test(text)) {
      t.diagnostic(`README.md:${line} is not run here, it takes real time: ${text}`);
      continue;
    }
    const child = spawnSync('sh', ['-c', text], { cwd: folder, env, encoding: 'utf8' });
    const said = `README.md:${line}: ${text}\n${child.stdout.slice(-500)}\n${child.stderr}`;
    assert.ok(codes.includes(child.status ?? -1), `exit code ${child.status} of ${said}`);
    assert.doesNotMatch(child.stderr, /^error: /m, said);
  }
});
