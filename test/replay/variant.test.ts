import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bridgeDefaults, bridgeProfile, brokerProfile } from '../../engine/index.ts';
import { UsageError } from '../../queries/index.ts';
import { BASELINE, type Header, nearest, parseVariant, setUp, variantKeys } from '../../replay/index.ts';

function header(changes: Partial<Header['bridge']> = {}): Header {
  return {
    type: 'header',
    schema: 1,
    start: '2026-11-22T04:53:18Z',
    duration_us: 1_000_000,
    bridge: {
      id: 'emqx1',
      release: '0.23.6',
      release_known_by: 'assumed',
      settings: { keepaliveS: 10, parallel: 4, quicInitialRttMs: 48_000, quicKeepaliveS: 30, retryQos0: false },
      origins: { keepaliveS: 'observed', quicKeepaliveS: 'assumed', quicIdleTimeoutS: 'assumed' },
      ...changes,
    },
    broker: { release: '5.8.2', release_known_by: 'assumed', settings: {}, origins: {} },
    incident: { cause: null, keepalive_disconnects: 0, period_s: null, dwell_s: null, disconnects: 0 },
  };
}

const set = (text: string, from = header()) => setUp(from, parseVariant(text));

function refused(text: string): UsageError {
  try {
    set(text);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error;
  }
  return assert.fail(`accepted: ${text}`);
}

/** Key, text, where it goes, and what it becomes there. */
const BRIDGE_KEYS: readonly (readonly [string, string, string, unknown])[] = [
  ['transport', 'tcp', 'transport', 'tcp'],
  ['keepalive', '30s', 'keepaliveS', 30],
  ['clean_start', 'false', 'cleanStart', false],
  ['proto_ver', '4', 'protocol', 4],
  ['parallel', '1', 'parallel', 1],
  ['max_parallel_processes', '8', 'maxParallelProcesses', 8],
  ['quic_qos_priority', '1', 'quicQosPriority', true],
  ['retry_qos_0', 'true', 'retryQos0', true],
  ['max_send_queue_len', '0', 'maxSendQueueLen', 0],
  ['max_recv_queue_len', '65535', 'maxRecvQueueLen', 65_535],
  ['resend_interval', '1000', 'resendIntervalMs', 1000],
  ['resend_wait', '500ms', 'resendWaitMs', 500],
  ['cancel_timeout', '3s', 'cancelTimeoutMs', 3000],
  ['backoff_max', '2m', 'backoffMaxS', 120],
  ['quic_keepalive', '0', 'quicKeepaliveS', 0],
  ['quic_idle_timeout', '1h', 'quicIdleTimeoutS', 3600],
  ['quic_discon_timeout', '20', 'quicDisconnectTimeoutS', 20],
  ['quic_handshake_timeout', '1500ms', 'quicHandshakeTimeoutS', 1.5],
];
const BROKER_KEYS: readonly (readonly [string, string, string, unknown])[] = [
  ['server_keepalive', '15s', 'serverKeepaliveS', 15],
  ['keepalive_multiplier', '1.25', 'keepaliveMultiplier', 1.25],
];

test("every key changes the setting it is named after, in that setting's unit", () => {
  for (const [key, text, field, value] of BRIDGE_KEYS)
    assert.equal((set(`${key}=${text}`).bridge.settings as unknown as Record<string, unknown>)[field], value, key);
  for (const [key, text, field, value] of BROKER_KEYS)
    assert.equal((set(`${key}=${text}`).broker.settings as unknown as Record<string, unknown>)[field], value, key);
  const tested = [...BRIDGE_KEYS, ...BROKER_KEYS].map(([key]) => key);
  assert.deepEqual(variantKeys().toSorted(), [...tested, 'nanomq', 'emqx', 'network'].toSorted());
});

test('a change leaves every other setting and the cassette as they are', () => {
  const from = header();
  const before = structuredClone(from);
  const baseline = setUp(from, BASELINE);
  const changed = set('keepalive=30s', from);
  assert.deepEqual(from, before);
  assert.deepEqual(changed.bridge.settings, { ...baseline.bridge.settings, keepaliveS: 30 });
  assert.deepEqual(changed.broker, baseline.broker);
  assert.deepEqual(changed.bridge.profile, baseline.bridge.profile);
});

test("what the cassette does not say comes from the release's defaults", () => {
  const { settings } = setUp(header(), BASELINE).bridge;
  assert.equal(settings.keepaliveS, 10);
  assert.equal(settings.backoffMaxS, bridgeDefaults('0.23.6', 'quic').backoffMaxS);
});

test('a number without a unit means the unit of nanomq.conf: seconds for keepalive, milliseconds for resend times', () => {
  for (const text of ['keepalive=30', 'keepalive=30s', 'keepalive=30000ms'])
    assert.equal(set(text).bridge.settings.keepaliveS, 30, text);
  for (const text of ['resend_interval=5000', 'resend_interval=5s'])
    assert.equal(set(text).bridge.settings.resendIntervalMs, 5000, text);
});

test('several changes are joined by commas, blanks around them do not count, the last of two wins', () => {
  const setup = set(' keepalive = 30s ,, parallel=2,keepalive=20s');
  assert.equal(setup.bridge.settings.keepaliveS, 20);
  assert.equal(setup.bridge.settings.parallel, 2);
  assert.equal(parseVariant('a=1'.replace('a', 'parallel')).name, 'parallel=1');
});

test('a release is named 0.23.10, v0.23.10 or e5.10.3, and gets its own rules', () => {
  for (const text of ['nanomq=0.23.10', 'nanomq=v0.23.10']) {
    const setup = set(text);
    assert.equal(setup.nanomq, '0.23.10');
    assert.deepEqual(setup.bridge.profile, bridgeProfile('0.23.10', 'quic').profile);
    assert.deepEqual(setup.notes, []);
  }
  const broker = set('emqx=e5.10.3');
  assert.equal(broker.emqx, '5.10.3');
  assert.deepEqual(broker.broker.profile, brokerProfile('5.10.3').profile);
  assert.equal(broker.nanomq, '0.23.6', 'the bridge stays as it was');
});

test('TCP gets the rules of the TCP client of the same release', () => {
  assert.deepEqual(set('transport=tcp').bridge.profile, bridgeProfile('0.23.6', 'tcp').profile);
});

test('a release that no table row covers is replayed with the nearest rules, and a note says so', () => {
  const setup = set('nanomq=0.1.0');
  assert.equal(setup.nanomq, '0.1.0');
  assert.equal(setup.notes.length, 1);
  assert.match(setup.notes[0] ?? '', /0\.1\.0/);
  assert.match(set('emqx=3.1').notes[0] ?? '', /3\.1/);
});

test('the unit bug of quic_initial_rtt_ms is gone as soon as the release moves to 0.24.9 or later', () => {
  // 800ms in the file was 48000 in force up to 0.24.8 (D11).
  assert.equal(setUp(header(), BASELINE).bridge.settings.quicInitialRttMs, 48_000);
  assert.equal(set('nanomq=0.24.9').bridge.settings.quicInitialRttMs, 800);
  assert.equal(set('nanomq=0.24.10').bridge.settings.quicInitialRttMs, 800);
  assert.equal(set('nanomq=0.25.1').bridge.settings.quicInitialRttMs, 800);
});

test('the unit bug of quic_initial_rtt_ms stays in a release that still has it', () => {
  for (const release of ['0.23.10', '0.24.8'])
    assert.equal(set(`nanomq=${release}`).bridge.settings.quicInitialRttMs, 48_000, release);
});

test('in the other direction too, a release with the unit bug reads the same file its own way', () => {
  const from = header({ release: '0.24.11', settings: { quicInitialRttMs: 800, quicMaxAckDelayMs: 100 } });
  const { settings } = set('nanomq=0.23.10', from).bridge;
  assert.deepEqual([settings.quicInitialRttMs, settings.quicMaxAckDelayMs], [48_000, 6_000]);
  assert.equal(set('nanomq=0.25.1', from).bridge.settings.quicInitialRttMs, 800);
});

test('the ack delay is read again like the initial RTT, and kept below the limit of the newer release', () => {
  const from = (quicMaxAckDelayMs: number) => header({ settings: { quicMaxAckDelayMs } });
  assert.equal(set('nanomq=0.24.9', from(6_000)).bridge.settings.quicMaxAckDelayMs, 100);
  assert.equal(set('nanomq=0.24.9', from(1_200_000)).bridge.settings.quicMaxAckDelayMs, 16_000);
});

test('settings that were only assumed follow the new release, observed ones stay', () => {
  const assumed = set('nanomq=0.24.10').bridge.settings;
  assert.equal(assumed.quicKeepaliveS, bridgeDefaults('0.24.10', 'quic').quicKeepaliveS);
  assert.notEqual(assumed.quicKeepaliveS, 30);
  const observed = set('nanomq=0.24.10', header({ origins: { quicKeepaliveS: 'observed' } })).bridge.settings;
  assert.equal(observed.quicKeepaliveS, 30);
  assert.equal(assumed.keepaliveS, 10);
});

test('an initial RTT that is no product of the unit bug is kept in every release', () => {
  for (const quicInitialRttMs of [800, 12_345]) {
    const from = header({ settings: { quicInitialRttMs } });
    assert.equal(set('nanomq=0.25.1', from).bridge.settings.quicInitialRttMs, quicInitialRttMs);
  }
  const fixedAlready = header({ release: '0.24.10', settings: { quicInitialRttMs: 48_000 } });
  assert.equal(set('nanomq=0.25.1', fixedAlready).bridge.settings.quicInitialRttMs, 48_000);
});

test('a value that the user gives is kept although the release changes', () => {
  const order = ['nanomq=0.24.10,quic_keepalive=45s', 'quic_keepalive=45s,nanomq=0.24.10'];
  for (const text of order) assert.equal(set(text).bridge.settings.quicKeepaliveS, 45, text);
});

test('an unknown key is a usage error that lists the keys and suggests the nearest', () => {
  const error = refused('keepaliv=30s');
  assert.equal(error.code, 'unknown-key');
  assert.equal(error.exitCode, 2);
  assert.match(error.hint ?? '', /^Did you mean keepalive\? Known: nanomq, /);
  assert.match(refused('nanmq=0.23.10').hint ?? '', /Did you mean nanomq\?/);
  assert.doesNotMatch(refused('colour=red').hint ?? '', /Did you mean/);
  assert.equal(refused('constructor=1').code, 'unknown-key');
  assert.equal(refused('__proto__=1').code, 'unknown-key');
});

test('a change without a key, a value or any content is a usage error', () => {
  for (const text of ['', ' ', ',', 'keepalive', '=30s', 'nanomq 0.23.10'])
    assert.equal(refused(text).code, 'bad-change', text);
});

test('a value that does not fit its key is a usage error that says what would', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['keepalive=', /a duration such as 30s/],
    ['keepalive=abc', /a duration such as 30s/],
    ['keepalive=-5', /a duration such as 30s/],
    ['keepalive=1.5s', /a duration such as 30s/],
    ['keepalive=30 s', /a duration such as 30s/],
    ['keepalive=8d', /a duration such as 30s/],
    ['keepalive=169h', /a week at most/],
    ['keepalive=99999999999999999999', /a week at most/],
    ['parallel=0', /from 1 to 65535/],
    ['parallel=1.5', /from 1 to 65535/],
    ['parallel=', /from 1 to 65535/],
    ['max_send_queue_len=', /from 0 to 65535/],
    ['max_send_queue_len=65536', /from 0 to 65535/],
    ['clean_start=yes', /true or false/],
    ['proto_ver=3', /4 or 5/],
    ['transport=websocket', /quic or tcp/],
    ['keepalive_multiplier=x', /a number of 0 or more/],
    ['keepalive_multiplier=Infinity', /a number of 0 or more/],
    ['nanomq=latest', /a release such as/],
    ['nanomq=0', /a release such as/],
    ['emqx=', /a release such as/],
  ];
  for (const [text, message] of cases) {
    const error = refused(text);
    assert.equal(error.code, 'bad-value', text);
    assert.match(error.message, message, text);
    assert.ok(error.message.startsWith(`${text}:`) || error.message.startsWith('release='), error.message);
  }
});

test('the nearest name differs by two letters at most', () => {
  assert.equal(nearest('keepalife', ['keepalive', 'parallel']), 'keepalive');
  assert.equal(nearest('keepxxx', ['keepalive']), null);
  assert.equal(nearest('x', []), null);
});
