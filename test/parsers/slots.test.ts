/** Lines that look like those of a learned shape and are not: the fast way must make of them what the grammars make. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createParser,
  type Layout,
  LineSplitter,
  type LineTaker,
  type LogRecord,
  toLogRecord,
} from '../../parsers/index.ts';
import { slotCases } from './cases/slots.ts';
import { parseAll } from './parse.ts';

/** More than a shape takes to be learned. */
const TIMES = 40;

for (const { title, layout, usual, odd, isLearned = true } of slotCases) {
  test(`${layout}: ${title}`, () => {
    const text = `${Array.from({ length: TIMES }, (_, i) => usual(i)).join('\n')}\n${odd.join('\n')}\n${usual(TIMES)}\n`;
    const plain = parseAll(layout, text);
    for (const asBytes of [false, true]) {
      const { records, slotted } = parseSlotted(layout, text, asBytes);
      assert.equal(slotted > 0, isLearned, 'a shape is learned');
      assert.deepEqual(records, plain.records);
    }
  });
}

function parseSlotted(layout: Layout, text: string, asBytes: boolean): { records: LogRecord[]; slotted: number } {
  const records: LogRecord[] = [];
  let slotted = 0;
  const parser = createParser(layout, {
    record: (record) => records.push(record),
    unparsed: () => {},
    slotted: (record) => {
      slotted += 1;
      records.push(toLogRecord(record));
    },
  });
  const taker: LineTaker = { take: (...line) => parser.take!(...line), keep: () => parser.keep!() };
  const splitter = new LineSplitter((line) => parser.line(line), undefined, asBytes ? taker : null);
  splitter.push(Buffer.from(text));
  splitter.end();
  parser.end();
  return { records, slotted };
}
