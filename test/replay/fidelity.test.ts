import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkFidelity } from '../../replay/fidelity.ts';
import type { Header, Incident } from '../../replay/index.ts';
import { wilson } from '../../replay/index.ts';

const OBSERVED: Incident = {
  cause: 'stuck-busy',
  keepalive_disconnects: 5,
  period_s: 20,
  dwell_s: 19,
  disconnects: 6,
  busy_lines: 100,
  lost_lines: 1000,
  lost_up: null,
  delivered_up: null,
  delivered_down: 40,
};

const header = (changes: Partial<Header> = {}, incident: Incident = OBSERVED): Header =>
  ({
    bridge: { release: '0.23.6', release_known_by: 'stated', settings: {}, origins: {} },
    broker: { release: '5.8.2', release_known_by: 'stated', settings: {}, origins: {} },
    incident,
    ...changes,
  }) as unknown as Header;

const runs = (...seen: Partial<Incident>[]) =>
  seen.map((changes) => ({ seen: { ...OBSERVED, ...changes }, symptoms: ['cycle'] }));

test('a replay like the logs is reproduced, and what the logs cannot show is unknown, whatever the replay says', () => {
  const report = checkFidelity(header(), runs({ lost_up: 7 }, { lost_up: 700 }));
  assert.equal(report.reproduced, true, report.reason);
  assert.equal(report.next, null);
  const status = Object.fromEntries(report.fields.map((field) => [field.field, field.status]));
  assert.equal(status.lost_up, 'unknown');
  assert.equal(status.delivered_up, 'unknown');
  assert.equal(status.delivered_down, 'alike');
  assert.equal(report.fields.length, 10);
});

for (const [field, inside, outside, words] of [
  ['keepalive_disconnects', 6, 7, /7 keepalive disconnects instead of 5/],
  ['period_s', 22, 22.1, /a period of 22\.1 s instead of 20\.0 s/],
  ['dwell_s', 20.9, 21, /connected for 21\.0 s instead of 19\.0 s/],
  ['disconnects', 7, 8, /8 disconnects instead of 6/],
  ['busy_lines', 120, 121, /121 lines "aio busy" a cycle instead of 100/],
  ['lost_lines', 800, 799, /799 lines about lost messages instead of 1000/],
  ['delivered_down', 45, 46, /46 messages sent downward instead of 40/],
] as const) {
  test(`${field}: ${inside} is within the tolerance, ${outside} is not and makes the baseline not reproduced`, () => {
    assert.equal(checkFidelity(header(), runs({ [field]: inside })).reproduced, true);
    const report = checkFidelity(header(), runs({ [field]: outside }));
    assert.equal(report.reproduced, false);
    assert.match(report.reason, words);
    assert.ok(report.next);
  });
}

test('another cause in more than a fifth of the seeds is not the incident, however alike the numbers are', () => {
  const other = { cause: 'transport-loss' };
  assert.equal(checkFidelity(header(), runs({}, {}, {}, {}, other)).reproduced, true);
  const report = checkFidelity(header(), runs({}, {}, {}, other, other));
  assert.equal(report.reproduced, false);
  assert.match(report.reason, /instead of stuck-busy|only 3 of 5 seeds/);
});

test('none of the disconnects is no disconnect within the tolerance of one', () => {
  const one = { ...OBSERVED, keepalive_disconnects: 1, period_s: null };
  assert.equal(checkFidelity(header({}, one), runs({ keepalive_disconnects: 0, period_s: null })).reproduced, false);
});

test('an assumed release, and traffic that the logs hide, are said with what to do about them', () => {
  const bridge = { release: '0.23.6', release_known_by: 'assumed', settings: {}, origins: {} };
  const assumed = checkFidelity(header({ bridge } as unknown as Partial<Header>), runs({}));
  assert.equal(assumed.reproduced, false);
  assert.match(assumed.next ?? '', /--nanomq RELEASE/);
  const hidden = checkFidelity(header({ uplink: 'hidden' }), runs({ busy_lines: 0 }));
  assert.match(hidden.next ?? '', /debug log of NanoMQ|--rate/);
  const oneSided = header({ visible: { bridge: 'debug', broker: null, packets: false, routed: false } });
  assert.match(checkFidelity(oneSided, runs({ period_s: 99 })).next ?? '', /broker's log/);
});

test('runs without any symptom reproduce nothing that a change could remove', () => {
  const report = checkFidelity(header(), [{ seen: OBSERVED, symptoms: [] }]);
  assert.equal(report.reproduced, false);
  assert.match(report.reason, /no reconnect cycle, stall or loss/);
});

test("Wilson's interval at 95 %, against values from the literature", () => {
  const near = (found: number, wanted: number) => assert.ok(Math.abs(found - wanted) < 0.0005, `${found} ${wanted}`);
  // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
  for (const [k, n, low, high] of [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ] as const) {
    near(wilson(k, n).low, low);
    near(wilson(k, n).high, high);
  }
  assert.deepEqual(wilson(0, 0), { low: 0, high: 1 });
  assert.equal(wilson(10, 10).high, 1);
});
