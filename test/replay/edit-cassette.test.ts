import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../queries/index.ts';
import {
  anonymiseCassette,
  type Cassette,
  cutCassette,
  type Entry,
  mergeCassettes,
  parseCassette,
  printCassette,
  scaleCassette,
} from '../../replay/index.ts';
import { exampleCassette } from './example.ts';

const cassette = await exampleCassette();
const S = 1_000_000;

const valid = (of: Cassette) => assert.deepEqual(parseCassette(printCassette(of), 'x'), JSON.parse(JSON.stringify(of)));
const count = (of: Cassette, type: Entry['type']) => of.entries.filter((entry) => entry.type === type).length;

test('a cut has the messages of its part, counted from its own start, and passes the format', () => {
  const part = cutCassette(cassette, 60 * S, 90 * S);
  valid(part);
  assert.equal(part.header.duration_us, 30 * S);
  assert.equal(Date.parse(part.header.start) - Date.parse(cassette.header.start), 60_000);
  assert.deepEqual(
    part.entries.filter((entry) => entry.type === 'publish').map((entry) => [entry.at + 60 * S, entry.line]),
    cassette.entries
      .filter((entry) => entry.type === 'publish' && entry.at >= 60 * S && entry.at <= 90 * S)
      .map((entry) => [entry.at, entry.line]),
  );
});

test('a cut that begins inside an outage begins with the outage', () => {
  const down = cassette.entries.find((entry) => entry.type === 'network' && entry.down === true);
  assert.ok(down);
  const part = cutCassette(cassette, down.at + S, cassette.header.duration_us);
  const first = part.entries.find((entry) => entry.type === 'network');
  assert.deepEqual([first?.at, first?.type === 'network' && first.down], [0, true]);
  assert.throws(() => cutCassette(cassette, 9 * S, 9 * S), UsageError);
  assert.throws(() => cutCassette(cassette, 0, cassette.header.duration_us + 1), UsageError);
});

test('merged cassettes follow each other with all their entries, as long as all together', () => {
  const halves = [cutCassette(cassette, 0, 60 * S), cutCassette(cassette, 60 * S, cassette.header.duration_us)];
  const whole = mergeCassettes(halves);
  valid(whole);
  assert.equal(whole.header.duration_us, cassette.header.duration_us);
  assert.equal(count(whole, 'publish'), count(cassette, 'publish'));
  assert.throws(() => mergeCassettes([]), UsageError);
});

for (const factor of [0.25, 0.5, 1, 1.5, 3]) {
  test(`scaled by ${factor} there are so many times the messages, nothing else changes, and copies are assumed`, () => {
    const scaled = scaleCassette(cassette, factor);
    valid(scaled);
    const before = count(cassette, 'publish') + count(cassette, 'downlink');
    const after = count(scaled, 'publish') + count(scaled, 'downlink');
    assert.ok(Math.abs(after - factor * before) <= 1, `${after} of ${before}`);
    assert.equal(count(scaled, 'choice'), count(cassette, 'choice'));
    assert.equal(count(scaled, 'network'), count(cassette, 'network'));
    const assumed = scaled.entries.filter((entry) => entry.origin === 'assumed').length;
    assert.equal(assumed, Math.max(0, after - before));
  });
}

test('a factor that makes no sense is refused', () => {
  for (const factor of [0, -1, Number.NaN, 1001]) assert.throws(() => scaleCassette(cassette, factor), UsageError);
});

test('anonymised, no name of the incident is left, and the same names are still the same', () => {
  const hidden = anonymiseCassette(cassette);
  valid(hidden);
  const text = printCassette(hidden);
  const names = new Set(
    cassette.entries.flatMap((entry) => ('topic' in entry ? [entry.topic] : [])).concat(cassette.header.bridge.id),
  );
  for (const name of [...names, cassette.header.bridge.settings.clientId ?? '', 'nanomq.log', 'emqx1'])
    assert.ok(!text.includes(`"${name}"`), name);
  const topics = (of: Cassette) => of.entries.flatMap((entry) => ('topic' in entry ? [entry.topic] : []));
  assert.equal(new Set(topics(hidden)).size, new Set(topics(cassette)).size);
  const filter = hidden.header.bridge.settings.subscriptions?.[0]?.topic ?? '';
  assert.match(filter, /^t\d+\/#$/);
  const downlinks = hidden.entries.filter((entry) => entry.type === 'downlink');
  assert.ok(downlinks.length > 0 && downlinks.every((entry) => entry.topic.startsWith(filter.slice(0, -1))));
});
