import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { exampleLogs, keepRecords, type Logs, writeLogs } from '../replay/example.ts';
import { assertNoStackTrace, bridgetrace, type Outcome, scratch } from './bridgetrace.ts';

const logs = exampleLogs();

/** The demo over these logs. */
async function demo(changed: Logs, ...options: string[]): Promise<Outcome> {
  const folder = scratch();
  writeLogs(folder, changed);
  return bridgetrace('demo', '--logs', folder, ...options);
}

function eachLine(change: (line: string) => string): Logs {
  return {
    'nanomq.log': logs['nanomq.log'].map(change),
    'emqx.log': logs['emqx.log'].map(change),
    'trace.log': logs['trace.log'].map(change),
  };
}

const number = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
const busyLines = (lines: readonly string[]) => lines.filter((line) => line.includes('aio busy!')).length;
const BUSY = /(\d+)\s+"aio\s+busy"/;

const plain = await demo(logs);

test('the demo tells a copy of the incident of the package, with the expected verdicts and exit code 0', () => {
  assert.equal(plain.code, 0, plain.out + plain.err);
  assert.equal(plain.err, '');
  assert.match(plain.out, /1\. stuck-busy \(must\) emqx1/);
  assert.match(plain.out, /nanomq=0\.23\.10: fixed/);
  assert.match(plain.out, /keepalive=30s: not fixed/);
  assertNoStackTrace(plain);
});

test('without the stuck connections there is no such finding, no verdict and an exit code other than 0', async () => {
  const before = (lines: readonly string[]) => keepRecords(lines, (_, time) => time < '04:53:50');
  const cut = await demo({
    'nanomq.log': before(logs['nanomq.log']),
    'emqx.log': before(logs['emqx.log']),
    'trace.log': before(logs['trace.log']),
  });
  assert.doesNotMatch(cut.out, /stuck-busy/);
  assert.notEqual(cut.code, 0);
  assert.doesNotMatch(cut.out, /: fixed/);
  assertNoStackTrace(cut);
});

test('other names and three more "aio busy" lines in the logs are other names and three more in the story', async () => {
  const marked = logs['nanomq.log'].findIndex(
    (line) => line.startsWith('2026-11-22 04:54:20') && line.includes('aio busy!'),
  );
  const line = logs['nanomq.log'][marked] ?? '';
  const renamed = eachLine((text) =>
    text.replaceAll('nano-bridge-03a', 'edge-77').replaceAll('bridge.mqtt.emqx1', 'bridge.mqtt.site9'),
  );
  const changed = { ...renamed, 'nanomq.log': renamed['nanomq.log'].toSpliced(marked, 0, line, line, line) };
  assert.equal(busyLines(changed['nanomq.log']), busyLines(logs['nanomq.log']) + 3);
  const told = await demo(changed);
  assert.match(told.out, /1\. stuck-busy \(must\) site9/);
  assert.doesNotMatch(told.out, /nano-bridge-03a|emqx1/);
  assert.equal(number(told.out, BUSY), number(plain.out, BUSY) + 3);
  assert.equal(told.code, 0, 'names have no part in the verdict');
});

test('a lost disconnect makes one cycle less, and the verdict is measured against that', async () => {
  // The last keepalive disconnect and all after it: both logs end before it.
  const before = (lines: readonly string[]) => keepRecords(lines, (_, time) => time < '04:55:50');
  const shorter = await demo(
    {
      'nanomq.log': before(logs['nanomq.log']),
      'emqx.log': before(logs['emqx.log']),
      'trace.log': before(logs['trace.log']),
    },
    '--json',
  );
  assert.equal(shorter.code, 0);
  assert.equal(number(plain.out, /(\d+) × keepalive_timeout/), 6);
  assert.match(plain.out, /as it was in the logs\s+stuck-busy\s+5 /);
  const { schema, as_expected, sources, analysis, cassette, verification } = JSON.parse(shorter.out);
  assert.deepEqual([schema, as_expected, sources.length], [1, true, 3]);
  assert.equal(analysis.cycles[0].count, 5);
  assert.equal(cassette.incident.keepalive_disconnects, 4);
  assert.equal(verification.baseline.observed.keepalive_disconnects, 4);
  assert.equal(verification.baseline.cycles, 4);
});

test('logs of another place than told are an error, not a story', async () => {
  const outcome = await bridgetrace('demo', '--logs', path.join(scratch(), 'none'));
  assert.equal(outcome.code, 4);
  assert.match(outcome.err, /^error: /);
  assertNoStackTrace(outcome);
});
