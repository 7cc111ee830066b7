/** `explain` knows lines, codes, events and findings; `doctor` says what works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../cli/text/explanations.ts';
import { RULES } from '../../queries/index.ts';
import { bridgetrace } from './bridgetrace.ts';

test('explain knows every finding, with what to do', () => {
  for (const { id, title } of RULES) {
    const [found] = explain(id);
    assert.equal(found?.kind, 'finding', id);
    assert.ok(found.text[0]?.startsWith(title), id);
    if (id !== 'keepalive-cycle-undetermined') assert.ok(found.text.length > 1, id);
  }
});

test('explain tells the tables of a number apart', () => {
  assert.deepEqual(
    explain('141').map((one) => one.text[0]?.split(':')[0]),
    [
      'MQTT 5 reason code (DISCONNECT, PUBACK …)',
      'The broker heard no packet that counts for 1.5 × keepalive and more. Fewer than half of such ends show this code in NanoMQ.',
    ],
  );
  assert.ok(explain('18').some((one) => one.text[0]?.includes('Connection aborted')));
  assert.deepEqual(explain('987654'), []);
});

test('explain reads a line of either product', () => {
  const nanomq =
    '2026-11-22 05:00:12 [22124] WARN  /b/nng/src/mqtt/protocol/mqtt/mqtt_quic_client.c:479: MQTT client recv error 20!';
  const emqx =
    '2026-11-22T05:03:15.943953+00:00 [info] clientid: b, msg: terminate, peername: 127.0.0.1:54679, username: b, reason: {shutdown,kicked}';
  assert.deepEqual(
    [explain(nanomq)[0]?.name, explain(emqx)[0]?.name],
    ['bridge_recv_error', 'connection_terminate_info'],
  );
  assert.match(explain(nanomq)[0]!.text.join(' '), /receiver-dead/);
});

test('explain of what nothing is known of is an error with a hint', async () => {
  const { code, err } = await bridgetrace('explain', 'frob');
  assert.equal(code, 2);
  assert.match(err, /hint:/);
});

test('doctor finds what the tests themselves run on', async () => {
  const { code, out } = await bridgetrace('doctor', '--json');
  const { schema, checks } = JSON.parse(out) as {
    schema: number;
    checks: { what: string; ok: boolean; required: boolean }[];
  };
  assert.equal(schema, 1);
  assert.equal(code, 0);
  for (const check of checks) if (check.required) assert.ok(check.ok, check.what);
  assert.deepEqual(
    checks.map((check) => check.what),
    ['Node.js', 'DuckDB', 'QUIC library', 'temporary folder', 'memory'],
  );
});
