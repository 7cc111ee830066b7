import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import {
  type Column,
  FORMATS,
  type Format,
  formatResult,
  isNumeric,
  type Rows,
  writeResult,
} from '../../cli/output/format.ts';
import { captured } from './capture.ts';

const COLUMNS: readonly Column[] = [
  { name: 'client_id', type: 'VARCHAR' },
  { name: 'count', type: 'BIGINT' },
  { name: 'attributes', type: 'JSON' },
];
const ROWS = [
  ['edge-1', 12n, '{"a": [1, 2]}'],
  ['edge, "2"', 9007199254740993n, null],
  ['', 3, 'not json'],
];

async function text(
  format: Format,
  rows: Rows = ROWS,
  columns = COLUMNS,
  width: number | null = null,
): Promise<string> {
  let out = '';
  for await (const piece of formatResult({ columns, rows }, format, { width })) out += piece;
  return out;
}

async function* chunked(rows: readonly (readonly unknown[])[], size: number) {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

test('table: aligned, numbers to the right, a dash for NULL', async () => {
  assert.equal(
    await text('table'),
    [
      'client_id             count  attributes',
      '─────────  ────────────────  ─────────────',
      'edge-1                   12  {"a": [1, 2]}',
      'edge, "2"  9007199254740993  -',
      '                          3  not json',
      '',
    ].join('\n'),
  );
});

test('table: fits the terminal by cutting text, never numbers', async () => {
  const lines = (await text('table', [['a-very-long-client-id', 123456, 'text '.repeat(20)]], COLUMNS, 40)).split('\n');
  for (const line of lines) assert.ok(line.length <= 40, line);
  assert.equal(lines[2], 'a-very-long-cl…  123456  text text text…');
});

test('table: control characters are shown, not obeyed', async () => {
  const out = await text('table', [['a\u001b[31mb\nc\u202e', 1, null]]);
  assert.match(out, /a\\x1b\[31mb\\nc\\u202e/);
  assert.ok(!out.includes('\u001b'));
});

test('table: widths come from the first rows, later rows still appear', async () => {
  const rows = Array.from({ length: 1500 }, (_, index) => [`edge-${index}`, index, null]);
  const out = await text('table', chunked(rows, 700));
  assert.equal(out.trimEnd().split('\n').length, 1502);
  assert.match(out, /edge-1499 +1499 +-\n$/);
});

test('json: an array of objects, JSON columns embedded, integers exact', async () => {
  const out = await text('json');
  assert.deepEqual(JSON.parse(out), [
    { client_id: 'edge-1', count: 12, attributes: { a: [1, 2] } },
    { client_id: 'edge, "2"', count: '9007199254740993', attributes: null },
    { client_id: '', count: 3, attributes: 'not json' },
  ]);
  assert.equal(out.split('\n').length, 6);
});

test('json: values JSON does not know', async () => {
  const columns = ['date', 'bytes', 'nan', 'list', 'struct', 'own', 'absent'].map((name) => ({ name, type: 'X' }));
  class Own {
    toString(): string {
      return 'own text';
    }
  }
  const row = [new Date(0), new Uint8Array([1, 255]), Number.NaN, [1n], { a: 2n ** 60n }, new Own()];
  assert.deepEqual(JSON.parse(await text('json', [row], columns)), [
    {
      date: '1970-01-01T00:00:00.000Z',
      bytes: '01ff',
      nan: null,
      list: [1],
      struct: { a: '1152921504606846976' },
      own: 'own text',
      absent: null,
    },
  ]);
});

test('ndjson: one object a line, columns of one name told apart', async () => {
  const columns = ['n', 'n', 'n_2'].map((name) => ({ name, type: 'INTEGER' }));
  assert.equal(await text('ndjson', [[1, 2, 3]], columns), '{"n":1,"n_2":2,"n_2_2":3}\n');
});

test('csv: RFC 4180, NULL and empty text differ', async () => {
  assert.equal(
    await text('csv'),
    'client_id,count,attributes\r\nedge-1,12,"{""a"": [1, 2]}"\r\n"edge, ""2""",9007199254740993,\r\n"",3,not json\r\n',
  );
  assert.equal(await text('csv', [['a\nb', 1, '']]), 'client_id,count,attributes\r\n"a\nb",1,""\r\n');
});

test('markdown: what has a meaning there is escaped', async () => {
  const rows = [['a|b\\|c', 1, '<<"x">> & *\ny']];
  assert.equal(
    await text('markdown', rows),
    '| client_id | count | attributes |\n| --- | ---: | --- |\n| a\\|b\\\\\\|c | 1 | &lt;&lt;"x"&gt;&gt; &amp; \\*<br>y |\n',
  );
});

test('every format: chunks and arrays give the same text, no rows give a whole document', async () => {
  const empty: Record<Format, string> = {
    table: 'client_id  count  attributes\n─────────  ─────  ──────────\n',
    json: '[]\n',
    ndjson: '',
    csv: 'client_id,count,attributes\r\n',
    markdown: '| client_id | count | attributes |\n| --- | ---: | --- |\n',
  };
  for (const format of FORMATS) {
    assert.equal(await text(format, chunked(ROWS, 1)), await text(format), format);
    assert.equal(await text(format, []), empty[format], format);
    assert.equal(await text(format, chunked([], 1)), empty[format], format);
  }
});

test('writeResult counts rows and waits for a slow reader', async () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => [`edge-${index}`, index, null]);
  let written = '';
  let waiting = 0;
  const slow = new Writable({
    highWaterMark: 10,
    decodeStrings: false,
    write(chunk, _encoding, done) {
      waiting += 1;
      assert.equal(waiting, 1);
      written += chunk;
      setImmediate(() => {
        waiting -= 1;
        done();
      });
    },
  });
  assert.equal(await writeResult({ columns: COLUMNS, rows: chunked(rows, 1000) }, 'csv', slow), rows.length);
  assert.equal(written.split('\r\n').length, rows.length + 2);
});

test('writeResult stops when it is interrupted', async () => {
  const interrupt = new AbortController();
  const rows = (async function* () {
    for (;;) {
      yield [['edge', 1, null]];
      interrupt.abort(new Error('enough'));
    }
  })();
  await assert.rejects(
    writeResult({ columns: COLUMNS, rows }, 'csv', captured(), { signal: interrupt.signal }),
    /enough/,
  );
});

test('writeResult lets timers and signals through while rows come without a pause', async () => {
  const interrupt = new AbortController();
  const rows = (async function* () {
    for (;;) yield [['edge', 1, null]];
  })();
  setImmediate(() => interrupt.abort(new Error('enough')));
  await assert.rejects(
    writeResult({ columns: COLUMNS, rows }, 'ndjson', captured(), { signal: interrupt.signal }),
    /enough/,
  );
});

test('SQL types of numbers', () => {
  for (const type of ['BIGINT', 'UTINYINT', 'UINTEGER', 'INTEGER', 'DOUBLE', 'DECIMAL(18,3)', 'HUGEINT']) {
    assert.ok(isNumeric(type), type);
  }
  for (const type of ['VARCHAR', 'INTEGER[]', 'INTERVAL', 'TIMESTAMP', 'STRUCT(a INTEGER)']) {
    assert.ok(!isNumeric(type), type);
  }
});

const SESSION = [
  { name: 'bridge_id', type: 'VARCHAR' },
  { name: 'connected', type: 'TIMESTAMP' },
  { name: 'disconnected', type: 'TIMESTAMP' },
  { name: 'reason', type: 'VARCHAR' },
] as const;
const CONNECTED = [['emqx1', '2026-11-22T04:53:53.000000+00:00', '2026-11-22T04:54:13.120456+00:00', 'x'.repeat(60)]];

test('table: on a terminal a time is shown to the millisecond and never cut', async () => {
  const [, , row] = (await text('table', CONNECTED, SESSION, 80)).split('\n');
  assert.match(row!, /^emqx1 +2026-11-22 04:53:53 {2}2026-11-22 04:54:13\.120 {2}x+…$/);
  assert.match(await text('table', CONNECTED, SESSION), /53\.000000\+00:00 .*13\.120456\+00:00/);
});

test('table: rows that do not fit into the terminal become blocks of lines', async () => {
  const out = await text('table', [...CONNECTED, ...CONNECTED], SESSION, 40);
  const lines = out.trimEnd().split('\n');
  assert.equal(lines.length, 2 * (1 + SESSION.length));
  assert.match(lines[0]!, /^── 1 ─+$/);
  assert.equal(lines[2], 'connected     2026-11-22 04:53:53');
  assert.match(lines[4]!, /^reason {8}x{25}…$/);
  assert.match(lines[5]!, /^── 2 ─+$/);
});
