/** `lint` as a user runs it: exit codes, text at two widths, colour, JSON, SARIF, standard input, several files. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { colours } from '../../cli/output/colour.ts';
import { lintLines } from '../../cli/text/lint-text.ts';
import { LINT_RULES, lint } from '../../queries/lint/index.ts';
import { bridgetrace, scratch } from './bridgetrace.ts';

const BAD =
  'bridges.mqtt.b {\n\tserver = "mqtt-tcp://h:1883"\n\tkeepalive = 60\n\tpassword = hunter2\n}\nlog.level = info\n';
const GOOD = BAD.replace('= 60', '= 60s').replace(/.*password.*\n/, '');

function files(): { readonly bad: string; readonly good: string; readonly absent: string } {
  const folder = scratch();
  mkdirSync(folder, { recursive: true });
  const [bad, good] = [path.join(folder, 'bad.conf'), path.join(folder, 'good.conf')];
  writeFileSync(bad, BAD);
  writeFileSync(good, GOOD);
  return { bad, good, absent: path.join(folder, 'absent.conf') };
}

test('the exit code is 1 for an error, 0 for none, 2 for a bad release, 4 for a file that is not there', async () => {
  const { bad, good, absent } = files();
  const run = async (...words: string[]) => (await bridgetrace('lint', ...words)).code;
  assert.deepEqual(
    [await run(bad), await run(good), await run(good, '--nanomq', 'new'), await run(absent), await run(good, absent)],
    [1, 0, 2, 4, 4],
  );
});

test('text has place, carets and advice; no password', async () => {
  const { bad } = files();
  const { out, err } = await bridgetrace('lint', bad);
  assert.ok(out.includes(`${bad}:3:14: error: `));
  assert.match(out, /3 \| {3}keepalive = 60\n {2}\| {15}\^\^\n/);
  assert.match(out, /write instead: 60s/);
  assert.match(err, /--nanomq/);
  assert.doesNotMatch(out + err, /hunter2/);
});

test('text fits 80 columns, carets stay under their text, and colour changes no letter', () => {
  const long = `a { ${'x = 1, '.repeat(30)} keepalive 3 }\nbridges.mqtt.日本 { server = "mqtt-quic://h:1", ${' '.repeat(60)} keepalive = "5" }`;
  const result = lint({ name: 'nanomq.conf', text: long }, { release: null });
  const off = colours({}, {});
  const lines = lintLines(result, 80, off);
  assert.ok(lines.length > 8);
  for (const line of lines) assert.ok(line.length <= 80, line);
  const coloured = lintLines(result, 80, colours({ isTTY: true }, { FORCE_COLOR: '1' }));
  assert.notDeepEqual(coloured, lines);
  assert.deepEqual(coloured.map(stripVTControlCharacters), lines);
});

test('JSON has one document with stable keys', async () => {
  const { bad, good } = files();
  const { out } = await bridgetrace('lint', bad, good, '--json', '--nanomq', '0.23.6');
  const document = JSON.parse(out);
  assert.deepEqual([document.schema, document.files.length, document.files[0].release], [1, 2, '0.23.6']);
  const [first] = document.files[0].findings;
  assert.deepEqual([first.rule, first.line, first.column, first.leads_to], ['bare-number-as-time', 3, 14, null]);
  assert.doesNotMatch(out, /hunter2/);
});

test('SARIF refers to its rules and has regions that start at 1', async () => {
  const { bad } = files();
  const { out } = await bridgetrace('lint', bad, '--format', 'sarif');
  const log = JSON.parse(out);
  assert.equal(log.version, '2.1.0');
  const [run] = log.runs;
  assert.equal(run.tool.driver.rules.length, LINT_RULES.length);
  assert.ok(run.results.length > 0);
  for (const { ruleId, ruleIndex, level, message, locations } of run.results) {
    assert.equal(run.tool.driver.rules[ruleIndex].id, ruleId);
    assert.ok(['error', 'warning', 'note'].includes(level) && message.text.length > 0);
    const { region, artifactLocation } = locations[0].physicalLocation;
    assert.ok(region.startLine >= 1 && region.startColumn >= 1 && region.endColumn > region.startColumn);
    assert.match(artifactLocation.uri, /^file:\/\/\//);
  }
  assert.doesNotMatch(out, /hunter2/);
});
