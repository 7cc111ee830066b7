import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseCassette, printCassette } from '../../replay/index.ts';
import { exampleCassette } from '../replay/example.ts';
import { bridgetrace, scratch } from './bridgetrace.ts';

const folder = scratch();
const file = (name: string) => path.join(folder, name);
const cassette = file('incident.cassette');
const example = await exampleCassette();
writeFileSync(cassette, printCassette(example));

const CONF = `bridges.mqtt.emqx1 {
  server = "mqtt-quic://127.0.0.1:14567"
  proto_ver = 5
  clean_start = true
  keepalive = "30s"
  max_parallel_processes = 2
  quic_discon_timeout = "20s"
  quic_handshake_timeout = "20s"
  forwards = [ { local_topic = "up/#", remote_topic = "" } ]
}
`;

test('a configuration and a file of changes are variants like those of the command line; verdicts go to JUnit and Markdown too', async () => {
  writeFileSync(file('new.conf'), CONF);
  writeFileSync(file('fixes.txt'), '# what we could roll out\n\nnanomq=0.23.10\n');
  const { code, out, err } = await bridgetrace(
    'verify',
    cassette,
    '--seeds',
    '1',
    '--conf',
    file('new.conf'),
    '--variants',
    file('fixes.txt'),
    '--junit',
    file('j.xml'),
    '--markdown',
    file('m.md'),
    '--json',
  );
  assert.equal(code, 1, err + out);
  const { variants, baseline } = JSON.parse(out);
  assert.deepEqual(
    variants.map(({ name, verdict }: { name: string; verdict: string }) => [name, verdict]),
    [
      ['nanomq=0.23.10', 'fixed'],
      ['new.conf', 'not-fixed'],
    ],
  );
  assert.equal(baseline.fields.length, 10);
  assert.deepEqual(variants[0].interval.low, 0);
  assert.equal(variants[0].clean, true);
  const junit = readFileSync(file('j.xml'), 'utf8');
  assert.match(junit, /<testsuite name="incident\.cassette" tests="2" failures="1" errors="0">/);
  assert.match(junit, /<testcase classname="incident\.cassette" name="nanomq=0\.23\.10"\/>/);
  assert.match(junit, /<failure type="not-fixed" message="still shows cycle/);
  const markdown = readFileSync(file('m.md'), 'utf8');
  assert.match(markdown, /\| new\.conf \| ❌ not-fixed \|/);
  assert.match(markdown, /\| cycles \| 5 \| 5 \| alike/);
});

test('a change in a file that makes no sense is told with file and line', async () => {
  writeFileSync(file('bad.txt'), 'nanomq=0.23.10\nkepalive=30s\n');
  const { code, err } = await bridgetrace('verify', cassette, '--variants', file('bad.txt'));
  assert.equal(code, 4);
  assert.match(err, /bad\.txt:2: kepalive is not a setting/);
  assert.match(err, /Did you mean keepalive\?/);
});

test('a gate is passed only if every incident of the folder is fixed', async () => {
  const gate = file('gate');
  mkdirSync(gate);
  copyFileSync(cassette, path.join(gate, 'a.cassette'));
  const passed = await bridgetrace('verify', '--gate', gate, '--fix', 'nanomq=0.23.10', '--seeds', '1');
  assert.equal(passed.code, 0, passed.err + passed.out);
  assert.match(passed.out, /Gate passed: 1 of 1 incidents/);
  const undecided = { ...example.header, incident: { ...example.header.incident, keepalive_disconnects: 50 } };
  writeFileSync(path.join(gate, 'b.cassette'), printCassette({ ...example, header: undecided }));
  const open = await bridgetrace('verify', '--gate', gate, '--fix', 'nanomq=0.23.10', '--seeds', '1', '--json');
  assert.equal(open.code, 3, open.err);
  const told = JSON.parse(open.out);
  assert.deepEqual([told.schema, told.gate, told.incidents.length], [1, 'undecided', 2]);
  assert.equal(told.incidents[1].variants[0].verdict, 'inconclusive');
  assert.ok(told.incidents[1].baseline.next);
  const both = await bridgetrace('verify', cassette, '--gate', gate, '--fix', 'nanomq=0.23.10');
  assert.equal(both.code, 2);
  mkdirSync(file('empty'));
  assert.equal((await bridgetrace('verify', '--gate', file('empty'), '--fix', 'nanomq=0.23.10')).code, 4);
});

test('cassettes are checked, cut, merged, scaled and anonymised into new files', async () => {
  const made = async (...argv: string[]) => {
    const output = file(`${argv[0]}.cassette`);
    const { code, err } = await bridgetrace('cassette', ...argv, '-o', output);
    assert.equal(code, 0, err);
    return parseCassette(readFileSync(output, 'utf8'), output);
  };
  assert.equal((await bridgetrace('cassette', 'check', cassette)).code, 0);
  assert.equal((await made('cut', cassette, '--from', '1m', '--to', '90s')).header.duration_us, 30e6);
  const merged = await made('merge', cassette, cassette);
  assert.equal(merged.header.duration_us, 2 * example.header.duration_us);
  assert.ok((await made('scale', cassette, '--factor', '0.5')).entries.length < example.entries.length);
  const hidden = await made('anonymise', cassette);
  assert.equal(hidden.header.bridge.settings.clientId, 'client1');
  for (const argv of [
    ['shrink', cassette],
    ['cut', cassette, '--from', 'noon', '-o', file('x')],
    ['scale', cassette, '-o', file('x')],
    ['cut', cassette],
    ['cut', cassette, cassette, '-o', file('x')],
  ])
    assert.equal((await bridgetrace('cassette', ...argv)).code, 2, argv.join(' '));
  writeFileSync(file('torn.cassette'), `${printCassette(example).slice(0, 5000)}\n`);
  const torn = await bridgetrace('cassette', 'check', file('torn.cassette'));
  assert.equal(torn.code, 4);
  assert.match(torn.err, /torn\.cassette:\d+: /);
  assert.ok(!existsSync(file('x')));
});

test('sweep says the smallest change and draws a map; exit 0 if there is one, 1 if none helps', async () => {
  const found = await bridgetrace(
    'sweep',
    cassette,
    '--vary',
    'nanomq=0.23.6,0.23.10',
    '--vary',
    'keepalive=10s,20s',
    '--seeds',
    '1',
  );
  assert.equal(found.code, 0, found.err + found.out);
  assert.match(found.out, /nanomq \\ keepalive +10s +20s/);
  assert.match(found.out, /0\.23\.6 +█ \d+ % +█/);
  assert.match(found.out, /0\.23\.10 +· \d+ % +·/);
  assert.match(found.out, /Smallest change: nanomq=0\.23\.10\./);
  const none = await bridgetrace('sweep', cassette, '--vary', 'keepalive=10s,20s', '--seeds', '1', '--json');
  assert.equal(none.code, 1, none.err);
  const told = JSON.parse(none.out);
  assert.deepEqual([told.schema, told.smallest, told.points.length], [1, null, 2]);
});

test('a replay printed as logs reads back as the same incident: finding, cycles and deliveries', async () => {
  const logs = file('logs');
  const replayed = JSON.parse((await bridgetrace('replay', cassette, '--emit-logs', logs, '--json')).out);
  const db = file('again.duckdb');
  assert.equal((await bridgetrace('ingest', '--db', db, logs, '--json')).code, 0);
  const analysis = JSON.parse((await bridgetrace('analyze', '--db', db, '--json')).out);
  assert.equal(analysis.findings[0].id, 'stuck-busy');
  assert.equal(analysis.findings[0].id, replayed.findings[0]);
  const cycle = analysis.cycles.find((one: { reason: string }) => one.reason === 'keepalive_timeout');
  assert.equal(cycle.count, replayed.disconnects_by_reason.keepalive_timeout);
  assert.equal(
    (await bridgetrace('query', 'unparsed', '--db', db, '--format', 'csv')).out.trim().split('\n').length,
    1,
  );
  const again = file('again.cassette');
  assert.equal((await bridgetrace('rebuild', '--db', db, '-o', again, '--json')).code, 0);
  const rebuilt = parseCassette(readFileSync(again, 'utf8'), again);
  const { incident } = rebuilt.header;
  for (const key of ['keepalive_disconnects', 'disconnects'] as const)
    assert.equal(incident[key], replayed.incident[key], key);
  for (const key of ['busy_lines', 'lost_lines', 'lost_up', 'delivered_up', 'delivered_down'] as const)
    assert.equal(incident[key], replayed.incident[key], key);
});
