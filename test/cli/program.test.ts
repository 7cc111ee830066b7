import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../../cli/command-helpers.ts';
import { InterruptedError } from '../../cli/context.ts';
import { ExitCode } from '../../cli/exit-codes.ts';
import { packageVersion } from '../../cli/package-version.ts';
import { run } from '../../cli/program.ts';
import { InputError, UsageError } from '../../queries/errors.ts';
import { capturedContext } from './capture.ts';

const echo: RegisterCommand = (program, context) => {
  withExample(addCommonOptions(program.command('echo')), 'bridgetrace echo hello', 'bridgetrace echo hello --times 2')
    .description('say words again')
    .argument('<words...>', 'what to say')
    .option('--times <n>', 'how often', Number, 1)
    .action(
      exitingWith(context, async (words, options) => {
        const said = Array.from({ length: options.times }, () => words.join(' ')).join('\n');
        context.stdout.write(options.json ? `${JSON.stringify({ schema: 1, said })}\n` : `${said}\n`);
        return words.includes('trouble') ? ExitCode.findings : undefined;
      }),
    );
};

const fail: RegisterCommand = (program) => {
  addCommonOptions(program.command('fail'))
    .argument('<how>')
    .action((how) => {
      if (how === 'input')
        throw new InputError('not-found', 'There is no file a.log.', { file: 'a.log', hint: 'Check.' });
      if (how === 'usage') throw new UsageError('usage', 'Not like that.');
      throw new TypeError('x is undefined');
    });
};

async function bridgetrace(...argv: string[]) {
  const context = capturedContext();
  const code = await run(argv, context, [echo, fail]);
  return { code, out: context.stdout.text(), err: context.stderr.text() };
}

test('a command gets its typed arguments and sets the exit code', async () => {
  assert.deepEqual(await bridgetrace('echo', 'hello', 'you', '--times', '2'), {
    code: ExitCode.clean,
    out: 'hello you\nhello you\n',
    err: '',
  });
  assert.equal((await bridgetrace('echo', 'trouble', '--json')).code, ExitCode.findings);
});

test('help of a command starts with its examples', async () => {
  const { code, out } = await bridgetrace('echo', '--help');
  assert.equal(code, 0);
  assert.ok(
    out.startsWith(
      'Examples:\n  $ bridgetrace echo hello\n  $ bridgetrace echo hello --times 2\n\nUsage: bridgetrace echo',
    ),
    out,
  );
  assert.ok(!(await bridgetrace('--help')).out.includes('Examples'));
});

test('help and version go to stdout and exit 0; no command at all is a usage error', async () => {
  const help = await bridgetrace('--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /^Usage: bridgetrace/);
  assert.deepEqual(await bridgetrace('--version'), { code: 0, out: `${packageVersion()}\n`, err: '' });
  assert.match(packageVersion(), /^\d+\.\d+\.\d+/);
  const nothing = await bridgetrace();
  assert.equal(nothing.code, ExitCode.usage);
  assert.match(nothing.err, /^Usage: bridgetrace/);
});

test('an unknown command or option is a usage error that says what was meant', async () => {
  assert.deepEqual(await bridgetrace('ecko', 'x'), {
    code: ExitCode.usage,
    out: '',
    err: "error: unknown command 'ecko'\nhint: Did you mean echo? See bridgetrace --help.\n",
  });
  assert.deepEqual(await bridgetrace('echo', 'x', '--tmes', '2'), {
    code: ExitCode.usage,
    out: '',
    err: "error: unknown option '--tmes'\nhint: Did you mean --times? See bridgetrace echo --help.\n",
  });
  assert.deepEqual(await bridgetrace('echo'), {
    code: ExitCode.usage,
    out: '',
    err: "error: missing required argument 'words'\nhint: See bridgetrace echo --help.\n",
  });
});

test('with --json every error is one document on stdout', async () => {
  const unknown = await bridgetrace('echo', '--json', '--nope');
  assert.equal(unknown.code, ExitCode.usage);
  assert.equal(unknown.err, '');
  assert.equal(JSON.parse(unknown.out).error.code, 'usage');
  const absent = await bridgetrace('fail', 'input', '--json');
  assert.equal(absent.code, ExitCode.input);
  assert.deepEqual(JSON.parse(absent.out), {
    schema: 1,
    error: {
      code: 'not-found',
      message: 'There is no file a.log.',
      hint: 'Check.',
      details: { file: 'a.log', line: null, column: null },
    },
  });
});

test('a --json behind -- is an argument, not an option', async () => {
  const { out, err } = await bridgetrace('fail', '--', 'usage', '--json');
  assert.equal(out, '');
  assert.match(err, /^error: /);
});

test('a defect says so, exits 70, and shows its stack with --debug only', async () => {
  const short = await bridgetrace('fail', 'defect');
  assert.equal(short.code, ExitCode.internal);
  assert.match(short.err, /^error: internal error: x is undefined\nhint: This is a defect/);
  assert.ok(!short.err.includes('TypeError'));
  assert.match((await bridgetrace('fail', 'defect', '--debug')).err, /TypeError: x is undefined\n {4}at /);
});

test('after Ctrl-C the exit code is 130, whether the command notices or not', async () => {
  const interrupt = new AbortController();
  interrupt.abort(new InterruptedError());
  const done = capturedContext({ signal: interrupt.signal });
  assert.equal(await run(['echo', 'x'], done, [echo]), ExitCode.interrupted);
  const thrown = capturedContext({ signal: interrupt.signal });
  assert.equal(await run(['fail', 'defect'], thrown, [fail]), ExitCode.interrupted);
  assert.equal(thrown.stderr.text(), 'error: interrupted\n');
});

test('the executable starts and tells its version', () => {
  const main = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'cli', 'main.js');
  const { status, stdout } = spawnSync(process.execPath, [main, '--version'], { encoding: 'utf8' });
  assert.deepEqual([status, stdout], [0, `${packageVersion()}\n`]);
});
