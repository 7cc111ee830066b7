/** nanomq.conf as a tree: differential against an independent reader, and laws on damaged texts. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { LineIndex, parseNanomqConf, plainValue, settingsOf } from '../../parsers/index.ts';
import { lint } from '../../queries/lint/index.ts';

const oracle = createRequire(import.meta.url)('@pushcorn/hocon-parser') as {
  parse(options: { text: string }): Promise<unknown>;
};
const read = (text: string) => plainValue(settingsOf(parseNanomqConf(text, 0, 'hocon')));

const SAMPLE = `# c
system { parallel = 4, daemon = false }
bridges.mqtt.e1 {
  server = "mqtt-quic://h:14567"   // address
  keepalive = 10s
  password = "a\\"b#c"
  forwards = [
    { remote_topic = "", local_topic = "up/#", qos = 1 }
    { remote_topic = "x", local_topic = "y" }
  ]
  conn_properties { session_expiry_interval = 9 }
}
bridges { mqtt { e1 { keepalive : 20s } } }
log.to = [file, console]
log { level = info, rotation.size = 10MB }
"quoted key" = null
`;

test('an independent HOCON reader gives the same values', async () => {
  const texts = [
    SAMPLE,
    '{ a = 1, b { c = [1, 2, {d = x}] } }',
    'a.b.c = 1\na.b.d = 2\na { b { c = 3 } }',
    'a = """x\n"y" """',
  ];
  for (const text of texts) assert.deepEqual(read(text), plain(await oracle.parse({ text })), text);
});

const CORPUS = path.resolve('../shared/corpus');
const files = existsSync(CORPUS)
  ? readdirSync(CORPUS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('nanomq.conf'))
  : [];

test('every nanomq.conf of the corpus is read without a problem, as the independent reader does', {
  skip: files.length === 0,
}, async () => {
  const seen = new Set<string>();
  for (const name of files) {
    const text = readFileSync(path.join(CORPUS, name), 'utf8');
    assert.deepEqual(parseNanomqConf(text).problems, [], name);
    if (seen.size < 40 && !seen.has(text)) assert.deepEqual(read(text), plain(await oracle.parse({ text })), name);
    seen.add(text);
  }
});

test('one mistake hides no other, and each has its place', () => {
  const text = 'a {\n b = 1\n c 2\n d = [ { x = 1 ]\n e = "q\n f = g = h\n]\nz = 1';
  const { problems } = parseNanomqConf(text);
  const index = new LineIndex(text);
  assert.deepEqual(
    problems.map(({ code, span }) => `${code} ${index.placeOf(span.offset).line}:${index.placeOf(span.offset).column}`),
    [
      'unclosed-bracket 1:3',
      'no-separator 3:2',
      'unclosed-bracket 4:8',
      'unclosed-quote 5:6',
      'no-key 6:8',
      'stray-bracket 7:1',
    ],
  );
});

test('damaged texts: no throw, a place for each finding, work in proportion to the text', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    '"',
    '"""',
    '=',
    ',',
    '#',
    '\n',
    '\\',
    '$',
    `${'{a}'}`,
    'include "y"',
    '\u0000',
    'é',
    ' ',
    'pass x',
  ];
  let state = 12_345;
  const next = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  for (let round = 0; round < 300; round++) {
    let text = SAMPLE;
    for (let change = next(8); change >= 0; change--) {
      const at = next(text.length + 1);
      text = text.slice(0, at) + pieces[next(pieces.length)]! + text.slice(at + next(12));
    }
    const document = parseNanomqConf(text);
    assert.ok(document.steps <= 60 * (text.length + 10), `${document.steps} steps for ${text.length} characters`);
    for (const { code, span } of document.problems) {
      assert.notEqual(code, 'not-understood', text);
      assert.ok(span.offset >= 0 && span.offset <= text.length && span.length >= 1, code);
    }
    const lines = text.split('\n').length;
    for (const { place } of lint({ name: 'x', text }, { release: '0.23.6' }).findings) {
      assert.ok(place.line >= 1 && place.line <= lines && place.column >= 1, text);
    }
  }
});

test('twice the text takes at most twice the steps and a few more', () => {
  for (const piece of ['a { b = [ ', 'a = b\n', '} ] ', 'x 1\n', 'a = = ', '{ ] ', 'a.b.c { d = "x" }\n', '"']) {
    const [once, twice] = [30, 60].map((count) => parseNanomqConf(piece.repeat(count), 0, 'hocon').steps) as [
      number,
      number,
    ];
    assert.ok(twice <= 2 * once + 60, `${JSON.stringify(piece)}: ${once}, ${twice}`);
  }
});

test('too deep and too long texts are refused with a place', () => {
  assert.deepEqual(
    parseNanomqConf('a {'.repeat(100)).problems.map(({ code }) => code),
    ['too-deep'],
  );
  assert.deepEqual(
    parseNanomqConf('a = b\n'.repeat(200_000)).problems.map(({ code }) => code),
    ['too-long'],
  );
});

/** Without the prototypes of the reader's own objects. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
