import type { Layout } from '../../../parsers/index.ts';

export interface SlowCase {
  readonly why: string;
  readonly layout: Layout;
  readonly before: string;
  /** Repeated to the length of a line. */
  readonly filling: string;
  readonly after: string;
}

const CONF = '2026-11-22 07:00:35 [1] INFO  /b/conf.c:10: ';
const LOG = '2024-12-01T10:00:00.123456+00:00 [debug] ';
const TRACE = '2024-12-01T10:00:00.123456+00:00 [MQTT] ';
const JSON_MSG = '{"time":1733047200123456,"level":"error","msg":"';
const PACKET = `${LOG}tag: MQTT, clientid: c1, msg: mqtt_packet_received, packet: `;

export const slowCases: readonly SlowCase[] = [
  { why: 'blanks in a setting', layout: 'nanomq-file', before: `${CONF}a`, filling: ' ', after: 'x!' },
  { why: 'blanks in an item', layout: 'nanomq-file', before: `${CONF}\ta`, filling: ' ', after: 'x!' },
  { why: 'tabs behind a key', layout: 'nanomq-file', before: `${CONF}bridge.mqtt.a.b`, filling: '\t', after: 'x!' },
  { why: 'tabs in a message', layout: 'emqx-json', before: `${JSON_MSG}a`, filling: '\\t', after: 'x"}' },
  { why: 'commas in a message', layout: 'emqx-json', before: `${JSON_MSG}a`, filling: ',', after: 'x"}' },
  {
    why: 'blanks in a crash reason',
    layout: 'emqx-json',
    before: `${JSON_MSG}Error in process <0.1.0> with exit value: {`,
    filling: ' ',
    after: 'x!"}',
  },
  { why: 'blanks in a warning', layout: 'emqx-text', before: 'WARNING: a', filling: ' ', after: 'x' },
  { why: 'blanks in a failure', layout: 'emqx-text', before: 'Failed to start a on b: c', filling: ' ', after: 'x' },
  {
    why: 'brackets in an alarm',
    layout: 'emqx-text',
    before: `${LOG}alarm_handler: {set,a`,
    filling: '}',
    after: 'x}',
  },
  { why: 'colons in front', layout: 'emqx-text', before: LOG, filling: ':', after: ' x' },
  { why: 'colons behind a name', layout: 'emqx-trace', before: `${TRACE}a@`, filling: ':', after: ' x' },
  {
    why: 'filters that are not closed',
    layout: 'emqx-text',
    before: `${PACKET}SUBSCRIBE(Q1, R0, D0, PacketId=1, TopicFilters=[a(#{`,
    filling: '(#{',
    after: ')',
  },
  { why: 'keys in a packet', layout: 'emqx-text', before: `${PACKET}PINGREQ`, filling: ', reason: ', after: 'x' },
  { why: 'subscriptions without options', layout: 'emqx-text', before: LOG, filling: ' SUBSCRIBE ', after: 'x' },
];
