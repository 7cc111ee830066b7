/** Each collector with each layout: the records are those of the bare log, and say what the collector said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord } from '../../parsers/index.ts';
import { LOGGED_LAYOUTS, LOGS, WRAPPINGS } from './cases/wrappers.ts';
import { byteSum, type ReadPart, readStream } from './read-stream.ts';

/** What a record says, without where it stood. */
function said({ lineNo: _l, byteOffset: _o, byteLength: _b, envelope: _e, ...rest }: LogRecord): object {
  return rest;
}

function only(input: string): ReadPart {
  const read = readStream(input);
  assert.ok(read !== null, 'not recognised');
  assert.equal(read.parts.length, 1);
  assert.equal(byteSum(read.parts), Buffer.byteLength(input));
  return read.parts[0]!;
}

for (const { title, wrap, envelope, namesService } of WRAPPINGS) {
  for (const layout of LOGGED_LAYOUTS) {
    test(`${title}: ${layout}`, () => {
      const lines = LOGS[layout];
      const bare = only(`${lines.join('\n')}\n`);
      const wrapped = only(`${lines.map((line) => wrap(line, 'broker-1')).join('\n')}\n`);
      assert.equal(wrapped.detection.layout, layout);
      assert.match(wrapped.detection.evidence, /^line 1 .*, behind /);
      assert.equal(wrapped.label, namesService ? envelope.service : '');
      assert.deepEqual(wrapped.records.map(said), bare.records.map(said));
      for (const record of wrapped.records) assert.deepEqual(record.envelope, envelope);
      assert.deepEqual(wrapped.unparsed, []);
    });
  }
}

for (const layout of LOGGED_LAYOUTS) {
  test(`no collector is seen in a bare log: ${layout}`, () => {
    const part = only(LOGS[layout].join('\r\n'));
    assert.equal(part.detection.layout, layout);
    assert.doesNotMatch(part.detection.evidence, /behind/);
    for (const record of part.records) {
      assert.equal(record.envelope, undefined);
      // Two threads wrote into one line of this console; nothing else is unusual.
      assert.deepEqual(record.flags ?? [], record.flags === undefined ? [] : ['interleaved']);
    }
  });
}

const FILE = LOGS['nanomq-file'];

test('a line that docker cut into parts is joined, and stderr in between waits for it', () => {
  const entry = (log: string, stream: string) => JSON.stringify({ log, stream, time: '2026-11-22T05:00:00Z' });
  const long = `${FILE[0]}${'x'.repeat(40_000)}`;
  const input = [
    entry(`${FILE[1]}\n`, 'stdout'),
    entry(long.slice(0, 16_384), 'stdout'),
    entry(`${FILE[2]}\n`, 'stderr'),
    entry(long.slice(16_384, 32_768), 'stdout'),
    entry(`${long.slice(32_768)}\n`, 'stdout'),
    entry(`${FILE[4]}\n`, 'stdout'),
  ].join('\n');
  const { records } = only(input);
  assert.deepEqual(
    records.map((one) => [one.lineNo, one.head + one.body, one.envelope?.stream, one.flags]),
    [
      [1, FILE[1], 'stdout', undefined],
      [2, long, 'stdout', undefined],
      [3, FILE[2], 'stderr', undefined],
      [6, FILE[4], 'stdout', undefined],
    ],
  );
});

test('a part whose rest never comes is marked', () => {
  const { records } = only(
    [FILE[0], FILE[2]].map((line, i) => `2026-11-22T05:00:00Z stdout ${'FP'[i]} ${line}`).join('\n'),
  );
  assert.deepEqual(
    records.map((one) => one.flags),
    [undefined, ['cut']],
  );
});

test('a damaged entry of a JSON wrapper is kept as unparsed', () => {
  const wrap = WRAPPINGS.find((one) => one.title === 'docker json-file')!.wrap;
  const lines = [...FILE.map((line) => wrap(line, '')), wrap(FILE[0], '').slice(0, 60), wrap(FILE[1], '')];
  const { unparsed, records } = only(lines.join('\n'));
  assert.deepEqual(
    unparsed.map((one) => [one.lineNo, one.reason]),
    [[6, 'bad-envelope']],
  );
  assert.equal(records.length, 5);
});

test('a message of several lines in the journal is one record', () => {
  const prefix = 'Nov 02 05:00:00 edge-7 emqx[912]: ';
  const input = [
    '-- Logs begin at Sun 2026-11-22 05:00:00 UTC. --',
    `${prefix}2026-11-22T04:58:00.677107+00:00 [error] crasher:`,
    `${' '.repeat(prefix.length)}  initial call: x`,
    `${' '.repeat(prefix.length)}  pid: y`,
    `${prefix}2026-11-22T04:58:00.687076+00:00 [notice] msg: Starting mria`,
  ].join('\n');
  const { records, unparsed } = only(input);
  assert.deepEqual(
    records.map((one) => [one.lineNo, one.continuations, one.body]),
    [
      [2, 2, 'crasher:\n  initial call: x\n  pid: y'],
      [5, 0, 'msg: Starting mria'],
    ],
  );
  assert.deepEqual(
    unparsed.map((one) => one.reason),
    ['collector-note'],
  );
});

test('rsyslog writes control characters by their number', () => {
  const { records } = only(`Nov  2 05:00:00 h nanomq: ${FILE[2]}#012\n`);
  assert.equal(records[0]!.head + records[0]!.body, FILE[2]);
  assert.equal(records[0]!.event, 'cached_msg_lost');
});

test('a stamp without a year is of the last year in which it is not later than the file', () => {
  const line = (stamp: string) => `<27>${stamp} h nng-nanomq[912]: Bridge client connected! RC [0]\n`;
  const times = (input: string, file: string) =>
    readStream(input, { writtenUntilUs: Date.parse(file) * 1000 })!.parts[0]!.records.map(
      ({ ts }) => ts && new Date(ts / 1000).toISOString(),
    );
  assert.deepEqual(times(line('Dec 31 23:59:59') + line('Jan  1 00:00:01.250000'), '2026-01-01T00:00:02Z'), [
    '2025-12-31T23:59:59.000Z',
    '2026-01-01T00:00:01.250Z',
  ]);
  // A clock ahead of the file's, by less than a day.
  assert.deepEqual(times(line('Jan  1 07:00:00'), '2025-12-31T23:00:00Z'), ['2026-01-01T07:00:00.000Z']);
  assert.deepEqual(times(line('Jan  1 07:00:00'), '2025-12-30T23:00:00Z'), ['2025-01-01T07:00:00.000Z']);
  assert.deepEqual(times(line('Feb 29 10:00:00'), '2027-03-01T00:00:00Z'), ['2024-02-29T10:00:00.000Z']);
  assert.deepEqual(times(line('Feb 30 10:00:00'), '2027-03-01T00:00:00Z'), [null]);
  assert.equal(readStream(line('Dec 31 23:59:59'))!.parts[0]!.records[0]!.ts, null);
});

test('NanoMQ in syslog has no header', () => {
  const read = readStream('<27>Nov  2 05:00:00 h nng-nanomq[912]: Bridge client connected! RC [0]\n');
  assert.equal(read?.parser.detection.layout, 'nanomq-syslog');
  assert.match(read!.parser.detection.evidence, /^line 1 is from the program nng-nanomq/);
});

test('colours at the ends of a line are taken off', () => {
  const { records } = only(`\x1b[0m${FILE[0]}\n\x1b[33m${FILE[4]}\x1b[0m\n`);
  assert.deepEqual(
    records.map((one) => one.head + one.body),
    [FILE[0], FILE[4]],
  );
});

test('a blank that an editor cut from the end of a prefix is not missed', () => {
  const input = `n-1  | ${FILE[2]}\nn-1  |\nn-1  | ${FILE[4]}\n`;
  assert.deepEqual(
    only(input).records.map((one) => one.continuations),
    [1, 0],
  );
});
