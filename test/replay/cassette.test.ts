import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CassetteError } from '../../queries/index.ts';
import { type Cassette, type Entry, fidelity, type Header, parseCassette, printCassette } from '../../replay/index.ts';

const HEADER: Header = {
  type: 'header',
  schema: 1,
  start: '2026-11-22T04:53:18.000000+00:00',
  duration_us: 10_000_000,
  bridge: {
    id: 'emqx1',
    release: '0.23.6',
    release_known_by: 'assumed',
    settings: { keepaliveS: 10, parallel: 4, cleanStart: true, subscriptions: [{ topic: 'down/#', qos: 0 }] },
    origins: { keepaliveS: 'observed' },
  },
  broker: { release: '5.8.2', release_known_by: 'assumed', settings: {}, origins: {} },
  link: { delay_ms: 20, jitter_ms: 1, loss: 0.001, broker_down: 'refused' },
  incident: { cause: 'stuck-busy', keepalive_disconnects: 5, period_s: 20.9, dwell_s: 20, disconnects: 6 },
};

const ENTRIES: readonly Entry[] = [
  { at: 0, type: 'network', down: false, delay_ms: 5, jitter_ms: 0.5, loss: 0.01, origin: 'assumed', why: 'a guess' },
  { at: 0, type: 'publish', topic: 'up/é "1"', qos: 1, size: 0, origin: 'observed', source: 'nanomq.log', line: 101 },
  { at: 7, type: 'downlink', topic: 'down/1', qos: 2, size: 268_435_455, origin: 'inferred', why: 'a rule' },
  { at: 8, type: 'broker-stop', origin: 'observed' },
  { at: 8, type: 'broker-start', origin: 'observed' },
  { at: 9, type: 'rival-connect', origin: 'observed' },
  { at: 9, type: 'kick', origin: 'observed' },
  { at: 9, type: 'broker-kill', origin: 'observed' },
  { at: 9, type: 'broker-pause', origin: 'observed' },
  { at: 9, type: 'broker-resume', origin: 'observed' },
  { at: 9, type: 'nat-rebind', origin: 'observed' },
  { at: 9, type: 'network', from: 'bridge', rate_bytes_per_s: 4_000, queue_bytes: 0, hold: true, origin: 'inferred' },
  { at: 9, type: 'refuse', reason_code: 135, origin: 'observed' },
  { at: 9, type: 'refuse', reason_code: null, origin: 'observed' },
  { at: 10_000_000, type: 'choice', what: 'redial', ms: 740, origin: 'observed' },
];

const SMALL: Cassette = { header: HEADER, entries: ENTRIES };

test('a printed cassette reads back as the same cassette, one line an entry', () => {
  const text = printCassette(SMALL);
  assert.equal(text.split('\n').length, 1 + ENTRIES.length + 1);
  assert.deepEqual(parseCassette(text, 'x.cassette'), SMALL);
  assert.equal(printCassette(parseCassette(text, 'x.cassette')), text);
});

test('a cassette edited by hand may have blank lines, Windows line ends and no line end at its end', () => {
  const text = printCassette(SMALL).trimEnd().replaceAll('\n', '\r\n\r\n');
  assert.deepEqual(parseCassette(text, 'x.cassette'), SMALL);
});

/** The error of a cassette whose line `line` (from 1) is replaced by `text`. */
function errorOf(line: number, text: string | object): CassetteError {
  const lines = printCassette(SMALL).trimEnd().split('\n');
  lines[line - 1] = typeof text === 'string' ? text : JSON.stringify(text);
  try {
    parseCassette(lines.join('\n'), 'folder/x.cassette');
  } catch (error) {
    assert.ok(error instanceof CassetteError, String(error));
    return error;
  }
  return assert.fail(`accepted: ${lines[line - 1]}`);
}

function assertRefused(line: number, text: string | object, message: RegExp): void {
  const error = errorOf(line, text);
  assert.match(error.message, message);
  assert.ok(error.message.startsWith(`folder/x.cassette:${line}: `), error.message);
  assert.equal(error.code, 'cassette-invalid');
  assert.equal(error.exitCode, 4);
  assert.deepEqual(
    { file: error.details.file, line: error.details.line },
    { file: 'folder/x.cassette', line },
    'a program finds the place in the details',
  );
}

test('what is no JSON object is refused with file and line', () => {
  for (const text of ['{"at":1', 'publish', '[1]', '1', 'null', '"x"']) assertRefused(3, text, /not a JSON object/);
  assertRefused(1, '', /not a JSON object/);
});

test('an empty file is refused at its first line', () => {
  assert.throws(() => parseCassette('', 'empty'), { message: /^empty:1: This line is not a JSON object/ });
});

test('the first line must be a header of a schema that this version reads', () => {
  assertRefused(1, ENTRIES[1]!, /first line of a cassette is its header/);
  assertRefused(1, { ...HEADER, schema: 2 }, /has schema 2; this bridgetrace reads schema 1/);
  assertRefused(1, { ...HEADER, schema: undefined }, /has schema undefined/);
});

test('a header with a part missing or of another kind says which', () => {
  const { bridge, broker, incident } = HEADER;
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ duration_us: undefined }, /duration_us, a positive whole number/],
    [{ duration_us: 0 }, /duration_us/],
    [{ duration_us: 1.5 }, /duration_us/],
    [{ duration_us: 2 ** 60 }, /duration_us/],
    [{ bridge: undefined }, /needs bridge\./],
    [{ broker: 5 }, /needs broker\./],
    [{ bridge: { ...bridge, release: undefined } }, /bridge\.release/],
    [{ bridge: { ...bridge, release: 'banana' } }, /bridge\.release/],
    [{ broker: { ...broker, release: 5.8 } }, /broker\.release/],
    [{ bridge: { ...bridge, settings: undefined } }, /bridge\.settings/],
    [{ broker: { ...broker, settings: [] } }, /broker\.settings/],
    [{ bridge: { ...bridge, id: undefined } }, /bridge\.id/],
    [{ incident: undefined }, /needs incident/],
    [{ link: 5 }, /link of the header must be an object/],
    [{ link: { delay_ms: -1 } }, /link\.delay_ms must be a number of 0 or more/],
    [{ link: { loss: 2 } }, /link\.loss must be a share/],
    [{ link: { broker_down: 'icmp' } }, /link\.broker_down must be "silent" or "refused"/],
    [{ link: { rate: 5 } }, /link\.rate is not known: delay_ms/],
  ];
  for (const [change, message] of cases) assertRefused(1, { ...HEADER, ...change }, message);
  // Numbers that are missing would be equal to anything: such a baseline would always count as reproduced.
  for (const [change, message] of [
    [{ cause: undefined }, /incident\.cause/],
    [{ keepalive_disconnects: undefined }, /incident\.keepalive_disconnects/],
    [{ keepalive_disconnects: '5' }, /incident\.keepalive_disconnects/],
    [{ disconnects: -1 }, /incident\.disconnects/],
    [{ period_s: undefined }, /incident\.period_s/],
    [{ dwell_s: 'x' }, /incident\.dwell_s/],
  ] as const)
    assertRefused(1, { ...HEADER, incident: { ...incident, ...change } }, message);
});

test('a setting of the wrong kind is refused by name instead of breaking the replay', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ keepaliveS: '10' }, /bridge\.settings\.keepaliveS must be a number/],
    [{ keepaliveS: null }, /keepaliveS must be a number/],
    [{ keepaliveS: -1 }, /keepaliveS must be a number of 0 or more/],
    [{ resendWaitMs: 1e300 }, /resendWaitMs/],
    [{ cleanStart: 1 }, /cleanStart must be true or false/],
    [{ clientId: 7 }, /clientId must be a text/],
    [{ transport: 'carrier pigeon' }, /transport must be "quic" or "tcp"/],
    [{ protocol: 3 }, /protocol must be 4 or 5/],
    [{ parallel: 0 }, /parallel must be a whole number of 1 or more/],
    [{ subscriptions: 5 }, /subscriptions must be a list/],
    [{ subscriptions: [{ topic: 'a', qos: 3 }] }, /subscriptions must be a list/],
  ];
  for (const [settings, message] of cases)
    assertRefused(1, { ...HEADER, bridge: { ...HEADER.bridge, settings } }, message);
  assertRefused(
    1,
    { ...HEADER, broker: { ...HEADER.broker, settings: { serverKeepaliveS: 'x' } } },
    /broker\.settings\.serverKeepaliveS/,
  );
});

test('every kind of entry is held to its own fields', () => {
  const publish = ENTRIES[1]!;
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ ...publish, at: undefined }, /needs at/],
    [{ ...publish, at: -1 }, /needs at/],
    [{ ...publish, at: 0.5 }, /needs at/],
    [{ ...publish, at: 2 ** 53 }, /needs at/],
    [{ ...publish, at: '0' }, /needs at/],
    [{ ...publish, origin: 'guessed' }, /needs origin: observed, inferred or assumed/],
    [{ ...publish, origin: undefined }, /needs origin/],
    [{ ...publish, type: 'pulbish' }, /type "pulbish" is not known: .*publish, downlink/],
    [{ ...publish, type: undefined }, /is not known/],
    [{ ...publish, topic: '' }, /needs a topic/],
    [{ ...publish, topic: 1 }, /needs a topic/],
    [{ ...publish, qos: 3 }, /qos 0, 1 or 2/],
    [{ ...publish, qos: '1' }, /qos 0, 1 or 2/],
    [{ ...publish, qos: undefined }, /qos 0, 1 or 2/],
    [{ ...publish, size: -1 }, /size: payload bytes/],
    [{ ...publish, size: 1.5 }, /size: payload bytes/],
    [{ ...publish, size: 268_435_456 }, /size: payload bytes/],
    [{ ...publish, size: undefined }, /size: payload bytes/],
    [{ at: 0, origin: 'assumed', type: 'network', down: 'yes' }, /down of a network/],
    [{ at: 0, origin: 'assumed', type: 'network', delay_ms: -5 }, /delay_ms of a network/],
    [{ at: 0, origin: 'assumed', type: 'network', jitter_ms: 'x' }, /jitter_ms of a network/],
    [{ at: 0, origin: 'assumed', type: 'network', loss: 1.5 }, /loss of a network must be a share/],
    [{ at: 0, origin: 'assumed', type: 'network', from: 'nanomq' }, /from of a network must be "bridge" or "broker"/],
    [{ at: 0, origin: 'assumed', type: 'network', rate_bytes_per_s: 0.5 }, /rate_bytes_per_s of a network/],
    [{ at: 0, origin: 'assumed', type: 'network', queue_bytes: -1 }, /queue_bytes of a network/],
    [{ at: 0, origin: 'assumed', type: 'network', hold: 1 }, /hold of a network must be true or false/],
    [{ at: 0, origin: 'assumed', type: 'network', delay: 5 }, /delay of a network is not known: from, down, delay_ms/],
    [{ at: 0, origin: 'assumed', type: 'refuse' }, /refuse needs reason_code/],
    [{ at: 0, origin: 'assumed', type: 'refuse', reason_code: 5 }, /refuse needs reason_code/],
    [{ at: 0, origin: 'assumed', type: 'refuse', reason_code: 256 }, /refuse needs reason_code/],
    [{ at: 0, origin: 'assumed', type: 'broker-hang' }, /"broker-hang" is not known: .*broker-pause/],
    [{ at: 0, origin: 'assumed', type: 'choice', what: 'redial' }, /choice needs what/],
    [{ at: 0, origin: 'assumed', type: 'choice', what: 'receive-lost', ms: 1 }, /choice needs what/],
    [{ at: 0, origin: 'assumed', type: 'choice', what: 'dial', ms: 1 }, /choice needs what/],
    [{ at: 0, origin: 'assumed', type: 'choice', what: 'redial', ms: 1e300 }, /choice needs what/],
  ];
  for (const [entry, message] of cases) assertRefused(3, entry, message);
});

test('time must not go backwards nor past the end: the second of the two lines is named', () => {
  assertRefused(5, { ...ENTRIES[3]!, at: 6 }, /in order of time/);
  assertRefused(ENTRIES.length + 1, { ...ENTRIES.at(-1)!, at: 10_000_001 }, /after the end of the cassette/);
});

test('the line number counts blank lines', () => {
  const text = `${JSON.stringify(HEADER)}\n\n\n{"at":0}\n`;
  assert.throws(() => parseCassette(text, 'f'), { message: /^f:4: / });
});

test('fidelity is the share of each origin among the entries, not counting choices', () => {
  assert.deepEqual(fidelity(SMALL), { observed: 11 / 14, inferred: 2 / 14, assumed: 1 / 14 });
  const onlyChoices = { header: HEADER, entries: ENTRIES.slice(-1) };
  assert.deepEqual(fidelity(onlyChoices), { observed: 0, inferred: 0, assumed: 0 });
});
