import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SimRecord } from '../../engine/index.ts';
import { OBSERVED } from '../../queries/index.ts';
import { ASSUMED_RATES, parseVariant, rebuild, verify, withUplink } from '../../replay/index.ts';
import { EVERYTHING, isVisible, showsEverything } from '../../replay/visibility.ts';
import { exampleCassette, exampleLogs, incident, infoLevel } from './example.ts';

const record = (endpoint: 'bridge' | 'broker', severity: SimRecord['severity'], event: string): SimRecord =>
  ({ endpoint, severity, event, at: 0, clientId: null, peer: null, fields: null }) as unknown as SimRecord;

test('a level hides the lines below it, on each side by itself', () => {
  const visible = { ...EVERYTHING, bridge: 'warn' } as const;
  assert.equal(isVisible(record('bridge', 'info', 'bridge_connected'), visible), false);
  assert.equal(isVisible(record('bridge', 'warn', 'aio_busy'), visible), true);
  assert.equal(isVisible(record('broker', 'debug', 'mqtt_packet_received'), visible), true);
  assert.equal(isVisible(record('broker', 'error', 'x'), { ...visible, broker: null }), false);
  assert.equal(isVisible(record('broker', 'debug', 'publish_routed'), { ...visible, routed: false }), false);
  assert.equal(isVisible(record('broker', 'debug', 'mqtt_packet_sent'), { ...visible, packets: false }), false);
  assert.equal(showsEverything(visible), false);
  assert.equal(showsEverything(EVERYTHING), true);
});

test('a cassette says what its logs could show, and how much of the uplink', async () => {
  const full = await exampleCassette();
  assert.deepEqual(full.header.visible, EVERYTHING);
  assert.equal(full.header.uplink, 'shown');
  const database = await incident(infoLevel(exampleLogs()));
  try {
    const { header } = await rebuild(database, { runId: OBSERVED });
    assert.deepEqual(header.visible, { bridge: 'info', broker: 'info', packets: false, routed: false });
    assert.equal(header.uplink, 'partly');
    assert.equal(header.incident.lost_up, null);
    assert.equal(header.incident.delivered_up, null);
    assert.ok((header.incident.lost_lines ?? 0) > 500);
  } finally {
    database.close();
  }
});

test('logs at level info still reproduce the incident, compared in what they show, and tell the fix from the advice', async () => {
  const database = await incident(infoLevel(exampleLogs()));
  try {
    const cassette = await rebuild(database, { runId: OBSERVED });
    const { baseline, variants } = await verify(cassette, {
      variants: ['nanomq=0.23.10', 'keepalive=30s'].map(parseVariant),
      seeds: 1,
    });
    assert.equal(baseline.reproduced, true, baseline.reason);
    const unknown = baseline.fields.filter((field) => field.status === 'unknown').map((field) => field.field);
    assert.deepEqual(unknown, ['lost_up', 'delivered_up', 'delivered_down']);
    assert.deepEqual(
      variants.map((variant) => variant.verdict),
      ['fixed', 'not-fixed'],
    );
  } finally {
    database.close();
  }
});

test('where no line shows what was published, several rates are tried and a verdict must hold for all of them', async () => {
  const cassette = await exampleCassette();
  const silent = {
    header: { ...cassette.header, uplink: 'hidden' as const },
    entries: cassette.entries.filter((entry) => entry.type !== 'publish'),
  };
  const result = await verify(silent, { variants: [parseVariant('nanomq=0.23.10')], seeds: 1 });
  assert.deepEqual(result.assumed_rates, ASSUMED_RATES);
  assert.equal(result.variants[0]?.verdict, 'inconclusive');
  assert.match(result.baseline.reason, /^with 0\.2 messages a second /);
  assert.ok(result.baseline.next);
});

test('an assumed uplink has its rate, says that it is assumed, and leaves the rest of the cassette alone', async () => {
  const cassette = await exampleCassette();
  const more = withUplink(cassette, 2);
  const added = more.entries.filter((entry) => entry.origin === 'assumed');
  assert.equal(added.length, Math.floor((2 * cassette.header.duration_us) / 1e6));
  assert.ok(added.every((entry) => entry.type === 'publish' && /2 a second were assumed/.test(entry.why ?? '')));
  assert.deepEqual(
    more.entries.filter((entry) => entry.origin !== 'assumed'),
    cassette.entries,
  );
  assert.throws(() => withUplink(cassette, 0), RangeError);
  assert.throws(() => withUplink(cassette, 1e9), RangeError);
});
