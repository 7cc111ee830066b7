/** Lines that patterns could look at from each of their places: where that happens, these take minutes, and the test its time limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Layout } from '../../parsers/index.ts';
import { slowCases } from './cases/linear-time.ts';
import { parseAll } from './parse.ts';

const CHARACTERS = 1_000_000;
const LIMIT_MS = 60_000;

for (const { why, layout, before, filling, after } of slowCases) {
  test(`${layout}: ${why}`, { timeout: LIMIT_MS }, () => {
    const line = before + filling.repeat(CHARACTERS / filling.length) + after;
    // Text layouts keep only so much of a body: many such lines then.
    const bodies = before + filling.repeat(60_000 / filling.length) + after;
    const { records, unparsed } = parseAll(layout satisfies Layout, `${line}\n${`${bodies}\n`.repeat(15)}`);
    assert.equal(records.length + unparsed.length, 16);
  });
}
