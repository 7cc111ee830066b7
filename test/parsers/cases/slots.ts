import type { Layout } from '../../../parsers/index.ts';

export interface SlotCase {
  readonly title: string;
  readonly layout: Layout;
  /** The line that is repeated until its shape is known. */
  readonly usual: (index: number) => string;
  /** Default true. */
  readonly isLearned?: boolean;
  /** Lines that come then. */
  readonly odd: readonly string[];
}

const two = (index: number): string => String(index % 60).padStart(2, '0');
const nanomq = (thread: string, year = '2026') =>
  `${year}-11-22 04:53:44 [${thread}] INFO  /b/mqtt_quic.c:1810: reconnect in 14`;
const emqx = (stamp: string) =>
  `${stamp} [debug] tag: MQTT, clientid: c1, msg: mqtt_packet_received, packet: PINGREQ(Q0, R0, D0)`;

const routed = (payload: string) =>
  `2024-12-01T10:00:05.123456+00:00 [debug] tag: PUBLISH, clientid: c1, msg: publish_to, topic: up/a, payload: ${payload}, payload_encode: text`;
const sent = (payload: string) =>
  `2024-12-01T10:00:05.123456+00:00 [debug] tag: MQTT, clientid: c1, msg: mqtt_packet_sent, packet: PUBLISH(Q0, R0, D0, Topic=up/a, PacketId=undefined, Payload${payload})`;
const received = (pointer: string) =>
  `2026-11-22 04:53:44 [71] DEBUG /b/msquic_dial.c:1398: [sid3][${pointer}] Data received Flag: 0`;
const hashed = (hash: string) =>
  `2026-11-22 05:00:44 [25733] DEBUG /b/broker_tcp.c:191: change p_id by hashing ${hash} rv 0`;
const closed = (reason: string) =>
  `2024-12-01T10:00:05.123456+00:00 [info] tag: SOCKET, clientid: c1, msg: emqx_connection_terminated, peername: 127.0.0.1:5000, reason: ${reason}`;
/** What EMQX may have left out of a payload, or only seems to have. */
const cutPayloads = [
  'abc...(1 bytes)',
  `${'AF'.repeat(100)}... The 20 bytes of this log are truncated`,
  `${'AF'.repeat(100)}...(20 bytes)`,
  'a...b...(9 bytes)',
  '...(9 bytes)',
  'abc...( bytes)',
  'abc...(9 bytes',
  'abc...(99999999999999999999 bytes)',
  'x... The 77 bytes of this log are truncated',
  'null...(3 bytes)',
];

export const slotCases: readonly SlotCase[] = [
  {
    title: 'a routed payload that was cut has the length of the whole',
    layout: 'emqx-text',
    usual: (index) => routed(`{"s":${index}}${'x'.repeat(index)}...(${7000 + index} bytes)`),
    odd: cutPayloads.map(routed),
  },
  {
    title: 'a payload cut in older words has the length of the whole',
    layout: 'emqx-text',
    usual: (index) => routed(`{"s":${index}}... The ${7000 + index} bytes of this log are truncated`),
    odd: cutPayloads.map(routed),
  },
  {
    title: 'the cut payload of a packet has the length of the whole',
    layout: 'emqx-text',
    usual: (index) => sent(`(text)={"s":${index}}...(${7000 + index} bytes)`),
    odd: [
      ...cutPayloads.map((payload) => sent(`(text)=${payload}`)),
      ...cutPayloads.map((text) => sent(`(hex)=${text}`)),
    ],
  },
  {
    title: 'the cut payload in a JSON line has the length of the whole',
    layout: 'emqx-json',
    usual: (index) =>
      `{"time":17330472001234${two(index)},"level":"debug","msg":"publish_to","topic":"up/a","payload":"{\\"s\\":${index}}...(${7000 + index} bytes)","tag":"PUBLISH"}`,
    odd: cutPayloads.map(
      (payload) =>
        `{"time":1733047200123400,"level":"debug","msg":"publish_to","topic":"up/a","payload":"${payload}","tag":"PUBLISH"}`,
    ),
  },
  {
    title: 'a reason that is too long to keep is cut where the parser cuts it',
    layout: 'emqx-text',
    isLearned: false,
    usual: (index) => closed(`{shutdown,{einval,${'a'.repeat(993)},<0.${1000 + index}.0>}}`),
    odd: [10_000, 99_999, 1_000].map((pid) => closed(`{shutdown,{einval,${'a'.repeat(993)},<0.${pid}.0>}}`)),
  },
  {
    title: 'a pointer in brackets is one, other text is none',
    layout: 'nanomq-file',
    usual: (index) => received(`0x7fe3f6${(0x7535340 + index * 4099).toString(16)}`),
    odd: ['0x', '0x7g', '7fe3f6', '(nil)', '0x1'].map(received),
  },
  {
    title: 'there is one zero',
    layout: 'nanomq-file',
    usual: (index) => hashed(String(4_000_000 + index)),
    odd: ['-0', '-00', '0', '00', '-1'].map(hashed),
  },
  {
    title: 'what no thread id can be makes no header',
    layout: 'nanomq-file',
    usual: (index) => nanomq(String(8000 + index)),
    odd: ['18446744073709551616', '[[[[[[8991', '', 'x', '1 2'].map((thread) => nanomq(thread)),
  },
  {
    title: 'a year that is no date has no time',
    layout: 'nanomq-file',
    usual: (index) => nanomq(String(8000 + index)),
    odd: ['0050', '1969', '2255', '2626'].map((year) => nanomq('1', year)),
  },
  {
    title: 'a year that is no date starts no record',
    layout: 'emqx-text',
    usual: (index) => emqx(`2024-12-01T10:00:${two(index)}.123456+00:00`),
    odd: ['2626-12-01T10:00:00.123456+00:00', '0729-12-01T10:00:00.123456+00:00'].map(emqx),
  },
  {
    title: 'digits after the last date start no record',
    layout: 'emqx-text',
    usual: (index) => emqx(`17330472001234${two(index)}`),
    odd: ['9999999999999999', '8993721600000000'].map(emqx),
  },
  {
    title: 'the time is that of EMQX and not that of a collector before it',
    layout: 'emqx-trace',
    usual: (index) =>
      index < 20
        ? `2024-12-01T10:00:05.123456+00:00 [MQTT] c1@10.0.0.9:40000 msg: mqtt_packet_received, packet: PINGREQ(Q0, R0, D0)`
        : `2024-12-01T10:00:${two(index)}.5Z 2024-12-01T10:00:05.123456+00:00 [MQTT] c1@10.0.0.9:40000 msg: mqtt_packet_received, packet: PINGREQ(Q0, R0, D0)`,
    odd: [],
  },
];
