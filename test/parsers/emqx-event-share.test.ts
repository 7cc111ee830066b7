/** Real logs of EMQX, where they are at hand: no line is lost, and nearly every record is known. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eventShares } from '../../scripts/emqx-event-share.ts';

const CORPUS = resolve(process.cwd(), '../shared/corpus');
const MIN_SHARE = 0.99;

test('an event on 99 % of the records of every layout', {
  skip: existsSync(CORPUS) ? false : `no corpus at ${CORPUS}`,
}, () => {
  const { layouts } = eventShares(CORPUS);
  assert.deepEqual([...layouts.keys()].sort(), ['emqx-json', 'emqx-text', 'emqx-trace', 'emqx-trace-json']);
  for (const [layout, { records, named, unparsed }] of layouts) {
    assert.equal(unparsed, 0, layout);
    assert.ok(named >= MIN_SHARE * records, `${layout}: ${named} of ${records}`);
  }
});

test('what is unknown or no record is counted and shown', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bridgetrace-'));
  try {
    const time = '2024-12-01T10:00:00.123456+00:00';
    const text = `half a line\n${time} [info] msg: terminate, reason: normal\n${time} [info] msg: no_such_7\n`;
    writeFileSync(join(folder, 'emqx.log.gz'), gzipSync(text));
    writeFileSync(join(folder, 'other.txt'), text);
    const { layouts, shapes } = eventShares(folder);
    assert.deepEqual([...layouts], [['emqx-text', { files: 1, records: 2, named: 1, unparsed: 1 }]]);
    assert.deepEqual([...shapes.keys()], ['UNPARSED no-record-start half a line', 'msg no_such_#']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
