import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { test } from 'node:test';
import { ExitCode } from '../../cli/exit-codes.ts';
import { describeError, errorText, reportError } from '../../cli/report-error.ts';
import {
  type BridgetraceError,
  CassetteError,
  DatabaseError,
  EnvironmentError,
  InputError,
  SqlError,
  UsageError,
} from '../../queries/errors.ts';
import { captured } from './capture.ts';

const textOf = (error: unknown) => errorText(describeError(error), { stderr: captured(), env: {} });

test('each kind of error has its exit code', () => {
  const kinds: readonly (readonly [BridgetraceError, number])[] = [
    [new UsageError('usage', 'm'), ExitCode.usage],
    [new SqlError('m'), ExitCode.usage],
    [new InputError('not-found', 'm'), ExitCode.input],
    [new CassetteError('m'), ExitCode.input],
    [new DatabaseError('database-not-found', 'm'), ExitCode.input],
    [new DatabaseError('database-newer', 'm'), ExitCode.input],
    [new DatabaseError('not-a-database', 'm'), ExitCode.input],
    [new DatabaseError('database-locked', 'm'), ExitCode.environment],
    [new EnvironmentError('port-taken', 'm'), ExitCode.environment],
  ];
  for (const [error, code] of kinds) assert.equal(describeError(error).exitCode, code, error.code);
  assert.equal(describeError('a string').exitCode, ExitCode.internal);
  assert.equal(describeError(undefined).exitCode, ExitCode.internal);
});

test('exit codes are the documented ones', () => {
  assert.deepEqual(ExitCode, {
    clean: 0,
    findings: 1,
    usage: 2,
    inconclusive: 3,
    input: 4,
    environment: 5,
    internal: 70,
    interrupted: 130,
  });
});

test('an error carries class name, hint, details and cause', () => {
  const cause = new Error('below');
  const error = new EnvironmentError('quic-unavailable', 'No QUIC.', { hint: 'Use sim.', details: { os: 'x' }, cause });
  assert.equal(error.name, 'EnvironmentError');
  assert.equal(error.cause, cause);
  assert.deepEqual([error.code, error.hint, error.details], ['quic-unavailable', 'Use sim.', { os: 'x' }]);
  assert.deepEqual([new UsageError('usage', 'm').hint, new UsageError('usage', 'm').details], [null, {}]);
});

test('an input error with a line says where, shows the line and points at the column', () => {
  const error = new InputError('bad-conf', '`60q` is not a duration.', {
    file: 'nanomq.conf',
    line: 12,
    column: 13,
    excerpt: '\tkeepalive = 60q',
    hint: 'Write 60s.',
  });
  assert.equal(
    textOf(error),
    [
      'error: nanomq.conf:12:13: `60q` is not a duration.',
      '  12 | \\tkeepalive = 60q',
      '     |              ^',
      'hint: Write 60s.',
      '',
    ].join('\n'),
  );
  assert.equal(textOf(new CassetteError('no "at"', { file: 'c.ndjson', line: 3 })), 'error: c.ndjson:3: no "at"\n');
});

test('a very long line is shown around its column only', () => {
  const excerpt = `${'a'.repeat(5000)}!${'b'.repeat(5000)}`;
  const lines = textOf(new InputError('x', 'm', { file: 'f', line: 1, column: 5001, excerpt })).split('\n');
  assert.ok(lines[1]!.length < 120);
  assert.equal(lines[1]![lines[2]!.indexOf('^')], '!');
});

test('escape sequences from an input do not reach the terminal', () => {
  assert.equal(textOf(new InputError('x', 'There is no \u001b[2Jfile.')), 'error: There is no \\x1b[2Jfile.\n');
});

test('failures of the system are said in words', async () => {
  let error: unknown;
  try {
    readFileSync('/nowhere/at-all.log');
  } catch (thrown) {
    error = thrown;
  }
  const report = describeError(error);
  assert.deepEqual([report.code, report.exitCode], ['input-unreadable', ExitCode.input]);
  assert.equal(report.message, '/nowhere/at-all.log: there is no such file or folder');

  const first = await listen(0);
  const address = first.address();
  assert.ok(address !== null && typeof address === 'object');
  const taken = await listen(address.port).catch((thrown: unknown) => describeError(thrown));
  first.close();
  assert.ok('exitCode' in taken);
  assert.deepEqual([taken.code, taken.exitCode], ['environment', ExitCode.environment]);
  assert.match(taken.message, /^127\.0\.0\.1:\d+: the port is taken$/);
});

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });
}

test('--json writes to stdout only, --debug adds the stack with its causes on stderr', () => {
  const stdout = captured();
  const stderr = captured();
  const error = new EnvironmentError('x', 'm', { details: { size: 10n }, cause: new Error('below') });
  const code = reportError(error, { stdout, stderr, env: {}, json: true, debug: true, command: null });
  assert.equal(code, ExitCode.environment);
  assert.deepEqual(JSON.parse(stdout.text()).error.details, { size: 10 });
  assert.match(stderr.text(), /^EnvironmentError: m\n[\s\S]*caused by: Error: below/);
});

test('colour only where it is wanted', () => {
  const report = describeError(new UsageError('usage', 'm', { hint: 'h' }));
  assert.ok(errorText(report, { stderr: captured(80), env: {} }).startsWith('\u001b[31merror:'));
  assert.ok(errorText(report, { stderr: captured(80), env: { NO_COLOR: '1' } }).startsWith('error:'));
});
