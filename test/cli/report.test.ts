import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Script } from 'node:vm';
import { inflateRawSync } from 'node:zlib';
import { clean } from '../../cli/report/clean.ts';
import { readSweep } from '../../cli/report/inputs.ts';
import type { MarkRow } from '../../cli/report/marks.ts';
import type { Marks } from '../../cli/report/model.ts';
import { packMarks } from '../../cli/report/pack.ts';
import { FINDINGS_ZH, SENTENCES_ZH } from '../../cli/report/page/chinese.ts';
import { TEXTS } from '../../cli/report/page/texts.ts';
import { pageScript } from '../../cli/report/page-script.ts';
import { scriptJson } from '../../cli/report/render.ts';
import { ADVICE, RULES } from '../../queries/index.ts';
import { EXAMPLE } from '../replay/example.ts';
import { assertError, bridgetrace, scratch } from './bridgetrace.ts';
import { demoReport, HOSTILE, hostileReport, SWEEP } from './report-files.ts';

const demo = readFileSync(await demoReport(), 'utf8');

const element = (page: string, pattern: RegExp) => pattern.exec(page)?.[1] ?? assert.fail(`no ${pattern} in the page`);
const dataOf = (page: string) =>
  JSON.parse(element(page, /<script type="application\/json" id="report-data">(.*?)<\/script>/s));
const unpacked = (base64: string) => inflateRawSync(Buffer.from(base64, 'base64')).toString('utf8');

test('the policy of the page names the hashes of its one script and one style, and nothing else', () => {
  const policy = element(demo, /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/);
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const style = element(demo, /<style>(.*?)<\/style>/s);
  const script = element(demo, /<script type="module">(.*?)<\/script>/s);
  assert.match(policy, /^default-src 'none'; /);
  assert.ok(policy.includes(`script-src ${hash(script)};`));
  assert.ok(policy.includes(`style-src ${hash(style)};`));
  assert.doesNotMatch(policy, /unsafe|https?:|data:|\*/);
  assert.doesNotMatch(demo, /<(link|img|iframe|object|embed|form)\b|\bsrc=|@import|url\(/i);
});

test('the report holds findings, replays, verdicts, sweep, clocks and sources of the incident', () => {
  const data = dataOf(demo);
  assert.equal(data.analysis.findings[0].id, 'stuck-busy');
  assert.deepEqual(
    data.runs.map((run: { label: string; seed: number | null }) => [run.label, run.seed]),
    [
      ['observed', null],
      ['baseline', 1],
      ['nanomq=0.23.10', 1],
    ],
  );
  assert.deepEqual(
    data.verdicts.variants.map((variant: { verdict: string }) => variant.verdict),
    ['fixed'],
  );
  assert.deepEqual(data.sweep, { axes: SWEEP.axes, cells: SWEEP.cells });
  assert.ok(data.analysis.clocks.some((clock: { error_s: number }) => clock.error_s > 0 && clock.error_s < 1));
  assert.equal(data.sources.length, 3);
  const [observed, , fixed] = data.runs;
  assert.equal(observed.bridges[0].broker_segments.length, 7);
  assert.ok(fixed.bridges[0].broker_segments.length < observed.bridges[0].broker_segments.length);
});

test('each line of evidence has the lines around it', () => {
  const data = dataOf(demo);
  for (const finding of data.analysis.findings)
    for (const line of finding.evidence) {
      const lines = data.excerpts.find((one: { path: string }) => one.path === line.source).lines;
      const own = lines.find(([no]: [number]) => no === line.line);
      assert.ok(own[2].startsWith(line.text), `${own[2]} is not ${line.text}`);
      assert.ok(lines.some(([no]: [number]) => no === line.line - 1 || no === line.line + 1));
    }
});

test('every mark is in the page with the time and text of its line', () => {
  const data = dataOf(demo);
  const marks = JSON.parse(unpacked(element(demo, /id="report-marks">([^<]*)</))) as Marks;
  const lines = unpacked(element(demo, /id="report-lines">([^<]*)</)).split('\n');
  const count = data.runs.flatMap((run: { bridges: { marks: number }[] }) => run.bridges.map((bridge) => bridge.marks));
  assert.equal(
    marks.kind.length,
    count.reduce((sum: number, n: number) => sum + n, 0),
  );
  assert.equal(lines.length, marks.kind.length);
  const busy = lines.slice(0, count[0]).filter((line) => line.includes('aio busy!'));
  assert.equal(busy.length, 820);
});

test('log text that is markup, script or control characters stands in the page as harmless text', async () => {
  const page = readFileSync(await hostileReport(), 'utf8');
  assert.doesNotMatch(page, /window\.hacked=2<\/script>|<img|<svg|<script>/);
  assert.equal(page.match(/<script\b/g)?.length, 4);
  assert.doesNotMatch(page, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  const data = dataOf(page);
  assert.equal(data.title, HOSTILE.topic);
  assert.equal(data.analysis.clients[0].client_id, HOSTILE.client);
  const texts = JSON.stringify(data.excerpts);
  assert.match(texts, /\\\\x1b\[31m\\\\u202eevil/);
});

test('control, invisible and unpaired characters become visible, in keys too', () => {
  assert.deepEqual(clean({ 'a\u0000': ['\u202e\u200b\ud800', 1, null, true] }), {
    'a\\x00': ['\\u202e\\u200b\ufffd', 1, null, true],
  });
  assert.equal(scriptJson('</script><!--&'), '"\\u003c/script\\u003e\\u003c!--\\u0026"');
});

test('where the lines have no room, some of each kind stay, and the rest keep their place', () => {
  const rows: MarkRow[] = Array.from({ length: 4000 }, (_, index) => ({
    bridge: 'b',
    kind: index % 100 === 0 ? 'ping' : 'busy',
    at: index,
    source: 's',
    line: index + 1,
    count: 1,
    text: createHash('sha256').update(String(index)).digest('hex'),
  }));
  const packed = packMarks(rows, ['s'], 20_000);
  assert.ok(packed.lines.length <= 20_000);
  const lines = unpacked(packed.lines).split('\n');
  assert.equal(lines.length, rows.length);
  assert.equal(lines.filter((line) => line !== '').length / rows.length, packed.kept);
  assert.ok(rows.some((row, index) => row.kind === 'ping' && lines[index] !== ''));
  assert.ok(packed.kept > 0.02 && packed.kept < 0.5, String(packed.kept));
});

test("the page's script is one that a browser can read", () => {
  const script = pageScript();
  assert.doesNotThrow(() => new Script(script));
  assert.doesNotMatch(script, /innerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/);
});

test('every title and every piece of advice of the rules has a Chinese text, and every text both languages', () => {
  for (const rule of RULES) assert.ok(FINDINGS_ZH[rule.id], `${rule.id}: ${rule.title}`);
  for (const { why } of Object.values(ADVICE).flat()) assert.ok(SENTENCES_ZH[why], why);
  const slots = (text: string) => [...text.matchAll(/\{\d\}/g)].map(([slot]) => slot).toSorted();
  for (const [key, [english, chinese]] of Object.entries(TEXTS)) {
    assert.ok(chinese.length > 0, key);
    if (english.length > 0) assert.deepEqual(slots(chinese), slots(english), key);
  }
});

test('a sweep of more than two keys is a map of the first two; what cannot be told has no cell', async () => {
  const file = path.join(scratch(), 's.json');
  const axes = ['keepalive', 'transport', 'parallel'].map((key) => ({ key, values: ['1', '2'] }));
  const point = (values: string, k: number, untold: string | null = null) => ({ values: [...values], k, n: 3, untold });
  const points = [point('111', 3), point('112', 1), point('221', 0), point('211', 0, 'no such release')];
  writeFileSync(file, JSON.stringify({ schema: 1, axes, points }));
  assert.deepEqual(await readSweep(file), {
    axes: axes.slice(0, 2),
    cells: [
      { at: [0, 0], k: 4, n: 6 },
      { at: [1, 1], k: 0, n: 3 },
    ],
  });
});

test('a report says what is wrong with the files it is given', async () => {
  const folder = scratch();
  const database = path.join(folder, 'i.duckdb');
  const out = path.join(folder, 'r.html');
  await bridgetrace('ingest', EXAMPLE, '--db', database);
  const wrong = path.join(folder, 'wrong.json');
  writeFileSync(wrong, '{"schema":1}');
  assertError(
    await bridgetrace('report', '--db', database, '-o', out, '--verify', wrong),
    4,
    /not what bridgetrace verify/,
  );
  assertError(
    await bridgetrace('report', '--db', database, '-o', out, '--sweep', wrong),
    4,
    /not what bridgetrace sweep/,
  );
  writeFileSync(wrong, '{"schema":1,');
  assertError(
    await bridgetrace('report', '--db', database, '-o', out, '--sweep', wrong),
    4,
    /not what bridgetrace sweep/,
  );
  assertError(await bridgetrace('report', '--db', database, '-o', database), 2, /is the database itself/);
  assertError(
    await bridgetrace('report', '--db', database, '-o', out, '--client', 'nobody'),
    4,
    /no bridge with the client id nobody/,
  );
  assertError(await bridgetrace('report', '--db', database), 2, /--output/);
});
