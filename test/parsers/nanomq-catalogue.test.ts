import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Attributes,
  emqxReleaseRange,
  hintOfRecord,
  nanomqCatalogue,
  RELEASES,
  releaseRange,
  renderNanomqMessage,
} from '../../parsers/index.ts';
import { parseAll } from './parse.ts';

test('every row has one field a conversion, and prints and parses back to its own event', () => {
  let rows = 0;
  for (const sheet of nanomqCatalogue) {
    for (const row of sheet.rows) {
      rows += 1;
      const conversions = row.format.replaceAll('%%', '').match(/%[-0-9.*]*(?:ll|l|z|h)*[a-zA-Z]/g) ?? [];
      assert.equal(row.fields.length, conversions.length, row.format);
      const fields: { [name: string]: string | number } = { ...row.constants };
      row.fields.forEach((name, i) => {
        const text = /s$/.test(conversions[i]!);
        if (name !== '') fields[name] = text ? `v${i}` : /p$/.test(conversions[i]!) ? '0x7f01' : i + 1;
      });
      const message = renderNanomqMessage(row.event, fields)!;
      const line = `2025-01-02 03:04:05 [17] INFO  /b/${sheet.files[0]}:1: ${message}\n`;
      const [record] = parseAll('nanomq-file', line).records;
      if (renderedByOtherFile(row.event, sheet.files)) continue;
      assert.equal(record!.event, row.event, message);
    }
  }
  assert.ok(rows > 500);
});

/** The renderer picks among all statements of an event; some events are printed by several files in different words. */
function renderedByOtherFile(event: string, files: readonly string[]): boolean {
  return nanomqCatalogue.some(
    (sheet) => !sheet.files.some((file) => files.includes(file)) && sheet.rows.some((row) => row.event === event),
  );
}

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
