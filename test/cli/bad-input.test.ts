import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Database } from '../../queries/index.ts';
import { EXAMPLE } from '../replay/example.ts';
import { assertError, assertJsonError, assertNoStackTrace, bridgetrace, scratch } from './bridgetrace.ts';

const folder = scratch();
const file = (name: string) => path.join(folder, name);
const db = file('incident.duckdb');
const cassette = file('incident.cassette');

before(async () => {
  assert.equal((await bridgetrace('ingest', EXAMPLE, '--db', db)).code, 0);
  assert.equal((await bridgetrace('rebuild', '-o', cassette, '--db', db)).code, 0);
});

/** The same command as text and with --json: one clear error each. */
async function refused(exitCode: number, code: string, message: RegExp, ...argv: string[]): Promise<void> {
  assertError(await bridgetrace(...argv), exitCode, message);
  assertJsonError(await bridgetrace(...argv, '--json'), exitCode, code);
}

test('a log that does not exist', async () => {
  await refused(
    4,
    'not-found',
    /There is no file or folder .*nothing\.log/,
    'ingest',
    file('nothing.log'),
    '--db',
    file('a.duckdb'),
  );
});

test('a gzip file that is none inside', async () => {
  writeFileSync(file('broken.gz'), Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from('not really gzip')]));
  await refused(
    4,
    'gzip-broken',
    /broken\.gz is not a readable gzip file/,
    'ingest',
    file('broken.gz'),
    '--db',
    file('a.duckdb'),
  );
});

test('a gzip file that breaks off: what could be read is kept, the exit code is 4 and one warning names it', async () => {
  const whole = gzipSync(gunzipSync(readFileSync(path.join(EXAMPLE, 'nanomq.log.gz'))));
  writeFileSync(file('cut.log.gz'), whole.subarray(0, whole.length / 2));
  const text = await bridgetrace('ingest', file('cut.log.gz'), '--db', file('cut.duckdb'));
  assert.equal(text.code, 4);
  assert.equal(text.err.match(/^warning: .*cut\.log\.gz is a gzip file that breaks off/gm)?.length, 1, text.err);
  assertNoStackTrace(text);
  const { out } = await bridgetrace(
    'query',
    'SELECT count(*) AS n FROM records',
    '--format',
    'ndjson',
    '--db',
    file('cut.duckdb'),
  );
  assert.ok(JSON.parse(out).n > 100, out);
  const asJson = await bridgetrace('ingest', file('cut.log.gz'), '--db', file('cut2.duckdb'), '--json');
  assert.equal(asJson.code, 4);
  assert.deepEqual(
    JSON.parse(asJson.out).damaged.map((one: { code: string }) => one.code),
    ['gzip-cut'],
  );
});

test('a folder without logs, an empty one and an empty file', async () => {
  mkdirSync(file('pictures'), { recursive: true });
  writeFileSync(file('pictures/notes.txt'), 'hello\n');
  await refused(
    4,
    'no-logs',
    /No log of NanoMQ or EMQX in .*pictures/,
    'ingest',
    file('pictures'),
    '--db',
    file('a.duckdb'),
  );
  mkdirSync(file('empty'), { recursive: true });
  await refused(4, 'no-logs', /The folder is empty/, 'ingest', file('empty'), '--db', file('a.duckdb'));
  writeFileSync(file('empty.log'), '');
  await refused(4, 'not-a-log', /empty\.log is not a log/, 'ingest', file('empty.log'), '--db', file('a.duckdb'));
  assert.ok(!existsSync(file('a.duckdb')), 'there is no database afterwards');
});

test('a binary file', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919 + (index >> 3)) % 256));
  writeFileSync(file('core'), bytes);
  await refused(
    4,
    'not-a-log',
    /core is not a log of NanoMQ or EMQX/,
    'ingest',
    file('core'),
    '--db',
    file('a.duckdb'),
  );
  await refused(4, 'not-a-database', /core is not a DuckDB database/, 'analyze', '--db', file('core'));
  await refused(
    4,
    'cassette-invalid',
    /core:1: This line is not a JSON object/,
    'verify',
    file('core'),
    '--fix',
    'keepalive=3s',
  );
});

test('a log that may not be read', { skip: process.getuid?.() === 0 && 'root may read everything' }, async () => {
  writeFileSync(file('private.log'), 'x');
  chmodSync(file('private.log'), 0);
  await refused(
    4,
    'not-readable',
    /private\.log may not be read/,
    'ingest',
    file('private.log'),
    '--db',
    file('a.duckdb'),
  );
});

test('a database that does not exist is not made by a command that only reads', async () => {
  const none = file('none.duckdb');
  for (const argv of [['analyze'], ['query', 'sessions'], ['rebuild', '-o', file('c')]])
    await refused(4, 'database-not-found', /There is no database .*none\.duckdb/, ...argv, '--db', none);
  assert.ok(!existsSync(none));
});

test('a database without logs', async () => {
  const bare = file('bare.duckdb');
  (await Database.open(bare, 'write')).close();
  for (const argv of [['analyze'], ['rebuild', '-o', file('c')]])
    await refused(4, 'no-records', /holds no logs/, ...argv, '--db', bare);
});

test('a database of a newer and of an older schema, and a DuckDB file of somebody else', async () => {
  for (const [name, version] of [
    ['newer', 99],
    ['older', 0],
  ] as const) {
    const target = file(`${name}.duckdb`);
    const database = await Database.open(target, 'write');
    await database.run('UPDATE schema_info SET version = $1', [version]);
    database.close();
    const message = new RegExp(`${name} bridgetrace \\(schema ${version}`);
    await refused(4, `database-${name}`, message, 'analyze', '--db', target);
    await refused(4, `database-${name}`, message, 'ingest', EXAMPLE, '--db', target);
  }
  const foreign = file('foreign.duckdb');
  const database = await Database.open(foreign, 'write');
  await database.run('DROP TABLE schema_info');
  database.close();
  await refused(4, 'not-a-database', /is a DuckDB file, but not one of bridgetrace/, 'analyze', '--db', foreign);
});

test('a folder in place of a database, and a database in a folder that does not exist', async () => {
  await refused(4, 'database-unusable', /cannot be opened/, 'analyze', '--db', folder);
  await refused(4, 'database-unusable', /cannot be opened/, 'ingest', EXAMPLE, '--db', file('no/where.duckdb'));
});

/** Holds the database open for writing until its input ends. */
const HOLDER = `
  const { Database } = await import(process.argv[1]);
  const database = await Database.open(process.argv[2], 'write');
  console.log('open');
  process.stdin.on('end', () => database.close()).resume();
`;

test('a database that another process holds: exit 5 and the process id of the holder', async (t) => {
  const held = file('held.duckdb');
  assert.equal((await bridgetrace('ingest', path.join(EXAMPLE, 'trace.log'), '--db', held)).code, 0);
  const library = new URL('../../queries/index.js', import.meta.url).href;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, library, held], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => holder.kill());
  await once(holder.stdout, 'data');
  const message = new RegExp(`held\\.duckdb is in use by another process( \\(process id ${holder.pid}\\))?`);
  for (const argv of [['analyze'], ['query', 'sessions'], ['ingest', EXAMPLE]])
    await refused(5, 'database-locked', message, ...argv, '--db', held);
  holder.stdin.end();
  await once(holder, 'exit');
  assert.equal((await bridgetrace('query', 'sources', '--db', held)).code, 0, 'free again');
});

test('a client that the database does not have: the error lists those it has', async () => {
  await refused(
    4,
    'no-such-client',
    /no bridge with the client id nobody/,
    'analyze',
    '--client',
    'nobody',
    '--db',
    db,
  );
  const outcome = await bridgetrace('rebuild', '-o', file('c'), '--client', 'nobody', '--db', db);
  assertError(outcome, 4, /hint: Clients: nano-bridge-03a\./);
});

test('a cassette that is missing, a folder, or broken in one line', async () => {
  const fix = ['--fix', 'nanomq=0.23.10'];
  await refused(4, 'not-found', /There is no cassette .*none/, 'verify', file('none'), ...fix);
  await refused(4, 'not-a-file', /is not a file/, 'replay', folder);
  const lines = readFileSync(cassette, 'utf8').split('\n');
  lines[41] = (lines[41] ?? '').replace('"qos":0', '"qos":7');
  writeFileSync(file('broken.cassette'), lines.join('\n'));
  for (const argv of [
    ['replay', file('broken.cassette')],
    ['verify', file('broken.cassette'), ...fix],
  ]) {
    const outcome = await bridgetrace(...argv);
    assertError(outcome, 4, /broken\.cassette:42: A message needs qos 0, 1 or 2/);
    assert.match(outcome.err, /^ {2}42 \| \{"at":/m, 'the line itself is shown');
    const { error } = JSON.parse((await bridgetrace(...argv, '--json')).out);
    assert.deepEqual([error.code, error.details.line], ['cassette-invalid', 42]);
  }
});

test('a cassette cannot be written where there is no folder', async () => {
  await refused(4, 'input-unreadable', /no such file or folder/, 'rebuild', '-o', file('no/where'), '--db', db);
});

test('a wrong database is told of before anything is read of a pipe that may never deliver', async () => {
  const pipe = file('pipe');
  if (spawnSync('mkfifo', [pipe]).status !== 0) return;
  writeFileSync(file('no.duckdb'), 'this is no database');
  const kept = openSync(pipe, 'r+'); // a writer that writes nothing
  try {
    await refused(
      4,
      'not-a-database',
      /no\.duckdb is not a DuckDB database/,
      'ingest',
      pipe,
      '--db',
      file('no.duckdb'),
    );
  } finally {
    closeSync(kept);
  }
});
