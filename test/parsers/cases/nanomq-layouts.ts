import type { Layout, LogRecord, RawLine } from '../../../parsers/index.ts';

/** Lines as the input layer hands them on, and for each record the fields that the case is about. */
export interface LayoutCase {
  readonly title: string;
  readonly layout: Layout;
  readonly lines: readonly (string | (Pick<RawLine, 'text'> & Partial<RawLine>))[];
  readonly records: readonly Partial<LogRecord>[];
  readonly unparsed?: readonly string[]; // texts
}

const at = (second: number, thread: number, level: string, source: string): string =>
  `2026-11-22 07:00:${second} [${thread}] ${level} /b/nng/src/${source}: `;

// Prefixes of the mixed lines below, as the consoles of 0.23.1, 0.24.11 and 0.25.3 show them.
const SEND_CB = at(35, 12249, 'DEBUG', 'bridge.c:1339 bridge_send_cb');
const INIT_PIPE = at(35, 12250, 'DEBUG', 'pub_handler.c:94 init_pipe_content');
const FREE = at(35, 12250, 'DEBUG', 'pub_handler.c:1604 free_pub_packet');
const STREAM_CB = at(35, 12257, 'DEBUG', 'msquic_dial.c:1364 msquic_strm_cb');
const WRITE = at(35, 12248, 'DEBUG', 'msquic_dial.c:1015 quic_stream_dowrite');
const SERVER_CB = at(35, 12251, 'DEBUG', 'apps/broker.c:342 server_cb');
const SENT = 'bridge to mqtt-quic://127.0.0.1:30060 msg sent';
const STREAM_EVENT = '[sid4] quic_strm_cb triggered! 2 conn 0x7fe938006720 strm 0x7fe9380069c0';

const STREAM_ATTRIBUTES = {
  sid: 4,
  msquic_event_type: 2,
  msquic_event_type_name: 'SEND_COMPLETE',
  conn_ptr: '0x7fe938006720',
  stream_ptr: '0x7fe9380069c0',
};

const MIXED: Partial<LogRecord> = { flags: ['interleaved'] };

const MANY_PREFIXES = at(55, 1, 'DEBUG', 'x.c:3').repeat(17);

export const layoutCases: readonly LayoutCase[] = [
  {
    title: 'the outer message comes on the next line',
    layout: 'nanomq-console',
    lines: [`${INIT_PIPE}${SEND_CB}${SENT}`, 'pub_handler: init pipe_info', `${SERVER_CB}RECV  ^^^^ ctx2 ^^^^`, ''],
    records: [
      {
        ...MIXED,
        event: 'publish_pipe_content_init',
        thread: '12250',
        body: 'pub_handler: init pipe_info',
        continuations: 1,
      },
      { ...MIXED, event: 'bridge_aio_done', thread: '12249', lineNo: 1, continuations: 0 },
      { event: 'ctx_state', attributes: { state: 'RECV', ctx_id: 2 }, lineNo: 3 },
    ],
  },
  {
    title: 'the messages are swapped',
    layout: 'nanomq-console',
    lines: [`${SEND_CB}${FREE}${SENT}`, 'free pub_packet', `${INIT_PIPE}pub_handler: init pipe_info`],
    records: [
      { ...MIXED, event: 'bridge_aio_done', thread: '12249', body: SENT, continuations: 0 },
      { ...MIXED, event: 'publish_free', thread: '12250', body: 'free pub_packet', continuations: 1 },
      { event: 'publish_pipe_content_init' },
    ],
  },
  {
    title: 'both messages in one line, the first one first',
    layout: 'nanomq-console',
    lines: [`${SEND_CB}${FREE}${SENT}free pub_packet`, ''],
    records: [
      { ...MIXED, event: 'bridge_aio_done', body: SENT },
      { ...MIXED, event: 'publish_free', body: 'free pub_packet\n' },
    ],
  },
  {
    title: 'both messages in one line, an address before a letter that could be a digit of it',
    layout: 'nanomq-console',
    lines: [`${STREAM_CB}${FREE}${STREAM_EVENT}free payload`],
    records: [
      { ...MIXED, event: 'quic_stream_event', body: STREAM_EVENT },
      { ...MIXED, event: 'publish_free_payload', body: 'free payload' },
    ],
  },
  {
    title: 'both messages in one line, both of one source file: the functions tell',
    layout: 'nanomq-console',
    lines: [`${WRITE}${STREAM_CB}${STREAM_EVENT}[quic dowrite][sid0] start 0x7fd0500e46c0`],
    records: [
      { ...MIXED, event: 'quic_write_start', body: '[quic dowrite][sid0] start 0x7fd0500e46c0' },
      { ...MIXED, event: 'quic_stream_event', body: STREAM_EVENT },
    ],
  },
  {
    title: 'a whole record without its line end before another',
    layout: 'nanomq-console',
    lines: [`${STREAM_CB}${STREAM_EVENT}${FREE}free pub_packet`, ''],
    records: [
      { ...MIXED, event: 'quic_stream_event', attributes: STREAM_ATTRIBUTES },
      { ...MIXED, event: 'publish_free' },
    ],
  },
  {
    title: 'a prefix at the end of a line, its message records later and glued to the next prefix',
    layout: 'nanomq-console',
    lines: [
      `${STREAM_CB}${STREAM_EVENT}${INIT_PIPE}`,
      `${STREAM_CB}[sid3] QUIC_STREAM_EVENT_SEND_COMPLETE!`,
      `pub_handler: init pipe_info${SEND_CB}${SENT}`,
      '',
    ],
    records: [
      { ...MIXED, event: 'quic_stream_event' },
      { ...MIXED, event: 'publish_pipe_content_init', continuations: 1 },
      { event: 'quic_send_complete' },
      { ...MIXED, event: 'bridge_aio_done', lineNo: 3 },
    ],
  },
  {
    title: 'three prefixes, the messages in another order',
    layout: 'nanomq-console',
    lines: [`${SERVER_CB}${FREE}${STREAM_CB}${STREAM_EVENT}`, 'free pub_packet', 'RECV  ^^^^ ctx5 ^^^^', ''],
    records: [
      { ...MIXED, event: 'ctx_state', attributes: { state: 'RECV', ctx_id: 5 } },
      { ...MIXED, event: 'publish_free' },
      { ...MIXED, event: 'quic_stream_event' },
    ],
  },
  {
    title: 'a message that no waiting prefix prints goes to the first one',
    layout: 'nanomq-console',
    lines: [`${SERVER_CB}${SEND_CB}${SENT}`, 'nobody knows this text'],
    records: [
      { ...MIXED, event: null, body: 'nobody knows this text' },
      { ...MIXED, event: 'bridge_aio_done' },
    ],
  },
  {
    title: 'in a file, a prefix within a message is part of the message',
    layout: 'nanomq-file',
    lines: ['2026-11-22 07:00:35 [1] INFO  /b/x.c:1: 2026-11-22 07:00:35 [2] INFO  /b/y.c:2: text'],
    records: [{ file: 'x.c', body: '2026-11-22 07:00:35 [2] INFO  /b/y.c:2: text', flags: undefined }],
  },
  {
    title: 'what the process prints without a header has records of its own',
    layout: 'nanomq-console',
    lines: [
      'path :/opt/lab',
      'Set new conf path from env: (null)',
      `${FREE}free pub_packet`,
      '',
      'NanoMQ Broker is started successfully!',
      `${SERVER_CB}RECV  ^^^^ ctx2 ^^^^`,
      '',
    ],
    records: [
      {
        event: 'broker_work_dir',
        ts: null,
        severity: 'info',
        file: null,
        thread: null,
        head: '',
        body: 'path :/opt/lab',
        attributes: { path: '/opt/lab' },
      },
      { event: 'broker_conf_path', attributes: { path: '(null)' } },
      { event: 'publish_free', continuations: 1 },
      { event: 'broker_started', ts: null, lineNo: 5, flags: undefined },
      { event: 'ctx_state', continuations: 1 },
    ],
  },
  {
    title: 'usage text is one record',
    layout: 'nanomq-console',
    lines: [
      'Option --cfg is invalid.',
      "Try 'nanomq --help' for more information.",
      'Usage: nanomq { { start | restart [--url <url>] [--conf <path>] [-t, --tq_thread <num>]',
      '                     [-T, -max_tq_thread <num>] [-n, --parallel <num>] ',
    ],
    records: [
      { event: 'broker_bad_option', attributes: { option: '--cfg' } },
      { event: 'broker_bad_option', attributes: null },
      { event: 'broker_usage', continuations: 1 },
    ],
  },
  {
    title: 'why the broker did not start',
    layout: 'nanomq-console',
    lines: [
      '2026-11-22 07:00:35 [1] FATAL /b/nanomq/apps/broker.c:1 broker: broker nng_listen',
      'broker nng_listen: Address in use',
    ],
    records: [
      { event: 'broker_listen_failed', severity: 'fatal', attributes: null },
      { event: 'broker_listen_failed', ts: null, attributes: { nng_errstr: 'Address in use' } },
    ],
  },
  {
    title: 'a line that reads like stdout within a payload stays in the payload',
    layout: 'nanomq-console',
    lines: [
      `${at(35, 1, 'DEBUG', 'pub_handler.c:2207 decode_pub_message')}payload: [first line`,
      'NanoMQ Broker is started successfully!',
      '], len = 51',
    ],
    records: [{ event: 'publish_payload', continuations: 2, attributes: { payload_bytes: 51 } }],
  },
  {
    title: 'text of the process in a file is more of the message before',
    layout: 'nanomq-file',
    lines: ['2026-11-22 07:00:35 [1] INFO  /b/bridge.c:1: Bridge client connected! RC [0]', 'path :/opt/lab'],
    records: [{ event: 'bridge_connected', continuations: 1 }],
  },
  {
    title: 'text that nobody knows before the first record',
    layout: 'nanomq-console',
    lines: ['exec /usr/bin/nanomq', `junk${FREE}free pub_packet`],
    records: [{ event: 'publish_free', flags: undefined }],
    unparsed: ['exec /usr/bin/nanomq', 'junk'],
  },
  {
    title: 'what the input layer says about a line stays with its record',
    layout: 'nanomq-console',
    lines: [
      {
        text: `${FREE}free pub_packet`,
        flags: ['invalid-utf8'],
        envelope: { collector: 'docker', ts: 1_790_000_000_000_001, stream: 'stdout' },
      },
      { text: 'more', flags: ['nul-bytes'], envelope: { collector: 'docker', ts: 1_790_000_000_000_002 } },
    ],
    records: [
      {
        flags: ['invalid-utf8', 'nul-bytes'],
        envelope: { collector: 'docker', ts: 1_790_000_000_000_001, stream: 'stdout' },
      },
    ],
  },
  {
    title: 'the level comes out two steps too bad as syslog priority, and is put right',
    layout: 'nanomq-syslog',
    lines: [
      { text: 'db init finished', envelope: { collector: 'syslog', ts: 1_735_787_045_000_000, priority: 12 } },
      { text: 'Bridge client connected! RC [0]', envelope: { collector: 'syslog', priority: 11, pid: 912 } },
      { text: 'MQTT Timeout and disconnect', envelope: { collector: 'syslog', priority: 10 } },
      { text: 'begin dialing!', envelope: { collector: 'syslog', priority: 27 } },
      { text: 'nobody knows', envelope: { collector: 'syslog', priority: 9 } },
      { text: 'nobody knows', envelope: { collector: 'syslog', priority: 8 } },
      { text: 'nobody knows', envelope: { collector: 'syslog', priority: 13 } },
    ],
    records: [
      { severity: 'debug', event: 'db_init_done', ts: 1_735_787_045_000_000, tsPrecisionUs: 1_000_000 },
      { severity: 'info', event: 'bridge_connected', file: null, head: '', ts: null },
      { severity: 'warn', event: 'bridge_ping_timeout' },
      { severity: 'info', event: 'quic_dial_begin' },
      { severity: 'error', event: null },
      { severity: 'fatal', event: null },
      { severity: 'trace', event: null },
    ],
  },
  {
    title: 'without a priority the statement tells the level',
    layout: 'nanomq-syslog',
    lines: [
      'who knows',
      { text: 'MQTT client recv error 18!#012', envelope: { collector: 'syslog', ts: 1_735_787_045_123_456 } },
      { text: 'cached msg into sqlite', envelope: { collector: 'journald' } },
      'QoS msg ack failed 17',
      'and more of it',
    ],
    records: [
      {
        severity: 'warn',
        event: 'bridge_recv_error',
        tsPrecisionUs: 1,
        body: 'MQTT client recv error 18!#012',
        attributes: { nng_rv: 18, nng_rv_name: 'Connection aborted' },
      },
      { event: 'bridge_queue_to_sqlite', severity: 'info' },
      { event: 'bridge_ack_unknown', continuations: 1, attributes: { packet_id: 17 }, envelope: undefined },
    ],
    unparsed: ['who knows'],
  },
  {
    title: 'the settings dump in syslog; a password is hidden',
    layout: 'nanomq-syslog',
    lines: [
      'bridge.mqtt.emqx.password:                   s3cret',
      'bridge.mqtt.emqx.subscription: ',
      { text: '#011[1] remote topic:        down/#', envelope: { collector: 'syslog', priority: 11 } },
      '\t[1] qos:          2',
      'begin dialing!',
    ],
    records: [
      {
        event: 'conf_bridge',
        bridgeId: 'emqx',
        body: 'bridge.mqtt.emqx.password:                   ******',
        attributes: { key: 'password', value: '******' },
      },
      { event: 'conf_bridge', attributes: { key: 'subscription' } },
      {
        event: 'conf_bridge_item',
        bridgeId: 'emqx',
        attributes: { section: 'subscription', index: 1, key: 'remote topic', value: 'down/#' },
      },
      { event: 'conf_bridge_item', attributes: { section: 'subscription', index: 1, key: 'qos', value: 2 } },
      { event: 'quic_dial_begin' },
    ],
  },
  {
    title: 'a year before 1970 or after 2254 is no date, as a month 13 is none',
    layout: 'nanomq-file',
    lines: ['0050', '0729', '1969', '1970', '2254', '2255', '2626', '9999'].map(
      (year) => `${year}-11-22 04:57:53 [1] WARN  /b/bridge.c:921: bridge client disconnected! RC [0]`,
    ),
    records: [null, null, null, 28_097_873_000_000, 8_990_283_473_000_000, null, null, null].map((ts) => ({
      ts,
      event: 'bridge_disconnected',
    })),
  },
  {
    title: 'a setting that no double holds stays text',
    layout: 'nanomq-file',
    lines: ['1e400', '9'.repeat(400), '7'].map(
      (value) => `${at(35, 1, 'INFO ', 'conf.c:10')}bridge.mqtt.emqx1.cancel_timeout: ${value}`,
    ),
    records: ['1e400', '9'.repeat(400), 7].map((value) => ({
      event: 'conf_bridge',
      attributes: { key: 'cancel_timeout', value },
    })),
  },
  {
    title: 'a line of many prefixes is read as several lines of some',
    layout: 'nanomq-console',
    lines: [`text${MANY_PREFIXES}`, 'who knows'],
    records: Array.from({ length: 17 }, (_, i) => ({
      lineNo: 1,
      byteOffset: 4 + i * (MANY_PREFIXES.length / 17),
      body: i === 16 ? 'who knows' : '',
    })),
    unparsed: ['text'],
  },
];
