import type { Layout, LogRecord } from '../../../parsers/index.ts';

/** One input and what must come out of it: for each record the fields that the case is about. */
export interface RecordCase {
  readonly title: string;
  readonly layout: Layout;
  readonly lines: readonly string[];
  readonly records: readonly Partial<LogRecord>[];
  readonly unparsed?: readonly string[]; // reasons
}

const N = '2025-01-02 03:04:05 [17] INFO  /b/nng/src';
const T = '2024-12-16T02:13:14.221000+00:00';
const T_US = Date.UTC(2024, 11, 16, 2, 13, 14) * 1000 + 221_000;

export const recordCases: readonly RecordCase[] = [
  {
    title: 'NanoMQ file line with a typed field',
    layout: 'nanomq-file',
    lines: [`${N}/mqtt_quic_client.c:785: Send pingreq (sock0x7f12ab)(10000ms)`],
    records: [
      {
        ts: Date.UTC(2025, 0, 2, 3, 4, 5) * 1000,
        tsPrecisionUs: 1_000_000,
        severity: 'info',
        thread: '17',
        file: 'mqtt_quic_client.c',
        line: 785,
        func: null,
        event: 'ping_sent',
        head: `${N}/mqtt_quic_client.c:785: `,
        body: 'Send pingreq (sock0x7f12ab)(10000ms)',
        attributes: { sock_ptr: '0x7f12ab', keepalive_ms: 10000 },
      },
    ],
  },
  {
    title: 'a blank line belongs to the message before, and the message still matches',
    layout: 'nanomq-file',
    lines: [`${N}/mqtt_quic_client.c:334: Cached Message lost! pipe is busy and lmq is full`, '', `${N}/x.c:1: y`],
    records: [
      { event: 'cached_msg_lost', continuations: 1, body: 'Cached Message lost! pipe is busy and lmq is full\n' },
      { lineNo: 3, event: null },
    ],
  },
  {
    title: 'lines before the first record are kept and counted',
    layout: 'nanomq-console',
    lines: ['who knows', `${N}/bridge.c:866 bridge_cb: Bridge client connected! RC [0]`],
    records: [
      {
        event: 'bridge_connected',
        func: 'bridge_cb',
        attributes: { reason_code: 0, reason_code_name: 'Success' },
      },
    ],
    unparsed: ['no-record-start'],
  },
  {
    title: 'a prefix in a prefix: the text without one belongs to the outer',
    layout: 'nanomq-console',
    lines: [
      `${N}/mqtt_quic_client.c:444 mqtt_quic_recv_cb: 2025-01-02 03:04:06 [35] WARN  /b/msquic_dial.c:1256 msquic_connection_cb: [conn][0x1] Shutdown on CONNECTION_TIMEOUT.`,
      '',
      'MQTT client recv error 18!',
      `${N}/x.c:1 f: y`,
    ],
    records: [
      {
        lineNo: 1,
        event: 'bridge_recv_error',
        body: 'MQTT client recv error 18!',
        attributes: { nng_rv: 18, nng_rv_name: 'Connection aborted' },
      },
      { lineNo: 1, thread: '35', severity: 'warn', file: 'msquic_dial.c', continuations: 1 },
      { lineNo: 4, file: 'x.c' },
    ],
  },
  {
    title: 'colour codes and Windows paths',
    layout: 'nanomq-console',
    lines: [
      '2025-01-02 03:04:05 [17] \x1b[33mWARN \x1b[0m \x1b[0mD:\\a\\nng\\bridge.c:10 \x1b[0m some_func: Bridge client connected! RC [5]',
    ],
    records: [
      {
        file: 'bridge.c',
        line: 10,
        func: 'some_func',
        severity: 'warn',
        event: 'bridge_connected',
        attributes: { reason_code: 5, reason_code_name: 'Not authorized' },
      },
    ],
  },
  {
    title: 'the bridge address is the bridge id',
    layout: 'nanomq-file',
    lines: [`${N}/broker.c:287: bridging to mqtt-quic://127.0.0.1:30010 aio busy! msg lost! Ctx: 7`],
    records: [
      {
        event: 'aio_busy',
        bridgeId: 'mqtt-quic://127.0.0.1:30010',
        attributes: { address: 'mqtt-quic://127.0.0.1:30010', ctx_id: 7 },
      },
    ],
  },
  {
    title: 'settings at start-up; a password is hidden',
    layout: 'nanomq-file',
    lines: [
      `${N}/conf.c:1: This NanoMQ instance configured as:`,
      `${N}/conf.c:2: parallel:                 4`,
      `${N}/conf.c:3: bridge.mqtt.a.b.password:                   s3cret`,
      `${N}/conf.c:4: bridge.mqtt.a.b.address:                    mqtt-quic://127.0.0.1:14567`,
      `${N}/conf.c:5: bridge.mqtt.a.b.subscription: `,
      `${N}/conf.c:6: \t[1] remote topic:        down/#`,
      `${N}/conf.c:7: \t[1] qos:          2`,
      `${N}/conf.c:8: bridge.mqtt.a.b.hybrid_bridging       :     false`,
    ],
    records: [
      { event: 'conf_dump_started' },
      { event: 'conf_value', attributes: { key: 'parallel', value: 4 } },
      {
        event: 'conf_bridge',
        bridgeId: 'a.b',
        body: 'bridge.mqtt.a.b.password:                   ******',
        attributes: { key: 'password', value: '******' },
      },
      { event: 'conf_bridge', bridgeId: 'a.b', attributes: { key: 'address', value: 'mqtt-quic://127.0.0.1:14567' } },
      { event: 'conf_bridge', bridgeId: 'a.b', attributes: { key: 'subscription' } },
      {
        event: 'conf_bridge_item',
        bridgeId: 'a.b',
        attributes: { section: 'subscription', index: 1, key: 'remote topic', value: 'down/#' },
      },
      {
        event: 'conf_bridge_item',
        bridgeId: 'a.b',
        attributes: { section: 'subscription', index: 1, key: 'qos', value: 2 },
      },
      { event: 'conf_bridge', attributes: { key: 'hybrid_bridging', value: 'false' } },
    ],
  },
  {
    title: 'traffic: size and topic are kept, the payload is not, even if it spans lines',
    layout: 'nanomq-file',
    lines: [
      `${N}/pub_handler.c:1: cmd: 3, retain: 0, qos: 1, dup: 0, remaining length: 36`,
      `${N}/pub_handler.c:2: topic: [up/t1], len: [5], qos: 1`,
      `${N}/pub_handler.c:3: payload: [a], len = 9`,
      'b], len = 34',
      `${N}/bridge.c:4: bridge: publish to 'up/t1'`,
    ],
    records: [
      {
        event: 'publish_decoded',
        attributes: { cmd: 3, cmd_name: 'PUBLISH', retain: 0, qos: 1, dup: 0, remaining_len: 36 },
      },
      { event: 'publish_topic', attributes: { topic: 'up/t1', topic_len: 5, qos: 1 } },
      { event: 'publish_payload', continuations: 1, attributes: { payload_bytes: 34 } },
      { event: 'bridge_forward', attributes: { remote_topic: 'up/t1' } },
    ],
  },
  {
    title: 'EMQX text: packets, reasons, sizes',
    layout: 'emqx-text',
    lines: [
      `${T} [debug] tag: MQTT, clientid: c1, msg: mqtt_packet_received, peername: 10.0.0.9:40000, packet: PUBLISH(Q1, R0, D0, Topic=a, b/c, PacketId=7, Payload(text)=x), payload_encode: text`,
      `${T} [debug] tag: SOCKET, clientid: c1, msg: socket_force_closed, peername: 10.0.0.9:40000, reason: keepalive_timeout`,
      `${T} [info] clientid: c1, msg: terminate, peername: 10.0.0.9:40000, reason: {shutdown,keepalive_timeout}`,
      `${T} [debug] tag: PUBLISH, msg: publish_to, topic: up/t1, payload: {"a":"xx...(7900 bytes), payload_encode: text`,
      `${T} [notice] msg: Starting mria`,
    ],
    records: [
      {
        ts: T_US,
        tsPrecisionUs: 1,
        tag: 'MQTT',
        clientId: 'c1',
        peer: '10.0.0.9:40000',
        event: 'mqtt_packet_received',
        attributes: {
          packet: 'PUBLISH',
          qos: 1,
          retain: false,
          dup: false,
          topic: 'a, b/c',
          packet_id: 7,
          payload_bytes: 1,
        },
      },
      { event: 'socket_force_closed', attributes: { reason: 'keepalive_timeout', reason_term: 'keepalive_timeout' } },
      {
        event: 'connection_terminate_info',
        severity: 'info',
        attributes: { reason: 'keepalive_timeout', reason_term: '{shutdown,keepalive_timeout}' },
      },
      { event: 'publish_routed', attributes: { topic: 'up/t1', payload_bytes: 7908 } },
      { event: 'mria_starting', severity: 'info', attributes: null },
    ],
  },
  {
    title: 'EMQX text over several lines',
    layout: 'emqx-text',
    lines: [
      '2023-05-18T10:00:00.285406+01:00 [info]     msg: authorization_permission_allowed',
      '    mfa: emqx_authz:log_allowed/1',
      '    line: 375',
      '    peername: 127.0.0.1:47768',
      '    clientid: c1',
      '    topic: #',
      '    source: file',
    ],
    records: [
      {
        ts: Date.UTC(2023, 4, 18, 9, 0, 0) * 1000 + 285_406,
        continuations: 6,
        event: 'authorization_allowed',
        clientId: 'c1',
        peer: '127.0.0.1:47768',
        func: 'emqx_authz:log_allowed/1',
        line: 375,
        attributes: { topic: '#', source: 'file' },
      },
    ],
  },
  {
    title: 'EMQX text with epoch time, mfa with line, and without msg',
    layout: 'emqx-text',
    lines: [
      '1733047200123456 [debug] msg: mqtt_packet_sent, mfa: emqx_connection:serialize/1(880), clientid: c1, packet: CONNACK(Q0, R0, D0, AckFlags=1, ReasonCode=0), tag: MQTT',
      `${T} [debug] is_resumed: false, alpns: mqtt`,
    ],
    records: [
      {
        ts: 1_733_047_200_123_456,
        func: 'emqx_connection:serialize/1',
        line: 880,
        attributes: {
          packet: 'CONNACK',
          qos: 0,
          retain: false,
          dup: false,
          session_present: true,
          reason_code: 0,
          reason_code_name: 'success',
        },
      },
      { event: 'quic_connected', attributes: { is_resumed: false } },
    ],
  },
  {
    title: 'EMQX 4: text messages with identity',
    layout: 'emqx-text',
    lines: [
      '2020-04-21 15:01:58.632 [debug] <<"c1">>@172.31.0.20:45207 [MQTT] SEND DISCONNECT(Q0, R0, D0, ReasonCode=141)',
      '2021-11-19T09:08:57.473010+00:00 [info] c1@10.0.0.9:40000 file: emqx_connection.erl, line: 559, mfa: {emqx_connection,terminate,2}, msg: terminate, pid: <0.18856.2>, reason: {shutdown,keepalive_timeout}',
      '2021-11-19T09:08:57.473010+00:00 [info] c1@10.0.0.9:40000 PUBLISH to t/1: <<"h\\"i">>',
    ],
    records: [
      {
        tsPrecisionUs: 1_000,
        clientId: 'c1',
        peer: '172.31.0.20:45207',
        event: 'mqtt_packet_sent',
        attributes: {
          packet: 'DISCONNECT',
          qos: 0,
          retain: false,
          dup: false,
          reason_code: 141,
          reason_code_name: 'keepalive_timeout',
        },
      },
      { event: 'connection_terminate_info', func: 'emqx_connection:terminate/2', line: 559, thread: '<0.18856.2>' },
      { event: 'publish_routed', attributes: { topic: 't/1', payload_bytes: 3 } },
    ],
  },
  {
    title: 'packets of 5.0.0–5.0.15 close the header first',
    layout: 'emqx-text',
    lines: [
      `${T} [debug] clientid: c1, msg: mqtt_packet_received, packet: PUBLISH(Q1, R0, D0),Topic=t/1, PacketId=3Payload=ab`,
    ],
    records: [
      {
        attributes: {
          packet: 'PUBLISH',
          qos: 1,
          retain: false,
          dup: false,
          topic: 't/1',
          packet_id: 3,
          payload_bytes: 2,
        },
      },
    ],
  },
  {
    title: 'trace: identity, QUIC data streams, subscriptions',
    layout: 'emqx-trace',
    lines: [
      `${T} [MQTT] a@b@10.0.0.9:33989 msg: mqtt_packet_received, packet: SUBSCRIBE(Q1, R0, D0, PacketId=1 TopicFilters=[down/#(#{nl => 1,qos => 2,rap => 0,rh => 0}),x(#{qos => 0})])`,
      `${T} [MQTT] @ msg: mqtt_packet_sent, packets: [{mqtt_packet,{mqtt_packet_header,4,false,0,false},{mqtt_packet_puback,7,0,#{}},undefined}]`,
      `${T} [MQTT] @127.0.0.1:1 msg: mqtt_packet_received, packet: CONNECT(Q0, R0, D0, ClientId=m1, ProtoName=MQTT, ProtoVsn=5, CleanStart=true, KeepAlive=10, Username=undefined, Password=)`,
      `${T} [warning] c1@10.0.0.9:1 msg: authentication_failure, reason: bad_username_or_password`,
      `${T} [SUBSCRIBE] c1@10.0.0.9:1 msg: subscribe, sub_id: c1, sub_opts: [nl: 1, qos: 0, rap: 0], topic: down/#, username: u`,
    ],
    records: [
      {
        clientId: 'a@b',
        peer: '10.0.0.9:33989',
        tag: 'MQTT',
        severity: 'debug',
        head: `${T} [MQTT] a@b@10.0.0.9:33989 `,
        attributes: {
          packet: 'SUBSCRIBE',
          qos: 1,
          retain: false,
          dup: false,
          packet_id: 1,
          topic_filters: [
            { topic: 'down/#', qos: 2 },
            { topic: 'x', qos: 0 },
          ],
        },
      },
      {
        clientId: null,
        peer: null,
        event: 'quic_data_stream_packets_sent',
        attributes: { packets: [{ packet: 'PUBACK', qos: 0, packet_id: 7, reason_code: 0 }] },
      },
      { clientId: 'm1', peer: '127.0.0.1:1' },
      { severity: 'warn', tag: null, event: 'authentication_failure', clientId: 'c1' },
      { event: 'broker_subscribe', attributes: { topic: 'down/#', sub_id: 'c1', qos: 0 } },
    ],
  },
  {
    title: 'JSON: integer and text times, bad lines',
    layout: 'emqx-json',
    lines: [
      '{"time":1669982400123456,"level":"debug","msg":"socket_force_closed","tag":"SOCKET","reason":"keepalive_timeout","pid":"<0.3021.0>","peername":"10.0.0.9:40000","line":598,"clientid":"c1"}',
      '{"time":1669982400123456,"level":',
      '{"time":"yesterday","level":"info"}',
      '{"time":"2024-12-01T10:00:00.123456+01:00","level":"info","msg":"terminate","reason":"{shutdown,keepalive_timeout}"}',
    ],
    records: [
      {
        ts: 1_669_982_400_123_456,
        thread: '<0.3021.0>',
        line: 598,
        clientId: 'c1',
        tag: 'SOCKET',
        head: '',
        attributes: { reason: 'keepalive_timeout', reason_term: 'keepalive_timeout' },
      },
      { ts: Date.UTC(2024, 11, 1, 9, 0, 0) * 1000 + 123_456, event: 'connection_terminate_info' },
    ],
    unparsed: ['bad-json', 'bad-timestamp'],
  },
  {
    title: 'JSON trace',
    layout: 'emqx-trace-json',
    lines: [
      '{"time":"2024-12-16T02:13:14.221000+00:00","msg":"mqtt_packet_sent","meta":{"trace_tag":"MQTT","packet":"DISCONNECT(Q0, R0, D0, ReasonCode=141)","peername":"10.0.0.9:33989","clientid":"c1"},"level":"debug"}',
    ],
    records: [
      {
        ts: T_US,
        tag: 'MQTT',
        clientId: 'c1',
        peer: '10.0.0.9:33989',
        event: 'mqtt_packet_sent',
        attributes: {
          packet: 'DISCONNECT',
          qos: 0,
          retain: false,
          dup: false,
          reason_code: 141,
          reason_code_name: 'keepalive_timeout',
        },
      },
    ],
  },
  {
    title: 'the raw bytes of a CONNECT hold a password and are hidden',
    layout: 'emqx-text',
    lines: [
      `${T} [debug] tag: MQTT, msg: raw_bin_received, bin: 101A00044D5154540502000A00000D6D2D71, size: 28, type: hex`,
    ],
    records: [
      {
        event: 'raw_bytes_received',
        body: 'tag: MQTT, msg: raw_bin_received, bin: ******, size: 28, type: hex',
        attributes: { size: 28 },
      },
    ],
  },
  {
    title: 'binary in front of an EMQX log',
    layout: 'emqx-text',
    lines: ['\0\x01\x02', '9999-99-99T99:99:99.000000+00:00 [info] msg: x'],
    records: [],
    unparsed: ['no-record-start', 'bad-timestamp'],
  },
];
