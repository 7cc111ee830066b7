/** What is read back from packed rows: the very text that was read, and the same whether a record went by its shape or whole. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createParser, detectLayout, LineSplitter, type RawLine } from '../../parsers/index.ts';
import { Database, packageRoot, RecordWriter } from '../../queries/index.ts';

const EXAMPLE = path.join(packageRoot(), 'examples', 'stuck-busy');
const SLOTTED = 1n;
const WHOLE = 2n;

function example(name: string): { text: string; lines: RawLine[] } {
  const stored = readFileSync(path.join(EXAMPLE, name));
  const bytes = name.endsWith('.gz') ? gunzipSync(stored) : stored;
  const lines: RawLine[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  splitter.push(bytes);
  splitter.end();
  return { text: bytes.toString(), lines };
}

/** Both ways into one database, as two sources. */
async function bothWays(lines: readonly RawLine[]): Promise<{ database: Database; slotted: number }> {
  const layout = detectLayout(lines.slice(0, 200).map((line) => line.text))!.layout;
  const database = await Database.open(':memory:', 'write');
  const writer = new RecordWriter(database);
  let slotted = 0;
  await database.run('BEGIN');
  await writer.begin();
  const unparsed = (): void => assert.fail('every line of the example is known');
  const fast = createParser(layout, {
    record: (record) => writer.record(SLOTTED, record),
    slotted: (record) => {
      slotted += 1;
      writer.slotted(SLOTTED, record);
    },
    unparsed,
  });
  for (const line of lines) fast.line(line);
  fast.end();
  const plain = createParser(layout, { record: (record) => writer.record(WHOLE, record), unparsed });
  for (const line of lines) plain.line(line);
  plain.end();
  await writer.flush();
  await database.run('COMMIT');
  return { database, slotted };
}

describe('packed records', () => {
  for (const name of ['nanomq.log.gz', 'emqx.log', 'trace.log']) {
    it(`say in every column what whole ones say: ${name}`, async (t) => {
      const { text, lines } = example(name);
      const { database, slotted } = await bothWays(lines);
      t.after(() => database.close());
      const rows = await database.all<{ n: number }>(
        'SELECT count(*)::INTEGER AS n FROM records WHERE source_id = $1',
        [SLOTTED],
      );
      assert.ok(slotted > 0 && slotted < rows[0]!.n, `${slotted} of ${rows[0]!.n} records went by their shapes`);
      const other = await database.all(
        `SELECT * EXCLUDE (source_id) FROM records WHERE source_id = $1 EXCEPT ALL SELECT * EXCLUDE (source_id) FROM records WHERE source_id = $2`,
        [SLOTTED, WHOLE],
      );
      assert.deepEqual(other, []);
      const [whole] = await database.all<{ text: string }>(
        `SELECT string_agg(head || body, chr(10) ORDER BY byte_offset) AS text FROM records WHERE source_id = $1`,
        [SLOTTED],
      );
      assert.equal(whole!.text, text.replace(/\r\n/g, '\n').replace(/\n$/, ''));
    });
  }
});
