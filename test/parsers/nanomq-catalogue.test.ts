/** The statements of NanoMQ: every row of the catalogue has a sample, and every sample comes out as its literal says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Attributes,
  EVENT_MEANINGS,
  emqxReleaseRange,
  hintOfRecord,
  nanomqCatalogue,
  RELEASES,
  releaseRange,
  renderNanomqMessage,
} from '../../parsers/index.ts';
import {
  matchCatalogue,
  searchAllFiles,
  searchCatalogue,
  searchStdout,
} from '../../parsers/nanomq/catalogue-search.ts';
import { codeCases, nearMisses } from './cases/nanomq-near-misses.ts';
import { parseAll } from './parse.ts';

/**
 * One line a sample: file (null: stdout), message, event, attributes. Messages are from real logs where one shows the statement,
 * else the format with values put in. A fifth member names a row that any text would fit and that is therefore never matched.
 */
type Sample = readonly [
  file: string | null,
  message: string,
  event: string | null,
  attributes: Attributes,
  row?: string,
];

const samples = readFileSync('test/parsers/cases/nanomq-samples.jsonl', 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Sample);

test('every sample gives its event and its typed fields', () => {
  for (const [file, message, event, attributes] of samples) {
    const found = file === null ? searchStdout(message) : searchCatalogue(file, message);
    assert.deepEqual([found?.event ?? null, found?.attributes ?? null], [event, attributes], `${file}: ${message}`);
  }
});

test('every row of the catalogue has a sample', () => {
  const covered = new Set<string>();
  for (const [file, message, , , row] of samples) {
    if (row !== undefined) covered.add(`${file} ${row}`);
    else if (file === null) covered.add(`stdout ${searchStdout(message)!.event}`);
    else covered.add(`${file} ${textOf(matchCatalogue(file, message)!.row.format)}`);
  }
  const bare: string[] = [];
  for (const { files, rows } of nanomqCatalogue) {
    for (const row of rows) {
      const key = row.searched === false ? row.event : textOf(row.format);
      const isCovered =
        files.length === 0 ? covered.has(`stdout ${row.event}`) : files.some((file) => covered.has(`${file} ${key}`));
      if (!isCovered) bare.push(`${files[0]}: ${row.format}`);
    }
  }
  assert.deepEqual(bare, []);
});

/** What a format prints, whatever the C type of its integers. */
function textOf(format: string): string {
  return format.trim().replace(/%(?:ll|l|z)?[diu]/g, '%d');
}

test('samples come out the same as lines of a file, of a console, and in colour', () => {
  const ofFiles = samples.filter(([file, , event]) => file !== null && event !== null);
  const layouts = [
    ['nanomq-file', (file: string) => `2025-01-02 03:04:05 [17] INFO  /b/${file}:1: `],
    ['nanomq-console', (file: string) => `2025-01-02 03:04:05 [17] INFO  D:\\b\\${file}:1 some_function: `],
    [
      'nanomq-console',
      (file: string) => `2025-01-02 03:04:05 [17] \x1b[32mINFO \x1b[0m \x1b[0m/b/${file}:1 \x1b[0m f: `,
    ],
  ] as const;
  for (const [layout, head] of layouts) {
    const text = ofFiles.map(([file, message]) => `${head(file!)}${message}\n`).join('');
    const { records, unparsed } = parseAll(layout, text);
    assert.deepEqual(unparsed, []);
    assert.equal(records.length, ofFiles.length);
    ofFiles.forEach(([file, message, event, attributes], i) => {
      assert.deepEqual(
        [records[i]!.event, records[i]!.attributes],
        [event, attributes],
        `${layout}: ${file}: ${message}`,
      );
    });
  }
});

test('a message in parts is the message', () => {
  for (const [file, message, event] of samples) {
    if (file === null || event === null) continue;
    const found = matchCatalogue(file, message)!;
    let slot = 0;
    const rebuilt = found.parts.map((part) => (part.kind === 'literal' ? part.text : found.raw[slot++]!)).join('');
    assert.equal(rebuilt, message.trim());
    assert.equal(found.values.length, found.raw.length);
  }
});

for (const [file, message, event, why] of nearMisses) {
  test(`near miss: ${why}`, () => assert.equal(searchCatalogue(file, message)?.event ?? null, event));
}

test('codes have names', () => {
  for (const [file, message, attributes] of codeCases) {
    const found = matchCatalogue(file, message)!;
    assert.deepEqual(found.derived, attributes, message);
  }
});

test('without a file, a text that two statements share names no event unless the level tells', () => {
  assert.equal(searchAllFiles('aio begin failed 7', null), null);
  assert.equal(searchAllFiles('decode message failed.', 'error'), null);
  assert.equal(searchAllFiles('Bridge client connected! RC [0]', 'info')?.event, 'bridge_connected');
  assert.equal(searchAllFiles('NULL msg detected in send_cb', 'trace'), null);
});

test('rows are sound: one field a conversion, codes of their own fields, known events in the meanings', () => {
  const events = new Set<string>();
  let rows = 0;
  for (const sheet of nanomqCatalogue) {
    for (const row of sheet.rows) {
      rows += 1;
      events.add(row.event);
      const conversions = row.format.replaceAll('%%', '').match(/%[-0-9.*]*(?:ll|l|z|h)*[a-zA-Z]/g) ?? [];
      assert.equal(row.fields.length, conversions.length, row.format);
      assert.match(row.event, /^[a-z][a-z0-9_]*$/);
      assert.match(row.versions, /^≤?0\.\d+\.\d+(?:–0\.\d+\.\d+)?$/);
      for (const name of row.fields) assert.match(name, /^(?:[a-z][a-z0-9_]*)?$/);
      for (const name of Object.keys(row.codes ?? {})) assert.ok(row.fields.includes(name), row.format);
    }
  }
  assert.ok(rows > 900);
  for (const event of Object.keys(EVENT_MEANINGS)) assert.ok(events.has(event), event);
});

test('renders the text of the release asked for', () => {
  const fields: Attributes = { sock_ptr: '0x1', keepalive_ms: 10_000, qos_sent: 1, qos_acked: 2, qos0_sent: 3 };
  assert.equal(renderNanomqMessage('ping_sent', fields, '0.23.1'), 'Send pingreq (sock0x1)(10000ms)');
  assert.equal(
    renderNanomqMessage('ping_sent', fields, '0.23.10'),
    'Send pingreq (sock0x1)(10000ms), qos sent1 acked2 q03',
  );
  assert.equal(renderNanomqMessage('no_such_event', {}), null);
});

test('source lines narrow the release', () => {
  const range = releaseRange([
    { file: 'mqtt_quic_client.c', line: 829, event: 'ping_sent', lineNo: 5 },
    { file: 'bridge.c', line: 876, event: 'bridge_connected' },
    { file: 'bridge.c', line: 1, event: 'bridge_connected' },
    { file: null, line: null, event: null },
  ]);
  assert.deepEqual(range?.releases, ['0.23.3', '0.23.4', '0.23.5', '0.23.6']);
  assert.equal(range?.restsOn.length, 2);
  assert.equal(releaseRange([]), null);
  const contradiction = [
    { file: 'mqtt_quic_client.c', line: 829, event: 'ping_sent' },
    { file: 'bridge.c', line: 940, event: 'bridge_connected' },
  ];
  assert.equal(releaseRange(contradiction), null);
  assert.equal(RELEASES[0], '0.22.10');
});

test('shapes of lines narrow the EMQX release', () => {
  const time = '2024-12-16T02:13:14.221000+00:00';
  const old = `${time} [debug] msg: mqtt_packet_sent, mfa: emqx_connection:serialize/1(880), packet: PUBLISH(Q0, R0, D0, Topic=t, PacketId=undefined, Payload=x), tag: MQTT\n`;
  const young = `${time} [debug] tag: MQTT, clientid: c, msg: mqtt_packet_sent, packet: PUBLISH(Q0, R0, D0, Topic=t, PacketId=undefined, Payload(text)=x)\n`;
  const hints = (text: string) => parseAll('emqx-text', text).records.flatMap(hintOfRecord);
  assert.deepEqual([emqxReleaseRange(hints(old))?.from, emqxReleaseRange(hints(old))?.to], ['5.3.0', '5.5.x']);
  assert.equal(emqxReleaseRange(hints(young))?.from, '5.8.2');
  assert.equal(emqxReleaseRange(hints(old + young)), null);
});
