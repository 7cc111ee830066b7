import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fields, SimRecord } from '../../engine/index.ts';
import { networkStimuli } from '../../engine/index.ts';
import { printEmqxLine, printTraceLine } from '../../replay/print-emqx.ts';
import { printNanomqLine } from '../../replay/print-nanomq.ts';
import { run, type Scenario, SECOND } from '../engine/scenario.ts';
import { parseAll } from '../parsers/parse.ts';

const START = Date.UTC(2026, 10, 22, 4, 53, 18) * 1000;

const SCENARIOS: readonly (Scenario & { readonly title: string })[] = [
  {
    title: 'stuck after a blackhole, 0.23.6 and EMQX 5.8.2',
    nanomq: '0.23.6',
    emqx: '5.8.2',
    up: { hz: 10, fromS: 2, toS: 120, mix: [0, 0, 1] },
    down: { hz: 1, fromS: 2, toS: 120 },
    durationS: 130,
    faults: networkStimuli('blackhole-35s', 20 * SECOND),
  },
  {
    title: 'QoS 0 to 2 on data streams, EMQX 5.3.2 with its other order of keys',
    nanomq: '0.23.10',
    emqx: '5.3.2',
    bridge: { quicQosPriority: false, subscriptions: [{ topic: 'down/#', qos: 2 }] },
    up: { hz: 5, fromS: 2, toS: 60, mix: [0, 1, 2] },
    down: { hz: 2, fromS: 2, toS: 60, mix: [0, 1, 2] },
    durationS: 70,
    faults: networkStimuli('restart-4s', 30 * SECOND),
  },
  {
    title: 'TCP, 0.25.3 and EMQX 5.8.1',
    nanomq: '0.25.3',
    emqx: '5.8.1',
    transport: 'tcp',
    up: { hz: 5, fromS: 2, toS: 60, mix: [0, 1] },
    down: { hz: 1, fromS: 2, toS: 60, mix: [1] },
    durationS: 90,
    faults: networkStimuli('kick-every-9s', 20 * SECOND),
  },
];

/** Fields that the line has under another name, or not at all. */
const NOT_IN_THE_LINE = new Set([
  'channel_cleaned.client_id', // becomes the record's client
  'reason_term', // printed as the reason
]);

describe('a run, printed and read back', () => {
  for (const { title, ...scenario } of SCENARIOS) {
    const { records } = run(scenario);
    const clientId = 'nano-bridge';

    it(`NanoMQ log: ${title}`, () => {
      const bridge = records.filter((record) => record.endpoint === 'bridge');
      const lines = bridge.map((record) => printNanomqLine(record, { release: scenario.nanomq, start: START }));
      const parsed = parseAll('nanomq-file', text(lines));
      assert.deepEqual(parsed.unparsed, []);
      assert.equal(parsed.records.length, bridge.length);
      bridge.forEach((record, index) => {
        const read = parsed.records[index]!;
        const line = lines[index]!;
        assert.equal(read.event, record.event, line);
        assert.equal(read.severity, record.severity, line);
        assert.equal(read.ts, Math.floor((START + record.at) / SECOND) * SECOND, line);
        assertFields(record, read.attributes, line);
      });
    });

    it(`EMQX log: ${title}`, () => {
      const broker = records.filter((record) => record.endpoint === 'broker');
      const lines = broker.map((record) => printEmqxLine(record, { release: scenario.emqx, start: START }));
      const parsed = parseAll('emqx-text', text(lines));
      assert.deepEqual(parsed.unparsed, []);
      assert.equal(parsed.records.length, broker.length);
      broker.forEach((record, index) => {
        const read = parsed.records[index]!;
        const line = lines[index]!;
        assert.deepEqual(
          [read.event, read.severity, read.clientId, read.peer, read.ts],
          [record.event, record.severity, clientIdOf(record), record.peer, START + record.at],
          line,
        );
        assertFields(record, read.attributes, line);
      });
    });

    it(`trace: ${title}`, () => {
      const options = { release: scenario.emqx, start: START };
      const traced = records.filter((record) => printTraceLine(record, options, clientId) !== null);
      assert.ok(traced.some((record) => record.event === 'mqtt_packet_received'));
      assert.ok(traced.every((record) => record.clientId === clientId));
      const lines = traced.map((record) => printTraceLine(record, options, clientId));
      const parsed = parseAll('emqx-trace', text(lines));
      assert.deepEqual(parsed.unparsed, []);
      traced.forEach((record, index) => {
        const read = parsed.records[index]!;
        assert.deepEqual(
          [read.event, read.clientId, read.peer, read.ts],
          [record.event, record.clientId, record.peer, START + record.at],
          lines[index]!,
        );
        assertFields(record, read.attributes, lines[index]!);
      });
    });
  }

  it('prints each side in its own log only', () => {
    const record: SimRecord = {
      at: 0,
      endpoint: 'bridge',
      severity: 'info',
      event: 'bridge_connected',
      clientId: null,
      peer: null,
      fields: { reason_code: 0 },
    };
    assert.equal(printEmqxLine(record, { release: '5.8.2', start: START }), null);
    assert.equal(printNanomqLine({ ...record, endpoint: 'broker' }, { release: '0.23.6', start: START }), null);
    assert.equal(
      printNanomqLine(record, { release: '0.23.6', start: START }),
      '2026-11-22 04:53:18 [1] INFO  bridge.c:1: Bridge client connected! RC [0]',
    );
    const received: SimRecord = {
      ...record,
      endpoint: 'broker',
      severity: 'debug',
      event: 'mqtt_packet_received',
      clientId: 'c',
      peer: '127.0.0.1:1',
      fields: { packet: 'PUBACK', qos: 0, retain: false, dup: false, packet_id: 7, reason_code: 0 },
    };
    assert.equal(
      printEmqxLine(received, { release: '5.8.2', start: START + 5 }),
      '2026-11-22T04:53:18.000005+00:00 [debug] tag: MQTT, clientid: c, msg: mqtt_packet_received, peername: 127.0.0.1:1, packet: PUBACK(Q0, R0, D0, PacketId=7, ReasonCode=0)',
    );
  });
});

/** A record without an identity may still name the client. */
function clientIdOf(record: SimRecord): string | null {
  return record.clientId ?? (record.fields?.client_id as string | undefined) ?? null;
}

function text(lines: readonly (string | null)[]): string {
  const missing = lines.indexOf(null);
  assert.equal(missing, -1, `record ${missing} has no line`);
  return `${lines.join('\n')}\n`;
}

function assertFields(record: SimRecord, attributes: { readonly [key: string]: unknown } | null, line: string): void {
  for (const [key, value] of Object.entries(record.fields ?? {})) {
    if (value === null || NOT_IN_THE_LINE.has(key) || NOT_IN_THE_LINE.has(`${record.event}.${key}`)) continue;
    const printed = key === 'packets' ? (value as readonly Fields[]).map(asTerm) : value;
    assert.deepEqual(attributes?.[key], printed, `${key} of ${line}`);
  }
}

/** Of a packet on a data stream the flags are read for a PUBLISH only, where they mean something, and never a payload. */
function asTerm(packet: Fields): Fields {
  const isRead = ([key, value]: readonly [string, unknown]): boolean =>
    value !== null && key !== 'payload_bytes' && (packet.packet === 'PUBLISH' || (key !== 'dup' && key !== 'retain'));
  return Object.fromEntries(Object.entries(packet).filter(isRead));
}
