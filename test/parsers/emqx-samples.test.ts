/** Lines of EMQX and the records they must become, as data: `cases/emqx-samples-*.jsonl`, one sample a line. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { emqxConsoleCatalogue } from '../../parsers/emqx/catalogue.ts';
import {
  type EmqxCatalogueRow,
  type EmqxTextRow,
  emqxCatalogue,
  emqxTextCatalogue,
  type Layout,
  type LogRecord,
} from '../../parsers/index.ts';
import { parseAll } from './parse.ts';

/** `text` becomes one record with these members; with `unparsed`, no record but these reasons. Members left out are not looked at. */
type Sample = {
  readonly layout: Layout;
  readonly text: string;
  readonly unparsed?: readonly string[];
} & Partial<LogRecord>;

const CASES = resolve(process.cwd(), 'test/parsers/cases');

function readSamples(file: string): Sample[] {
  return readFileSync(resolve(CASES, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Sample);
}

const files = readdirSync(CASES).filter((name) => /^emqx-samples-.*\.jsonl$/.test(name));
const all = files.flatMap(readSamples);

for (const file of files) {
  test(`${file}: every sample becomes the record beside it`, () => {
    readSamples(file).forEach(({ layout, text, unparsed, ...expected }, i) => {
      const where = `${file}:${i + 1}`;
      const parsed = parseAll(layout, `${text}\n`);
      assert.deepEqual(
        parsed.unparsed.map((line) => line.reason),
        unparsed ?? [],
        where,
      );
      if (unparsed !== undefined) {
        assert.equal(parsed.records.length, 0, where);
        return;
      }
      assert.equal(parsed.records.length, 1, where);
      const record = parsed.records[0]!;
      for (const key of Object.keys(expected) as (keyof LogRecord)[])
        assert.deepEqual(record[key], expected[key], `${where}, ${key}`);
      assert.deepEqual(record.flags, expected.flags, `${where}, flags`);
    });
  });
}

test('every row of the catalogue has a sample', () => {
  const bare = [
    ...emqxCatalogue
      .filter((row) => !all.some((sample) => shows(row, sample)))
      .map((row) => `${row.event} ${row.msgs}`),
    ...[...emqxTextCatalogue, ...emqxConsoleCatalogue]
      .filter((row) => !all.some((sample) => showsText(row, sample)))
      .map((row) => `${row.event} ${row.pattern.source}`),
  ];
  assert.deepEqual(bare, []);
});

function shows(row: EmqxCatalogueRow, { text, event }: Sample): boolean {
  if (event !== row.event) return false;
  const has = (key: string) => text.includes(`${key}: `) || text.includes(`"${key}":`);
  if (row.needs !== undefined && !has(row.needs)) return false;
  if (row.keys?.every(has)) return true;
  return row.msgs.some((msg) => {
    const begin = msg.replace(/\*$/, '');
    return [`msg: ${begin}`, `message: ${begin}`, `"msg":"${begin}`].some((printed) => text.includes(printed));
  });
}

function showsText(row: EmqxTextRow, { layout, text, event }: Sample): boolean {
  if (event !== row.event || text.startsWith('{')) return false;
  const body = parseAll(layout, `${text}\n`).records[0]!.body;
  return row.pattern.test(body.replace(/\n+$/, ''));
}
