import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord } from '../../parsers/index.ts';
import { recordCases } from './cases/records.ts';
import { parseAll } from './parse.ts';

for (const { title, layout, lines, records, unparsed = [] } of recordCases) {
  test(`${layout}: ${title}`, () => {
    const parsed = parseAll(layout, `${lines.join('\n')}\n`);
    assert.deepEqual(
      parsed.unparsed.map((line) => line.reason),
      unparsed,
    );
    assert.equal(parsed.records.length, records.length);
    records.forEach((expected, i) => {
      for (const key of Object.keys(expected) as (keyof LogRecord)[]) {
        assert.deepEqual(parsed.records[i]![key], expected[key], `record ${i}, ${key}`);
      }
    });
  });
}
