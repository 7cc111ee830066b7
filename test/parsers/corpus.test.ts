/** Real logs of real brokers, where they are at hand. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { detectLayout, LineSplitter } from '../../parsers/index.ts';
import { parseAll } from './parse.ts';

const CORPUS = resolve(process.cwd(), '../shared/corpus');
const MAX_FILE_BYTES = 20_000_000;
const LOG_NAME = /(?:^|\/)(?:nanomq|emqx|trace|v-)[^/]*\.log(?:\.\d+)?\.gz$/;
/** Of the records outside the settings dump. */
const MIN_NAMED_SHARE = 0.99;

function firstLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  new LineSplitter((line) => lines.push(line.text)).push(bytes.subarray(0, 131_072));
  return lines;
}

test('all of the corpus parses', { skip: existsSync(CORPUS) ? false : `no corpus at ${CORPUS}` }, (t) => {
  const shares = new Map<string, { named: number; said: number }>();
  const files = readdirSync(CORPUS, { recursive: true, encoding: 'utf8' }).filter((name) => LOG_NAME.test(name));
  assert.ok(files.length > 100);
  for (const file of files) {
    const bytes = gunzipSync(readFileSync(resolve(CORPUS, file)), { maxOutputLength: 400_000_000 });
    if (bytes.length > MAX_FILE_BYTES || bytes.length === 0) continue;
    const detected = detectLayout(firstLines(bytes));
    assert.ok(detected !== null, file);
    const { records, unparsed } = parseAll(detected.layout, bytes);
    assert.deepEqual(unparsed.slice(0, 3), [], file);
    const sum = [...records, ...unparsed].reduce((total, one) => total + one.byteLength, 0);
    assert.equal(sum, bytes.length, file);
    if (detected.product === 'nanomq') {
      const said = records.filter((one) => one.file !== 'conf.c');
      const named = said.filter((one) => one.event !== null).length;
      assert.ok(named >= said.length * MIN_NAMED_SHARE, `${file}: ${named} of ${said.length} records have an event`);
      const share = shares.get(detected.layout) ?? { named: 0, said: 0 };
      shares.set(detected.layout, { named: share.named + named, said: share.said + said.length });
    }
    const unread = records.filter(
      (one) => /^mqtt_packet_/.test(one.event ?? '') && one.attributes === null && !one.body.includes('{frame_error'),
    );
    assert.deepEqual(unread.slice(0, 1), [], file);
  }
  for (const [layout, { named, said }] of shares) t.diagnostic(`${layout}: ${named} of ${said} records have an event`);
});
