/** What `--product`, `--since` and `--until` leave out of a file, and what asking again brings back. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Database, type IngestOptions, ingest } from '../../queries/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-scope-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'compose.log');
writeFileSync(
  file,
  [
    'edge-1  | 2026-11-22 05:00:00 [17] INFO  /b/bridge.c:866: Bridge client connected! RC [0]',
    'emqx-1  | 2026-11-22T05:00:01.000000+00:00 [info] msg: terminate, reason: {shutdown,keepalive_timeout}',
    'edge-1  | 2026-11-22 05:00:02 [17] WARN  /b/bridge.c:921: bridge client disconnected! RC [0]',
    'edge-1  | 2026-11-22 05:00:03 [17] INFO  /b/bridge.c:866: Bridge client connected! RC [0]',
    '',
  ].join('\n'),
);

async function contents(database: Database): Promise<object[]> {
  return database.all(
    `SELECT product, node, records, skipped, unparsed FROM sources JOIN endpoints USING (endpoint_id) ORDER BY product, node`,
  );
}

async function ingestEach(...calls: Omit<IngestOptions, 'paths'>[]): Promise<{ states: string[]; rows: object[] }> {
  const database = await Database.open(':memory:', 'write');
  const states: string[] = [];
  for (const options of calls) {
    const { sources } = await ingest(database, { paths: [file], ...options });
    states.push(sources[0]!.state);
  }
  const rows = await contents(database);
  database.close();
  return { states, rows };
}

const ALL = [
  { product: 'emqx', node: 'emqx-1', records: 1, skipped: 0, unparsed: 0 },
  { product: 'nanomq', node: 'edge-1', records: 3, skipped: 0, unparsed: 0 },
];

test('what --product left out of a mixed file is read when it is asked for', async () => {
  const alone = await ingestEach({ product: 'nanomq' });
  assert.deepEqual(alone.rows, [{ product: 'nanomq', node: 'edge-1', records: 3, skipped: 0, unparsed: 1 }]);
  assert.deepEqual(await ingestEach({ product: 'nanomq' }, {}), { states: ['new', 'new'], rows: ALL });
  assert.deepEqual(await ingestEach({ product: 'nanomq' }, { product: 'emqx' }), { states: ['new', 'new'], rows: ALL });
  assert.deepEqual(await ingestEach({}, { product: 'nanomq' }), { states: ['new', 'unchanged'], rows: ALL });
});

test('records outside of --since and --until are counted, and read when they are asked for', async () => {
  const at = (second: number): number => Date.UTC(2026, 10, 22, 5, 0, second) * 1000;
  const part = await ingestEach({ since: at(1), until: at(3) });
  assert.deepEqual(part.rows, [
    { product: 'emqx', node: 'emqx-1', records: 1, skipped: 0, unparsed: 0 },
    { product: 'nanomq', node: 'edge-1', records: 1, skipped: 2, unparsed: 0 },
  ]);
  assert.deepEqual(await ingestEach({ since: at(1), until: at(3) }, {}), { states: ['new', 'new'], rows: ALL });
  const again = await ingestEach({ since: at(1) }, { since: at(1) });
  assert.deepEqual(again.states, ['new', 'unchanged']);
});

test('with a zone, stamps without one are compared in it', async () => {
  const since = Date.UTC(2026, 10, 21, 21, 0, 2) * 1000; // 05:00:02 in Shanghai
  const { rows } = await ingestEach({ since, zone: 'Asia/Shanghai' });
  assert.deepEqual(rows[1], { product: 'nanomq', node: 'edge-1', records: 2, skipped: 1, unparsed: 0 });
});
