/**
 * Views against small logs: a folder of `test/queries/views` a view, in it the folders of its cases. A case has the log files and
 * `case.json`: what it shows, a query over the view, and the rows that must come out.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot, readSql } from '../../queries/database.ts';
import { ingest } from '../../queries/index.ts';
import { memory } from './support.ts';

interface ViewCase {
  readonly title: string;
  readonly sql: string;
  readonly rows: readonly (readonly unknown[])[];
}

const FIXTURES = path.join(packageRoot(), 'test', 'queries', 'views');
const VIEWS = path.join(packageRoot(), 'queries', 'views');

for (const view of readdirSync(FIXTURES).sort()) {
  describe(view, () => {
    for (const name of readdirSync(path.join(FIXTURES, view)).sort()) {
      const folder = path.join(FIXTURES, view, name);
      const { title, sql, rows } = JSON.parse(readFileSync(path.join(folder, 'case.json'), 'utf8')) as ViewCase;
      it(title, async (t) => {
        const database = await memory(t);
        const logs = readdirSync(folder).filter((file) => file.endsWith('.log'));
        const { sources } = await ingest(database, { paths: logs.map((file) => path.join(folder, file)) });
        assert.ok(sources.every((source) => source.records > 0 && source.unparsed === 0));
        assert.ok(new RegExp(`\\b${view}\\b`).test(sql), `the query of ${name} does not read ${view}`);
        const found = await database.all<Record<string, unknown>>(sql);
        assert.deepEqual(
          found.map((row) => Object.values(row)),
          rows,
        );
      });
    }
  });
}

describe('each view file', () => {
  for (const file of readdirSync(VIEWS).sort()) {
    it(`${file} says its question, its columns and an example`, () => {
      assert.ok(existsSync(path.join(VIEWS, file)));
      const header = readSql('views', file).split(/^(?!--)/m)[0]!;
      for (const part of ['-- Question: ', '-- Columns: ', '-- Example: ']) assert.ok(header.includes(part), part);
    });
  }
});
