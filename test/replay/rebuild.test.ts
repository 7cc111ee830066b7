import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { InputError, OBSERVED, UsageError } from '../../queries/index.ts';
import { type Cassette, type Entry, fidelity, parseCassette, printCassette, rebuild } from '../../replay/index.ts';
import { exampleCassette, exampleLogs, incident, infoLevel, startOf } from './example.ts';

const cassette = await exampleCassette();
const logs = exampleLogs();

const ofType = <Type extends Entry['type']>(type: Type, from: Cassette = cassette) =>
  from.entries.filter((entry): entry is Extract<Entry, { type: Type }> => entry.type === type);

test('every "bridge: publish to" line of the log becomes one publish, in order and with its topic', () => {
  const lines = logs['nanomq.log'].flatMap((line, index) => {
    const topic = /bridge: publish to '(.*)'$/.exec(line)?.[1];
    return topic === undefined ? [] : [{ line: index + 1, topic }];
  });
  assert.ok(lines.length > 1000);
  assert.deepEqual(
    ofType('publish').map(({ line, topic }) => ({ line, topic })),
    lines,
  );
});

/** What the line of an observed entry must look like. */
function lineOf(entry: Entry): RegExp {
  switch (entry.type) {
    case 'publish':
      return /^\S+ \S+ \[\d+\] DEBUG .*bridge: publish to '/;
    case 'downlink':
      return /PUBLISH|msg: publish/i;
    case 'choice':
    case 'network':
      return /begin dialing!/;
    default:
      return assert.fail(`no line is known for ${entry.type}`);
  }
}

test('every entry that names a line names a line of its kind that is in the file', () => {
  const files = new Map<string, string[]>();
  const read = (file: string) => {
    const bytes = readFileSync(file);
    return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').split('\n');
  };
  for (const entry of cassette.entries) {
    if (entry.origin === 'observed') assert.ok(entry.source !== undefined && entry.line !== undefined, entry.type);
    if (entry.source === undefined) continue;
    const lines = files.get(entry.source) ?? read(entry.source);
    files.set(entry.source, lines);
    const line = lines[(entry.line ?? 0) - 1] ?? '';
    assert.match(line, lineOf(entry), `${entry.source}:${entry.line}`);
    if (entry.type === 'downlink' || entry.type === 'publish') assert.ok(line.includes(entry.topic), line);
  }
  assert.ok([...files.keys()].some((file) => file.endsWith('nanomq.log.gz')));
});

test('an entry lies within the second that its line is stamped with', () => {
  const start = startOf(cassette);
  // The bridge's clock is put onto the broker's: NanoMQ's stamps move by a constant, whole lines never by more than a second.
  const offsets = ofType('publish').map((entry) => {
    const stamp = (logs['nanomq.log'][(entry.line ?? 0) - 1] ?? '').slice(0, 19);
    return (start + entry.at) / 1e6 - Date.parse(`${stamp.replace(' ', 'T')}Z`) / 1000;
  });
  assert.ok(Math.max(...offsets) - Math.min(...offsets) <= 1, `${Math.min(...offsets)} to ${Math.max(...offsets)}`);
});

test('the origins of all entries add up, and an entry that is not observed says by which rule it was made', () => {
  const stimuli = cassette.entries.filter((entry) => entry.type !== 'choice');
  const shares = fidelity(cassette);
  const count = (origin: Entry['origin']) => stimuli.filter((entry) => entry.origin === origin).length;
  assert.equal(count('observed') + count('inferred') + count('assumed'), stimuli.length);
  assert.deepEqual(shares, {
    observed: count('observed') / stimuli.length,
    inferred: count('inferred') / stimuli.length,
    assumed: count('assumed') / stimuli.length,
  });
  for (const entry of stimuli) if (entry.origin !== 'observed') assert.ok(entry.why, JSON.stringify(entry));
});

test('entries are in order of time, within the length of the cassette, and pass its own format', () => {
  const text = printCassette(cassette);
  assert.deepEqual(parseCassette(text, 'x'), JSON.parse(JSON.stringify(cassette)));
  const last = cassette.entries.at(-1);
  assert.ok(last !== undefined && last.at <= cassette.header.duration_us);
});

test('settings that the boot dump prints are observed, with the values in the dump', () => {
  const dumped = (key: string) =>
    /:\s+(\S+)\s*$/.exec(logs['nanomq.log'].find((line) => line.includes(`bridge.mqtt.emqx1.${key}:`)) ?? '')?.[1];
  const { settings, origins } = cassette.header.bridge;
  const cases = [
    ['keepaliveS', 'keepalive'],
    ['backoffMaxS', 'backoff_max'],
    ['maxParallelProcesses', 'max_parallel_processes'],
    ['resendIntervalMs', 'resend_interval'],
    ['resendWaitMs', 'resend_wait'],
    ['cancelTimeoutMs', 'cancel_timeout'],
    ['quicKeepaliveS', 'quic_keepalive'],
    ['quicIdleTimeoutS', 'qidle_timeout'],
    ['quicDisconnectTimeoutS', 'quic_discon_timeout'],
    ['quicHandshakeTimeoutS', 'quic_handshake_timeout'],
    ['quicInitialRttMs', 'qinitial_rtt_ms'],
    ['protocol', 'proto_ver'],
  ] as const;
  for (const [field, key] of cases) {
    assert.equal(String(settings[field]), dumped(key), key);
    assert.equal(origins[field], 'observed', key);
  }
  assert.equal(settings.clientId, dumped('clientid'));
  assert.deepEqual(settings.subscriptions, [{ topic: 'down/#', qos: 0 }]);
});

test('every setting has an origin, and what no line shows is assumed', () => {
  const { settings, origins } = cassette.header.bridge;
  assert.deepEqual(Object.keys(origins).toSorted(), Object.keys(settings).toSorted());
  assert.equal(origins.maxSendQueueLen, 'assumed');
  assert.equal(origins.quicQosPriority, 'inferred');
});

test('an outage is inferred where the log shows CONNECTION_TIMEOUT: 20 s before it, until the dial that succeeded', () => {
  const timeouts = logs['nanomq.log'].filter((line) => line.includes('Shutdown on CONNECTION_TIMEOUT'));
  assert.equal(timeouts.length, 2, 'the example has one of a connection and one of a dial into the dead link');
  const noticed = Date.parse(`${timeouts[0]?.slice(0, 19).replace(' ', 'T')}Z`) / 1000;
  const start = startOf(cassette) / 1e6;
  const [down, up, ...more] = ofType('network');
  assert.deepEqual(more, []);
  assert.ok(down?.down === true && down.origin === 'inferred');
  assert.ok(Math.abs(start + down.at / 1e6 - (noticed - 20)) <= 1.5, `down at ${down.at}`);
  assert.match(down.why ?? '', /20 s after the first unacknowledged packet/);
  assert.ok(up?.down === false && up.origin === 'inferred');
  assert.match(logs['nanomq.log'][(up.line ?? 0) - 1] ?? '', /begin dialing!/);
  assert.ok(start + up.at / 1e6 > noticed, 'the link comes back after the bridge gave up');
});

test('the header says what the logs showed: the cause and its disconnects, without the one of the dead link', () => {
  const { incident: seen } = cassette.header;
  const broker = logs['emqx.log'].filter((line) =>
    /socket_force_closed.*nano-bridge-03a|nano-bridge-03a.*socket_force_closed/.test(line),
  );
  assert.equal(seen.cause, 'stuck-busy');
  assert.equal(seen.disconnects, broker.length);
  assert.equal(seen.keepalive_disconnects, broker.length - 1);
});

test('two rebuilds of the same logs give the same text, byte for byte', async () => {
  assert.equal(printCassette(await exampleCassette()), printCassette(cassette));
});

test('--from and --to cut the cassette: fewer entries, the same ones, counted from the new start', async (t) => {
  const database = await incident();
  t.after(() => database.close());
  const start = startOf(cassette);
  const from = start + 60e6;
  const part = await rebuild(database, { runId: OBSERVED, from, to: start + 120e6 });
  assert.equal(part.header.duration_us, 60e6);
  const expected = cassette.entries.filter((entry) => entry.at >= 60e6 && entry.at <= 120e6);
  assert.ok(expected.length > 0 && expected.length < cassette.entries.length);
  assert.deepEqual(
    part.entries.map(({ at, type, line }) => ({ at: at + 60e6, type, line })),
    expected.map(({ at, type, line }) => ({ at, type, line })),
  );
  await assert.rejects(rebuild(database, { runId: OBSERVED, from: start + 1e12 }), UsageError);
  await assert.rejects(rebuild(database, { runId: OBSERVED, clientId: 'nobody' }), InputError);
  await assert.rejects(rebuild(database, { runId: 'no such run' }), InputError);
});

test('logs at level info still give a cassette: the messages that lines tell of, those a queue took, and the rate of those without a line', async (t) => {
  const info = infoLevel(logs);
  assert.ok(!info['nanomq.log'].some((line) => line.includes('bridge: publish to')));
  const database = await incident(info);
  t.after(() => database.close());
  const thin = await rebuild(database, { runId: OBSERVED });
  assert.equal(thin.header.incident.cause, cassette.header.incident.cause);
  // The dump is at level info; only where the SUBSCRIBE went is not in these lines.
  const { quicQosPriority, ...settings } = thin.header.bridge.settings;
  const { quicQosPriority: _, ...dumped } = cassette.header.bridge.settings;
  assert.deepEqual(settings, dumped);
  assert.equal(quicQosPriority, false);
  assert.equal(thin.header.bridge.origins.quicQosPriority, 'assumed');
  const busy = info['nanomq.log'].flatMap((line, index) => (line.includes('aio busy!') ? [index + 1] : []));
  const offered = ofType('publish', thin);
  const lines = new Set(offered.map((entry) => entry.line));
  assert.ok(busy.length > 500);
  assert.deepEqual(
    busy.filter((line) => !lines.has(line)),
    [],
    'each busy line is one message that was offered',
  );
  // Whole seconds do not tell their place within a cycle, so none of them is observed.
  for (const rule of [
    /^a line shows it; its time is spread evenly/,
    /send queue of 64 filled/,
    /^the rate at which it was offered/,
  ])
    assert.ok(
      offered.some((entry) => entry.origin === 'inferred' && rule.test(entry.why ?? '')),
      String(rule),
    );
  assert.ok(offered.every((entry) => entry.origin === 'inferred'));
  const shown = ofType('publish').length;
  assert.ok(Math.abs(offered.length - shown) < 0.05 * shown, `${offered.length} of ${shown}`);
  assert.ok(fidelity(thin).inferred > fidelity(cassette).inferred);
  assert.deepEqual(
    ofType('network', thin).map(({ down, origin }) => ({ down, origin })),
    [
      { down: true, origin: 'inferred' },
      { down: false, origin: 'inferred' },
    ],
  );
});
