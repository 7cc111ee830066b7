import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMMAND_NAMES } from '../../cli/commands/index.ts';
import { assertError, bridgetrace, scratch } from './bridgetrace.ts';

const script = async (shell: string) => {
  const { code, out, err } = await bridgetrace('completion', shell);
  assert.deepEqual([code, err], [0, '']);
  return out;
};
const without = (shell: string) =>
  spawnSync(shell, ['-c', 'exit 0']).status === 0 ? false : `no ${shell} on this machine`;

/** What bash offers for the last of the words. */
async function offered(...words: string[]): Promise<string[]> {
  const list = words.map((word) => `'${word}'`).join(' ');
  const source = `${await script('bash')}\nCOMP_WORDS=(bridgetrace ${list}); COMP_CWORD=${words.length}; _bridgetrace bridgetrace '${words.at(-1)}'; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', source], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes every command, and the options of the one that is named', { skip: without('bash') }, async () => {
  const commands = await offered('');
  for (const name of COMMAND_NAMES) assert.ok(commands.includes(name), name);
  assert.deepEqual(
    await offered('rep'),
    ['report', 'replay'].toSorted((a, b) => commands.indexOf(a) - commands.indexOf(b)),
  );
  assert.deepEqual(await offered('report', '--ver'), ['--verify']);
  assert.deepEqual(await offered('analyze', '--ver'), []);
  assert.deepEqual(await offered('ingest', 'nanomq'), []);
});

test('zsh can read its script', { skip: without('zsh') }, async () => {
  const { status, stderr } = spawnSync('zsh', ['-n'], { input: await script('zsh'), encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

test('fish can read its script', { skip: without('fish') }, async () => {
  const file = path.join(scratch(), 'bridgetrace.fish');
  writeFileSync(file, await script('fish'));
  const { status, stderr } = spawnSync('fish', ['--no-execute', file], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

test('the scripts of zsh and fish name every command', async () => {
  for (const shell of ['zsh', 'fish']) {
    const text = await script(shell);
    for (const name of COMMAND_NAMES) assert.match(text, new RegExp(`\\b${name}\\b`));
  }
});

test('a shell without a script is said to have none', async () => {
  assertError(await bridgetrace('completion', 'tcsh'), 2, /no completion for tcsh/);
});
