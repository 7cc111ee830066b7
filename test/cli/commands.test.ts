import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { COMMAND_NAMES, commandsFor } from '../../cli/commands/index.ts';
import { buildProgram } from '../../cli/program.ts';
import { parseCassette } from '../../replay/index.ts';
import { EXAMPLE, exampleLogs, keepRecords, writeLogs } from '../replay/example.ts';
import { assertNoStackTrace, bridgetrace, bridgetraceIn, scratch } from './bridgetrace.ts';
import { capturedContext } from './capture.ts';

const folder = scratch();
const inFolder = (...argv: string[]) => bridgetraceIn(folder, ...argv);
const file = (name: string) => path.join(folder, name);
const db = file('incident.duckdb');
const cassette = file('incident.cassette');

/** A command with --json: nothing but one document with schema 1 on stdout, nothing on stderr. */
async function json(exitCode: number, ...argv: string[]) {
  const outcome = await bridgetrace(...argv, '--json');
  assert.equal(outcome.code, exitCode, outcome.err + outcome.out);
  assert.equal(outcome.err, '');
  const document = JSON.parse(outcome.out);
  assert.equal(document.schema, 1);
  return document;
}

function assertKeys(value: object, ...keys: string[]): void {
  const missing = keys.filter((key) => !(key in value));
  assert.deepEqual(missing, [], `keys of ${JSON.stringify(value).slice(0, 200)}`);
}

test('ingest reads a folder into ./incident.duckdb and accounts for every line', async () => {
  const { code, out, err } = inFolder('ingest', EXAMPLE, '--json');
  assert.deepEqual([code, err], [0, '']);
  const result = JSON.parse(out);
  assert.equal(result.schema, 1);
  assert.equal(result.database, './incident.duckdb');
  assert.ok(existsSync(db));
  assert.deepEqual([result.skipped, result.damaged], [[], []]);
  const logs = exampleLogs();
  const lines: Record<string, number> = {
    'nanomq.log.gz': logs['nanomq.log'].length,
    'emqx.log': logs['emqx.log'].length,
    'trace.log': logs['trace.log'].length,
  };
  assert.deepEqual(
    Object.fromEntries(
      result.sources.map((source: { path: string; lines: number }) => [path.basename(source.path), source.lines]),
    ),
    lines,
  );
  for (const source of result.sources) {
    assertKeys(source, 'path', 'product', 'node', 'layout', 'evidence', 'state', 'bytes');
    assert.equal(source.records + source.continuations + source.unparsed, source.lines, source.path);
    assert.equal(source.state, 'new');
  }
});

test('ingest of the same files again changes nothing and says so', async () => {
  const result = await json(0, 'ingest', EXAMPLE, '--db', db);
  for (const source of result.sources) assert.equal(source.state, 'unchanged', source.path);
});

test('analyze exits 1 with findings; its JSON has the promised keys, its text the same finding', async () => {
  const analysis = await json(1, 'analyze', '--db', db);
  assertKeys(analysis, 'clients', 'findings', 'cycles', 'sessions', 'clocks', 'evidence_gaps');
  assertKeys(analysis.clients[0], 'client_id', 'transport', 'nanomq_version', 'emqx_version', 'keepalive_s');
  const finding = analysis.findings[0];
  assertKeys(finding, 'id', 'title', 'certainty', 'bridge_id', 'client_id', 'attribution', 'first', 'last', 'count');
  assertKeys(finding, 'evidence', 'missing', 'advice');
  assertKeys(finding.evidence[0], 'source', 'line', 'text');
  assertKeys(finding.advice[0], 'change', 'why', 'known_fix');
  assert.equal(finding.id, 'stuck-busy');
  assert.ok(['must', 'may'].includes(finding.certainty));
  assertKeys(analysis.cycles[0], 'bridge_id', 'client_id', 'reason', 'closed_by', 'count');
  assertKeys(analysis.cycles[0], 'period_s', 'period_sd_s', 'dwell_s', 'reconnect_s');
  assertKeys(analysis.sessions[0], 'client_id', 'connected', 'disconnected', 'closed_by', 'reason', 'keepalive_s');
  assertKeys(analysis.sessions[0], 'last_inbound', 'silence_ratio', 'packets_in', 'packets_out');
  assertKeys(analysis.clocks[0], 'source', 'offset_s', 'error_s', 'method', 'pairs');
  for (const gap of analysis.evidence_gaps) assertKeys(gap, 'what', 'how_to_collect');
  assert.match(analysis.sessions[0].connected, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)$/);

  const text = inFolder('analyze');
  assert.equal(text.code, 1);
  assert.match(text.out, /1\. stuck-busy \(must\)/);
  assert.doesNotMatch(text.out, /\u001b/, 'no colour into a pipe');
});

test('the evidence of a finding quotes lines that are in the files, at these numbers', async () => {
  const logs = exampleLogs();
  for (const { source, line, text } of (await json(1, 'analyze', '--db', db)).findings[0].evidence) {
    const name = path.basename(source).replace(/\.gz$/, '') as keyof typeof logs;
    assert.equal(logs[name][line - 1], text, `${source}:${line}`);
  }
});

test('analyze exits 0 where the logs show nothing', async () => {
  const quiet = scratch();
  const logs = exampleLogs();
  const early = (lines: readonly string[]) => keepRecords(lines, (_, time) => time < '04:53:30');
  writeLogs(quiet, { 'nanomq.log': early(logs['nanomq.log']), 'emqx.log': early(logs['emqx.log']) });
  const db = path.join(quiet, 'quiet.duckdb');
  assert.equal((await bridgetrace('ingest', quiet, '--db', db)).code, 0);
  const { code, out } = await bridgetrace('analyze', '--db', db, '--json');
  assert.deepEqual(JSON.parse(out).findings, []);
  assert.equal(code, 0);
  assert.match((await bridgetrace('analyze', '--db', db)).out, /No findings/);
});

test('query with --json gives rows; a named query too', async () => {
  const rows = inFolder('query', 'cycles', '--json');
  assert.equal(rows.code, 0, rows.err);
  assert.equal(JSON.parse(rows.out).schema, 1);
  assert.ok(
    JSON.parse(rows.out).rows.some(
      (row: { reason: string; count: number }) => row.reason === 'keepalive_timeout' && row.count === 6,
    ),
  );
  const list = await json(0, 'query', '--list');
  assert.ok(list.queries.length > 5);
  for (const query of list.queries) {
    assertKeys(query, 'name', 'question', 'columns', 'example');
    assert.notEqual(query.question, '', query.name);
  }
});

test('rebuild writes a cassette that parses, and its JSON sums it up', async () => {
  const result = await json(0, 'rebuild', '-o', cassette, '--db', db);
  assertKeys(result, 'cassette', 'duration_s', 'bridge', 'broker', 'incident', 'entries', 'fidelity');
  const { entries, header } = parseCassette(readFileSync(cassette, 'utf8'), cassette);
  assert.equal(result.entries.publish, entries.filter((entry) => entry.type === 'publish').length);
  assert.deepEqual(result.incident, header.incident);
  const { observed, inferred, assumed } = result.fidelity;
  assert.ok(Math.abs(observed + inferred + assumed - 1) < 1e-9);
});

test('replay simulates unless told otherwise; its JSON has the trace hash, which a second run repeats', async () => {
  const result = await json(1, 'replay', cassette);
  assertKeys(result, 'run_id', 'mode', 'seed', 'nanomq', 'emqx', 'incident', 'findings', 'symptoms');
  assertKeys(result, 'disconnects_by_reason', 'flows', 'trace_hash', 'notes');
  assert.equal(result.mode, 'sim');
  assert.equal(result.findings[0], 'stuck-busy');
  assert.deepEqual(await json(1, 'replay', cassette, '--db', db), result);
  assert.deepEqual(await json(1, 'replay', cassette, '--db', db), result);
});

test('a replay in the database can be asked like an incident, and analyze still tells of the logs', async () => {
  const rows = JSON.parse(
    inFolder('query', 'SELECT run_id, count(*)::INTEGER AS n FROM sessions GROUP BY run_id ORDER BY run_id', '--json')
      .out,
  ).rows;
  assert.deepEqual(
    rows.map((row: { run_id: string }) => row.run_id),
    ['observed', 'replay-baseline-seed1'],
  );
  assert.equal((await json(1, 'analyze', '--db', db)).findings[0].count, 6);
});

test('replay on another network: the incident needs its outage, and any outage will do', async () => {
  const ideal = await json(0, 'replay', cassette, '--network', 'ideal');
  assert.deepEqual([ideal.findings, ideal.symptoms], [[], []]);
  const killed = await json(1, 'replay', cassette, '--network', 'kill-9s@20s', '--network', 'nat-rebind@100s');
  assert.equal(killed.run_id, 'replay-network=kill-9s@20s+nat-rebind@100s-seed1');
  assert.equal(killed.findings[0], 'stuck-busy');
});

test('replay of the fixed release exits 0: no symptom', async () => {
  const result = await json(0, 'replay', cassette, '--nanomq', '0.23.10', '--set', 'keepalive=20s');
  assert.equal(result.nanomq, '0.23.10');
  assert.deepEqual(result.symptoms, []);
});

test('verify exits 1 if a fix does not work, 3 if nothing can be said; its JSON has the promised keys', async () => {
  const fix = ['--seeds', '2', '--fix', 'nanomq=0.23.10'];
  const mixed = await json(1, 'verify', cassette, ...fix, '--fix', 'keepalive=30s');
  assertKeys(mixed, 'baseline', 'variants', 'fidelity', 'seeds');
  assertKeys(mixed.baseline, 'reproduced', 'k', 'n', 'cycles', 'period_s', 'disconnects', 'lost');
  assertKeys(mixed.variants[0], 'name', 'verdict', 'k', 'n');
  assertKeys(mixed.fidelity, 'observed', 'inferred', 'assumed');
  assert.deepEqual(mixed.seeds, [1, 2]);
  assert.deepEqual(
    mixed.variants.map((variant: { verdict: string }) => variant.verdict),
    ['fixed', 'not-fixed'],
  );

  const [header, ...entries] = readFileSync(cassette, 'utf8').split('\n');
  const told = JSON.parse(header ?? '');
  told.incident.keepalive_disconnects = 50;
  writeFileSync(file('other.cassette'), [JSON.stringify(told), ...entries].join('\n'));
  const undecided = await json(3, 'verify', file('other.cassette'), '--seeds', '1', '--fix', 'nanomq=0.23.10');
  assert.equal(undecided.variants[0].verdict, 'inconclusive');
});

test('a configuration that is none is told with file and line, once', async () => {
  writeFileSync(file('broken.conf'), 'bridges.mqtt.emqx1 {\n  keepalive 10s\n}\n');
  const { code, out, err } = await bridgetrace('bridge', file('broken.conf'));
  assert.equal(code, 4);
  assert.equal(out, '');
  assert.equal(
    err.split('\n', 1)[0],
    `error: ${file('broken.conf')}:2:3: This is no nanomq.conf: An = or { is missing behind the key.`,
  );
});

test('verify exits 0 if every fix works; the text says the verdict and what it rests on', async () => {
  const { code, out, err } = inFolder('verify', 'incident.cassette', '--fix', 'nanomq=0.23.10', '--seeds', '1');
  assert.equal(code, 0);
  assert.equal(err, '');
  assert.match(out, /Baseline: reproduced/);
  assert.match(out, /nanomq=0\.23\.10: fixed/);
  assert.match(out, /of its entries observed/);
});

test('the help of every command begins with an example that names the command', async () => {
  const names = buildProgram(capturedContext(), await commandsFor([])).commands.map((command) => command.name());
  assert.deepEqual(names, COMMAND_NAMES);
  for (const name of names) {
    const { code, out, err } = await bridgetrace(name, '--help');
    assert.equal(code, 0);
    assert.equal(err, '');
    const [title, example] = out.split('\n');
    assert.match(title ?? '', /^Examples?:$/, name);
    assert.ok(example?.startsWith(`  $ bridgetrace ${name}`), example);
    assert.match(out, /--json/, name);
  }
});

test('every option that a help example uses exists', async () => {
  for (const command of buildProgram(capturedContext(), await commandsFor(['--help'])).commands) {
    const { out } = await bridgetrace(command.name(), '--help');
    const known = new Set(command.options.flatMap((option) => [option.long, option.short]));
    const examples = out.split('\n').filter((line) => line.startsWith('  $ '));
    assert.ok(examples.length > 0, command.name());
    for (const option of examples.flatMap((line) => line.match(/(?<= )--?[a-z][a-z-]*/g) ?? []))
      assert.ok(known.has(option), `${command.name()} ${option}`);
  }
});

test('wrong usage exits 2 with one line that says what is wrong and points to the help', async () => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['ingest'], /missing required argument 'path'/],
    [['ingest', EXAMPLE, '--db', file('x.duckdb'), '--product', 'mosquitto'], /--product mosquitto: nanomq or emqx/],
    [['analyze', '--db', db, 'extra'], /too many arguments/],
    [['analyze', '--dbb', db], /unknown option '--dbb'/],
    [['rebuild', '--db', db], /required option '-o, --output <file>'/],
    [['rebuild', '--db', db, '-o', file('c'), '--from', 'yesterday'], /--from yesterday is not a time/],
    [['replay', cassette, '--seed', '-1'], /--seed -1 is not a whole number/],
    [['replay', cassette, '--mode', 'dream'], /--mode dream: sim or live/],
    [['replay', cassette, '--set', 'keepaliv=3'], /keepaliv is not a setting/],
    [['replay', cassette, '--network', 'storm'], /network=storm: names no network script/],
    [['verify', cassette, '--fix', 'network=proxy-holds-35s'], /is for tcp, and this bridge uses quic/],
    [['verify', cassette], /no fix to verify/],
    [['verify', cassette, '--fix', 'keepalive=abc'], /not a duration such as 30s/],
    [['verify', cassette, '--fix', 'nanomq=0.23.10', '--seeds', '0'], /--seeds 0 is not a whole number from 1/],
    [['frobnicate'], /unknown command 'frobnicate'/],
  ];
  for (const [argv, message] of cases) {
    const outcome = await bridgetrace(...argv);
    assert.equal(outcome.code, 2, argv.join(' '));
    assert.equal(outcome.out, '');
    assert.match(outcome.err, message);
    assert.equal(outcome.err.match(/^error: /gm)?.length, 1, outcome.err);
    assertNoStackTrace(outcome);
    if (argv[0] === 'rebuild') continue; // the same way out for all; this one takes a second
    const asJson = await bridgetrace(...argv, '--json');
    assert.equal(asJson.code, 2, argv.join(' '));
    assert.match(JSON.parse(asJson.out).error.message, message);
  }
  assert.ok(!existsSync(file('c')));
});
