import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { Database, namedQueries } from '../../queries/index.ts';
import { EXAMPLE } from '../replay/example.ts';
import { assertError, assertJsonError, bridgetrace, scratch } from './bridgetrace.ts';

const folder = scratch();
const db = path.join(folder, 'incident.duckdb');
const SQL =
  'SELECT reason, count(*)::INTEGER AS n FROM sessions WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason';

const query = (...argv: string[]) => bridgetrace('query', ...argv, '--db', db);

before(async () => {
  const { code, err } = await bridgetrace('ingest', EXAMPLE, '--db', db);
  assert.equal(code, 0, err);
});

test('every named query runs and every row has the columns that its header promises', async () => {
  assert.ok(namedQueries().length > 0);
  for (const { name } of namedQueries()) {
    const { code, out, err } = await query(name, '--format', 'ndjson');
    assert.equal(code, 0, `${name}: ${err}`);
    const rows = out.split('\n').filter((line) => line !== '');
    for (const row of rows.slice(0, 5)) assert.equal(typeof JSON.parse(row), 'object');
    // Of the example, all is known and read.
    if (!['unparsed', 'unknown-messages', 'refused', 'log-gaps'].includes(name))
      assert.ok(rows.length > 0, `${name} has rows for the example`);
  }
});

test('a statement and the same statement in a file give the same rows', async () => {
  const sql = path.join(folder, 'reasons.sql');
  writeFileSync(sql, `-- how connections ended\n${SQL};\n`);
  const direct = await query(SQL, '--format', 'csv');
  const filed = await query(`@${sql}`, '--format', 'csv');
  assert.equal(direct.code, 0, direct.err);
  assert.deepEqual(filed, direct);
  assert.equal(direct.out, 'reason,n\r\nkeepalive_timeout,6\r\n');
});

test('--param gives a value to a parameter, of a statement and of a named query; --list tells of them', async () => {
  const statement = await query('SELECT $who AS who, $n::INTEGER + 1 AS n', '--param', "who=it's=me", '--param', 'n=2');
  assert.match(statement.out, /it's=me +3/);
  const named = await query('client-events', '--param', 'to=2000-01-01 00:00:00', '--format', 'csv');
  assert.deepEqual([named.code, named.out.trim().split('\n').length], [0, 1]);
  assertError(await query('client-events', '--param', 'who=me'), 2, /no parameter who.*\n?.*client, from, to/);
  assertError(await query('SELECT $who', '--format', 'csv'), 2, /--param name=value/);
  assertError(await query('SELECT $who', '--param', 'who'), 2, /--param who is no name and value/);
  assert.match((await query('--list')).out, /client-events .*\n +--param client=/);
  const list = JSON.parse((await query('--list', '--json')).out).queries;
  const { parameters } = list.find((one: { name: string }) => one.name === 'client-events');
  assert.deepEqual(
    parameters.map((one: { name: string }) => one.name),
    ['client', 'from', 'to'],
  );
});

test('every format shows the same row', async () => {
  const expected: Record<string, string> = {
    json: '[\n  {"reason":"keepalive_timeout","n":6}\n]\n',
    ndjson: '{"reason":"keepalive_timeout","n":6}\n',
    csv: 'reason,n\r\nkeepalive_timeout,6\r\n',
    markdown: '| reason | n |\n| --- | ---: |\n| keepalive\\_timeout | 6 |\n',
  };
  for (const [format, text] of Object.entries(expected)) {
    const { code, out, err } = await query(SQL, '--format', format);
    assert.equal(code, 0, err);
    assert.equal(out.replace('\\_', '_'), text.replace('\\_', '_'), format);
  }
  const table = await query(SQL);
  assert.match(table.out, /^reason\s+n\n─+\s+─+\nkeepalive_timeout\s+6\n$/);
  assert.deepEqual(JSON.parse((await query(SQL, '--json')).out), { schema: 1, rows: JSON.parse(expected.json!) });
});

test('-o writes the result to the file instead, in any text format, and leaves no half file', async () => {
  for (const format of ['table', 'json', 'ndjson', 'csv', 'markdown']) {
    const file = path.join(folder, `out.${format}`);
    const { code, out, err } = await query(SQL, '--format', format, '-o', file);
    assert.deepEqual([code, out, err], [0, '', ''], format);
    assert.equal(readFileSync(file, 'utf8').trim(), (await query(SQL, '--format', format)).out.trim(), format);
  }
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.part')),
    [],
  );
});

test('parquet goes to a file that DuckDB reads back with the same rows, numbers as numbers and times as times', async () => {
  const file = path.join(folder, "it's.parquet");
  const sql = 'SELECT client_id, connected, keepalive_s, packets_in, clock_ambiguous FROM sessions ORDER BY connected';
  const { code, out, err } = await query(sql, '--format', 'parquet', '-o', file);
  assert.deepEqual([code, out, err], [0, '', '']);
  const reader = await Database.open(':memory:', 'write');
  try {
    const rows = await reader.all<{ client_id: string; connected: number; keepalive_s: number }>(
      'SELECT * FROM read_parquet($1) ORDER BY connected',
      [file],
    );
    const expected = JSON.parse((await query(sql, '--format', 'json')).out);
    assert.equal(rows.length, 7);
    assert.deepEqual(
      rows.map((row) => [row.client_id, Math.floor(row.connected / 1000), row.keepalive_s]),
      expected.map((row: { client_id: string; connected: string; keepalive_s: number }) => [
        row.client_id,
        Date.parse(row.connected),
        row.keepalive_s,
      ]),
    );
  } finally {
    reader.close();
  }
  assertError(await query(sql, '--format', 'parquet'), 2, /parquet is written to a file/);
});

test('a file that cannot be written is an input error that names it, whatever the format', async () => {
  for (const format of ['csv', 'parquet']) {
    const file = path.join(folder, 'no such folder', `x.${format}`);
    assertError(await query(SQL, '--format', format, '-o', file), 4, /no such folder.*there is no such file or folder/);
  }
});

test('a disk that is full is an error of the machine, and the query ends', {
  skip: !existsSync('/dev/full') && 'no /dev/full here',
}, async () => {
  symlinkSync('/dev/full', path.join(folder, 'full.csv.part'));
  const outcome = await query('FROM records', '--format', 'csv', '-o', path.join(folder, 'full.csv'));
  assertError(outcome, 5, /the disk is full/);
});

test('a failed query leaves an older result of that name as it was', async () => {
  for (const format of ['csv', 'parquet']) {
    const file = path.join(folder, `older.${format}`);
    writeFileSync(file, 'older');
    assert.equal((await query('FROM nowhere', '--format', format, '-o', file)).code, 2);
    assert.equal(readFileSync(file, 'utf8'), 'older');
    assert.ok(!existsSync(`${file}.part`));
  }
});

test('a statement that would write is refused, and nothing is written', async () => {
  const before = await query('SELECT count(*) FROM records', '--format', 'csv');
  const target = path.join(folder, 'stolen.csv');
  for (const sql of [
    'DELETE FROM packed_records',
    "INSERT INTO runs (run_id, kind) VALUES ('x', 'y')",
    'UPDATE sources SET lines = 0',
    'DROP TABLE records',
    'CREATE TABLE x (a INTEGER)',
    'CREATE OR REPLACE VIEW sessions AS SELECT 1',
    `COPY records TO '${target}'`,
    `EXPORT DATABASE '${folder}/export'`,
    'SELECT 1; DELETE FROM packed_records',
  ])
    assertError(await query(sql), 2, /hint: Queries may only read this database; use -o FILE/);
  assert.ok(!existsSync(target));
  assert.ok(!existsSync(path.join(folder, 'export')));
  assert.deepEqual(await query('SELECT count(*) FROM records', '--format', 'csv'), before);
  assertJsonError(await query('DELETE FROM packed_records', '--json'), 2, 'bad-sql');
});

test('a statement that would read another file or loosen the lock is refused', async () => {
  const secret = path.join(folder, 'secret.csv');
  writeFileSync(secret, 'a,b\nhunter2,3\n');
  for (const sql of [
    `SELECT * FROM read_csv('${secret}')`,
    `SELECT * FROM '${secret}'`,
    `SELECT content FROM read_text('${secret}')`,
    `ATTACH '${path.join(folder, 'other.duckdb')}' AS other`,
    'SET enable_external_access = true',
    'INSTALL httpfs',
    "LOAD 'httpfs'",
  ]) {
    const outcome = await query(sql);
    assertError(outcome, 2, /^hint: /m);
    assert.doesNotMatch(outcome.err, /hunter2/);
  }
});

test('bad SQL exits 2 with a mark under the place', async () => {
  const outcome = await query('SELEC 1');
  assertError(outcome, 2, /syntax error at or near "SELEC"/);
  assert.match(outcome.err, /LINE 1: SELEC 1\n\s+\^/);
  assertError(await query('FROM nowhere'), 2, /Table with name nowhere does not exist/);
  assertError(await query('SELECT nothing FROM sessions'), 2, /nothing/);
  assertJsonError(await query('FROM nowhere', '--json'), 2, 'bad-sql');
});

test('an error while rows are read is an SQL error too', async () => {
  const outcome = await query('SELECT CAST(body AS INTEGER) FROM records', '--format', 'csv');
  assert.equal(outcome.code, 2, outcome.err);
  assert.match(outcome.err, /^error: .*Conversion Error/m);
});

test('an unknown name, format or file of a query says what to do', async () => {
  assertError(await query('sessons'), 2, /no named query sessons/);
  assertError(await query('ses'), 2, /Did you mean .*sessions/);
  assertError(await bridgetrace('query', '--db', db), 2, /A query is missing/);
  assertError(await query(SQL, '--format', 'xml'), 2, /--format xml is not known.\nhint: Known: table, json/);
  assertError(await query(`@${path.join(folder, 'none.sql')}`), 4, /The SQL file .*none\.sql cannot be read/);
});
