/** Reports for tests: of the bundled incident with its replays and verdicts, and of one whose log texts are hostile. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EXAMPLE, exampleLogs, type Logs, writeLogs } from '../replay/example.ts';
import { bridgetrace, scratch } from './bridgetrace.ts';

/** What the sweep of the demo's report finds: over QUIC the cycle stays whatever the keepalive, over TCP it goes. */
export const SWEEP = {
  axes: [
    { key: 'transport', values: ['quic', 'tcp'] },
    { key: 'keepalive', values: ['10s', '20s'] },
  ],
  cells: [
    { at: [0, 0], k: 1, n: 1 },
    { at: [0, 1], k: 1, n: 1 },
    { at: [1, 0], k: 0, n: 1 },
    { at: [1, 1], k: 0, n: 1 },
  ],
};

async function ok(...argv: string[]): Promise<string> {
  const outcome = await bridgetrace(...argv);
  assert.ok(outcome.code === 0 || outcome.code === 1, `${argv.join(' ')}: ${outcome.err}`);
  return outcome.out;
}

/** The whole way of the README: logs, cassette, two replays, verdicts, a sweep, report. */
export async function demoReport(): Promise<string> {
  const folder = scratch();
  const at = (name: string) => path.join(folder, name);
  await ok('ingest', EXAMPLE, '--db', at('i.duckdb'));
  await ok('rebuild', '--db', at('i.duckdb'), '-o', at('i.cassette'));
  await ok('replay', at('i.cassette'), '--db', at('i.duckdb'));
  await ok('replay', at('i.cassette'), '--nanomq', '0.23.10', '--db', at('i.duckdb'));
  writeFileSync(
    at('verdict.json'),
    await ok('verify', at('i.cassette'), '--fix', 'nanomq=0.23.10', '--seeds', '1', '--json'),
  );
  const vary = SWEEP.axes.flatMap(({ key, values }) => ['--vary', `${key}=${values}`]);
  writeFileSync(at('sweep.json'), await ok('sweep', at('i.cassette'), ...vary, '--seeds', '1', '--json'));
  await ok(
    'report',
    '--db',
    at('i.duckdb'),
    '-o',
    at('report.html'),
    '--verify',
    at('verdict.json'),
    '--sweep',
    at('sweep.json'),
  );
  return at('report.html');
}

export const HOSTILE = {
  client: `"><img/src=x/onerror=window.hacked=1>'`,
  topic: '</script><script>window.hacked=2</script><!--',
  payload: '\u001b[31m\u202eevil\u0000\u0007<svg/onload=window.hacked=3>&lt;b&gt;&#60;script&#62;window.hacked=4',
};

/** The incident with markup, script and control characters for its client id, topics and payloads. */
export function hostileLogs(): Logs {
  const change = (line: string) =>
    line
      .replaceAll('nano-bridge-03a', HOSTILE.client)
      .replaceAll(/\b(up|down)\/t\d/g, HOSTILE.topic)
      .replace(/(Payload\(text\)=)\{.*?\}/, `$1${HOSTILE.payload}`)
      .replace('client sending msg while disconnected! cached', `$& ${HOSTILE.payload}${HOSTILE.topic}`);
  const logs = exampleLogs();
  return {
    'nanomq.log': logs['nanomq.log'].map(change),
    'emqx.log': logs['emqx.log'].map(change),
    'trace.log': logs['trace.log'].map(change),
  };
}

export async function hostileReport(): Promise<string> {
  const folder = scratch();
  // A path is shown too.
  const logs = path.join(folder, '<img src=x onerror=hacked=5>');
  mkdirSync(logs);
  writeLogs(logs, hostileLogs());
  await ok('ingest', logs, '--db', path.join(folder, 'h.duckdb'));
  const file = path.join(folder, 'report.html');
  await ok('report', '--db', path.join(folder, 'h.duckdb'), '-o', file, '--title', HOSTILE.topic);
  return file;
}
