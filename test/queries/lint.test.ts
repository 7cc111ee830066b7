/** The configuration check: a sample a rule, places, secrets, releases, both forms, damaged files. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, test } from 'node:test';
import { RULES } from '../../queries/index.ts';
import { LINT_RULES, lint } from '../../queries/lint/index.ts';
import { lintPage } from '../../scripts/lint-docs.ts';
import { LINT_CASES } from './lint-cases.ts';

const check = (text: string, release: string | null = null) => lint({ name: 'nanomq.conf', text }, { release });
const rulesIn = (text: string, release: string | null = null) =>
  check(text, release).findings.map(({ rule }) => rule.id);

describe('rules of lint', () => {
  for (const { rule, bad, good, release = null, goodRelease } of LINT_CASES) {
    it(`${rule} is found, and not where it does not hold`, () => {
      assert.ok(rulesIn(bad, release).includes(rule), `${rulesIn(bad, release)}`);
      assert.ok(!rulesIn(good, goodRelease ?? release).includes(rule));
    });
  }

  it('every rule has samples, and leads to a finding that exists', () => {
    assert.deepEqual(LINT_CASES.map(({ rule }) => rule).sort(), LINT_RULES.map(({ id }) => id).sort());
    const findings = new Set(RULES.map(({ id }) => id));
    for (const { leadsTo } of LINT_RULES) assert.ok(leadsTo === null || findings.has(leadsTo), String(leadsTo));
  });

  it('the samples without a fault have none but the one they show', () => {
    assert.deepEqual(rulesIn(LINT_CASES.find(({ rule }) => rule === 'server-missing')!.good), []);
  });
});

test('docs/LINT.md is that of the rules', () => {
  assert.equal(readFileSync(path.resolve('docs/LINT.md'), 'utf8'), lintPage(), 'run npm run lint-docs');
});

test('a finding names its place and the releases it holds for', () => {
  const [found] = check('bridges.mqtt.b {\r\n\tquic_initial_rtt_ms = 800ms # é\r\n}').findings.filter(
    ({ rule }) => rule.id === 'initial-rtt-in-minutes',
  );
  assert.equal(found?.releases, '0.22.10–0.24.8');
  const { line, column, endLine, endColumn, excerpt } = found.place;
  assert.deepEqual([line, column, endLine, endColumn], [2, 24, 2, 29]);
  assert.equal(excerpt.text.slice(excerpt.from, excerpt.from + excerpt.length), '800ms');
});

test('no form of output holds a password, in a file well formed or not', () => {
  const texts = [
    'bridges.mqtt.b { server = "quic://u:hunter2@h", password = hunter2, password = "hunter2", bogus = 1 }',
    'password hunter2',
    'bridges.mqtt.b {\n password =\n hunter2 #\n}',
    'auth.password { admin = hunter2 }\nauth.password { admin = hunter2 } }',
    'bridges.mqtt.b.ssl { key_password = "hunter2',
    'bridge.mqtt.b.password=hunter2\nbridge.mqtt.b.password=hunter2\nbridge.mqtt.b.keepalive',
    'password : hunter2 = 3',
  ];
  for (const text of texts) {
    const { findings } = check(text);
    assert.ok(findings.length > 0, text);
    for (const finding of findings) {
      assert.doesNotMatch(JSON.stringify({ ...finding, rule: null }), /hunter2/, text);
    }
  }
});

test('the older form is read under the names of the newer one', () => {
  const old = [
    'bridge.mqtt.emqx.address=mqtt-quic://h:14567',
    'bridge.mqtt.emqx.keepalive=60s',
    'bridge.mqtt.emqx.quic_keepalive=60',
    'bridge.mqtt.emqx.quic_idle_timeout=30',
    'bridge.mqtt.emqx.forwards.1.remote_topic=',
    'bridge.mqtt.emqx.forwards.1.local_topic=up/#',
    'log.to=file,consol',
  ].join('\n');
  const { syntax, bridges } = check(old);
  assert.deepEqual([syntax, bridges], ['old', ['emqx']]);
  const found = rulesIn(old, '0.23.10');
  for (const rule of [
    'quic-keepalive-not-below-idle',
    'send-queue-absent',
    'log-target-unknown',
    'topic-pair-incomplete',
  ]) {
    assert.ok(found.includes(rule), rule);
  }
  assert.ok(!found.includes('value-cut-by-comment'));
});

test('included files are read, and findings in them name them', () => {
  const include = (target: string) =>
    target === 'b.conf' ? { name: 'etc/b.conf', text: 'keepalve = 3s\ninclude "b.conf"' } : { why: 'no' };
  const { findings } = lint(
    { name: 'a.conf', text: 'bridges.mqtt.x { include "b.conf" }' },
    { release: null, include },
  );
  assert.ok(findings.some(({ rule, place }) => rule.id === 'unknown-key' && place.file === 'etc/b.conf'));
});

test('of more findings than are listed the errors stay', () => {
  const many = Array.from({ length: 1_100 }, (_, index) => `bridges.mqtt.b${index}.quic_multi_stream = true`).join(
    '\n',
  );
  const { findings, more } = lint(
    { name: 'x', text: `bridges.mqtt { ${many.replaceAll('bridges.mqtt.', '')} }` },
    { release: '0.23.6' },
  );
  assert.equal(findings.length, 1_000);
  assert.ok(more > 0);
  assert.ok(
    findings.every(({ level }) => level === 'error'),
    'each bridge without a server is an error',
  );
});

const CORPUS = path.resolve('../shared/corpus/incidents');

test('in the corpus the settings behind an incident are found there and nowhere else', {
  skip: !existsSync(CORPUS),
}, () => {
  const where = new Map<string, string[]>();
  for (const folder of readdirSync(CORPUS)) {
    const file = path.join(CORPUS, folder, 'nanomq.conf');
    if (!existsSync(file)) continue;
    const truth = JSON.parse(readFileSync(path.join(CORPUS, folder, 'truth.json'), 'utf8'));
    const found = rulesIn(readFileSync(file, 'utf8'), truth.nanomq_version);
    assert.ok(!found.includes('syntax') && !found.includes('unknown-key'), folder);
    for (const rule of found) where.set(rule, [...(where.get(rule) ?? []), folder.split('-')[0]!]);
  }
  assert.deepEqual(where.get('send-queue-absent'), ['19']);
  assert.deepEqual(where.get('quic-keepalive-not-below-idle'), ['09']);
  assert.equal(
    where.get('two-quic-bridges')?.every((id) => id.startsWith('12')),
    true,
  );
});
