/** NanoMQ's layouts: who owns which text of a console, lines without a header, syslog. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createParser,
  detectLayout,
  type LinePosition,
  LineSplitter,
  type LogRecord,
  type RawLine,
  type UnparsedLine,
} from '../../parsers/index.ts';
import { layoutCases } from './cases/nanomq-layouts.ts';
import { parseAll } from './parse.ts';

for (const { title, layout, lines, records, unparsed = [] } of layoutCases) {
  const raw: RawLine[] = [];
  let byteOffset = 0;
  for (const line of lines) {
    const given = typeof line === 'string' ? { text: line } : line;
    const byteLength = Buffer.byteLength(given.text) + 1;
    raw.push({ lineNo: raw.length + 1, byteOffset, byteLength, ...given });
    byteOffset += byteLength;
  }

  test(`${layout}: ${title}`, () => {
    const parsed = parse(raw);
    assert.deepEqual(
      parsed.lost.map((line) => line.text),
      unparsed,
    );
    assert.equal(parsed.records.length, records.length);
    records.forEach((expected, i) => {
      for (const key of Object.keys(expected) as (keyof LogRecord)[]) {
        assert.deepEqual(parsed.records[i]![key], expected[key], `record ${i}, ${key}`);
      }
    });
    const bytes = [...parsed.records, ...parsed.lost].reduce((sum, one) => sum + one.byteLength, 0);
    assert.equal(bytes, byteOffset);
  });

  test(`${layout}: ${title}: the same after an interruption anywhere`, () => {
    const whole = parse(raw);
    for (let stop = 0; stop <= raw.length; stop++) {
      const sink = collector();
      const parser = createParser(layout, sink);
      for (const line of raw.slice(0, stop)) parser.line(line);
      const { byteOffset: from } = parser.resumePoint();
      const rest = parse(raw.filter((line) => line.byteOffset >= from));
      const records = [...sink.records, ...rest.records];
      // A record that starts within a line cannot be read again from these lines: then the resume point is not its start.
      assert.ok(from === byteOffset || raw.some((line) => line.byteOffset === from) || unparsed.length > 0);
      if (unparsed.length === 0) assert.deepEqual(records, whole.records, `stopped after ${stop} lines`);
    }
  });

  function parse(from: readonly RawLine[]) {
    const sink = collector();
    const parser = createParser(layout, sink);
    for (const line of from) parser.line(line);
    parser.end();
    return sink;
  }
}

function collector() {
  const records: LogRecord[] = [];
  const unparsed: UnparsedLine[] = [];
  return {
    records,
    lost: unparsed,
    record: (r: LogRecord) => records.push(r),
    unparsed: (u: UnparsedLine) => unparsed.push(u),
  };
}

const SETTINGS = [
  '2025-01-02 03:04:05 [17] INFO  /b/conf.c:3729 f: bridge.mqtt.emqx.subscription: ',
  '2025-01-02 03:04:05 [17] INFO  /b/conf.c:3732 f: \t[1] remote topic:        down/#',
  '2025-01-02 03:04:05 [17] INFO  /b/conf.c:3738 f: \t[1] qos:          2',
  '2025-01-02 03:04:05 [17] INFO  /b/bridge.c:866 f: Bridge client connected! RC [0]',
];

test('a log that ends within a line is continued from the record it ended in', () => {
  const texts = layoutCases.flatMap(({ layout, lines }) =>
    layout === 'nanomq-syslog' ? [] : [lines.map((line) => (typeof line === 'string' ? line : line.text))],
  );
  for (const lines of [...texts, SETTINGS]) {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const whole = parseAll('nanomq-console', bytes);
    for (let cut = 1; cut < bytes.length; cut++) {
      const records: LogRecord[] = [];
      const unparsed: UnparsedLine[] = [];
      const parser = createParser('nanomq-console', {
        record: (r) => records.push(r),
        unparsed: (u) => unparsed.push(u),
      });
      let lastLine: LinePosition = { byteOffset: 0, lineNo: 1 };
      const splitter = new LineSplitter((line) => {
        lastLine = line;
        parser.line(line);
      });
      splitter.push(bytes.subarray(0, cut));
      splitter.end();
      const held = parser.resumePoint();
      const from = held.byteOffset < cut ? held : lastLine;
      const rest = parseAll('nanomq-console', bytes.subarray(from.byteOffset), from);
      const kept = records.filter((record) => record.byteOffset < from.byteOffset);
      const keptUnparsed = unparsed.filter((line) => line.byteOffset < from.byteOffset);
      assert.deepEqual([...kept, ...rest.records], whole.records, `cut at ${cut} of ${lines[0]}`);
      assert.deepEqual([...keptUnparsed, ...rest.unparsed], whole.unparsed, `cut at ${cut} of ${lines[0]}`);
    }
  }
});

test('messages without a header are syslog, if nothing else is there', () => {
  assert.equal(detectLayout(['hello', 'Bridge client connected! RC [0]'])?.layout, 'nanomq-syslog');
  assert.equal(detectLayout(['Bridge client connected! RC [0]', FILE_LINE])?.layout, 'nanomq-file');
  assert.equal(detectLayout(['path :/opt', 'acl deny', 'bad state!', '4711']), null);
});

const FILE_LINE = '2025-01-02 03:04:05 [17] INFO  /b/bridge.c:866: Bridge client connected! RC [0]';
