import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { debugLogs } from '../../bench/base-logs.ts';
import { makeDebugLog, makeFleetLog, parseSize } from '../../bench/make-logs.ts';
import type { Layout, LogRecord, Product } from '../../parsers/index.ts';
import { parseAll } from '../parsers/parse.ts';

const BYTES = 1_500_000;
const NO_CORPUS = 'no-corpus'; // the bundled incident, the same on every machine

function made(t: TestContext, make: (file: string) => void): Buffer {
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-make-logs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'made.log');
  make(file);
  return readFileSync(file);
}

function debugLog(t: TestContext, product: Product, seed: number): Buffer {
  const bases = debugLogs(product, seed, NO_CORPUS);
  return made(t, (file) => makeDebugLog(file, product, BYTES, { seed, bases }));
}

function assertMonotone(records: readonly LogRecord[]): void {
  const times = records.map((record) => record.ts ?? Number.NaN);
  assert.ok(times.every((time, index) => index === 0 || time >= times[index - 1]!));
}

for (const [product, layout] of [
  ['nanomq', 'nanomq-file'],
  ['emqx', 'emqx-text'],
] as const satisfies readonly [Product, Layout][]) {
  test(`a made ${product} log is of the wanted size, parses whole, and its times never go back`, (t) => {
    const bytes = debugLog(t, product, 1);
    assert.ok(bytes.length >= BYTES && bytes.length < BYTES + 100_000);
    const { records, unparsed } = parseAll(layout, bytes);
    assert.deepEqual(unparsed, []);
    assertMonotone(records);
    const base = parseAll(layout, debugLogs(product, 1, NO_CORPUS)[0]!.lines.join('\n'));
    const known = new Set(base.records.map((record) => record.event));
    assert.deepEqual(
      [...new Set(records.map((record) => record.event))].filter((event) => !known.has(event)),
      [],
    );
  });

  test(`the same seed makes the same ${product} log, another seed other ids`, (t) => {
    assert.ok(debugLog(t, product, 5).equals(debugLog(t, product, 5)));
    assert.ok(!debugLog(t, product, 5).equals(debugLog(t, product, 6)));
  });
}

test('the log of a fleet has the wanted records, clients and hours', (t) => {
  const bytes = made(t, (file) => makeFleetLog(file, 5000, { clients: 20, hours: 3, corpus: NO_CORPUS }));
  const { records, unparsed } = parseAll('emqx-text', bytes);
  assert.equal(records.length, 5000);
  assert.deepEqual(unparsed, []);
  assertMonotone(records);
  assert.equal(new Set(records.map((record) => record.clientId)).size, 20);
  const hours = (records.at(-1)!.ts! - records[0]!.ts!) / 3_600_000_000;
  assert.ok(hours > 2.9 && hours <= 3);
});

test('sizes are decimal', () => {
  assert.equal(parseSize('240MB'), 240_000_000);
  assert.equal(parseSize('1.5GB'), 1_500_000_000);
  assert.throws(() => parseSize('many'), /no size/);
});
