/** Real lines of both products, and how each collector writes a line. */
import type { Envelope } from '../../../parsers/index.ts';

const BUILD = '/home/runner/work/nanomq/nanomq';

export const LOGS = {
  'nanomq-file': [
    `2026-11-22 04:58:03 [16801] DEBUG ${BUILD}/nng/src/sp/protocol/mqtt/nmq_mqtt.c:1475: open up nmq tcp0 protocol.`,
    `2026-11-22 04:58:03 [16801] INFO  ${BUILD}/nng/src/supplemental/nanolib/conf.c:1295: tcp url:                  nmq-tcp://127.0.0.1:30123 `,
    `2026-11-22 04:58:03 [16801] WARN  ${BUILD}/nng/src/mqtt/protocol/mqtt/mqtt_quic_client.c:334: Cached Message lost! pipe is busy and lmq is full`,
    '',
    `2026-11-22 04:58:04 [16801] DEBUG ${BUILD}/nanomq/apps/broker.c:1085: listener init finished`,
  ],
  'nanomq-console': [
    `2026-11-22 04:58:24 [17972] ERROR ${BUILD}/nng/src/supplemental/nanolib/conf_ver2.c:391 conf_basic_parse_ver2: Read config nanomq ws failed!`,
    `2026-11-22 04:58:24 [17972] DEBUG ${BUILD}/nanomq/apps/broker.c:1190 broker: MQTT bridging service initialization`,
    `2026-11-22 04:58:25 [18] WARN  ${BUILD}/nng/src/mqtt/protocol/mqtt/mqtt_quic_client.c:444 mqtt_quic_recv_cb: 2026-11-22 04:58:25 [35] WARN  ${BUILD}/nng/src/mqtt/protocol/mqtt/msquic_dial.c:1256 msquic_connection_cb: [conn][0x1] Shutdown on CONNECTION_TIMEOUT.`,
    '',
    'MQTT client recv error 18!',
    `2026-11-22 04:58:26 [17972] DEBUG ${BUILD}/nanomq/pub_handler.c:89 init_pipe_content: pub_handler: init pipe_info`,
  ],
  'emqx-text': [
    '2026-11-22T04:58:00.677107+00:00 [info] msg: gen_rpc_dispatcher_start',
    '2026-11-22T04:58:00.687076+00:00 [notice] msg: Starting mria',
    '2026-11-22T04:58:00.690362+00:00 [debug] msg: Ensure mnesia schema',
    '    more of it',
  ],
  'emqx-trace': [
    '2026-11-22T04:58:03.603715+00:00 [MQTT] nano-bridge-01a@127.0.0.1:43455 msg: mqtt_packet_received, packet: CONNECT(Q0, R0, D0, ClientId=nano-bridge-01a, ProtoName=MQTT, ProtoVsn=5, CleanStart=true, KeepAlive=10, Username=bridgeuser, Password=******), username: u',
    '2026-11-22T04:58:03.605498+00:00 [debug] clientid: nano-bridge-01a, msg: insert_channel_info, peername: 127.0.0.1:43455, username: bridgeuser',
    '2026-11-22T04:58:03.605662+00:00 [MQTT] nano-bridge-01a@127.0.0.1:43455 msg: mqtt_packet_sent, packet: CONNACK(Q0, R0, D0, AckFlags=0, ReasonCode=0), username: bridgeuser',
  ],
  'emqx-json': [
    '{"time":1795323480677107,"level":"info","msg":"gen_rpc_dispatcher_start","pid":"<0.496.0>","line":52}',
    '{"time":1795323480687076,"level":"notice","msg":"Starting mria","pid":"<0.507.0>","line":30}',
  ],
  'emqx-trace-json': [
    '{"time":"2026-11-22T05:00:58.512869+00:00","msg":"mqtt_packet_received","meta":{"trace_tag":"MQTT","peername":"127.0.0.1:53432","packet":"CONNECT(Q0, R0, D0, ClientId=norm-sub, ProtoName=MQTT, ProtoVsn=5, CleanStart=true, KeepAlive=30, Username=alice, Password=******)"},"level":"debug"}',
    '{"time":"2026-11-22T05:00:58.512900+00:00","msg":"mqtt_packet_sent","meta":{"trace_tag":"MQTT","peername":"127.0.0.1:53432","packet":"CONNACK(Q0, R0, D0, AckFlags=0, ReasonCode=0)"},"level":"debug"}',
  ],
} as const;

export type LoggedLayout = keyof typeof LOGS;
export const LOGGED_LAYOUTS = Object.keys(LOGS) as LoggedLayout[];

export interface Wrapping {
  readonly title: string;
  wrap(line: string, service: string): string;
  /** What the record's envelope must be, for the service `broker-1`. */
  readonly envelope: Envelope;
  readonly namesService: boolean;
}

/** 2026-11-22T05:00:00.123456Z */
const TS = Date.UTC(2026, 10, 22, 5) * 1000 + 123_456;
const SECOND = TS - 123_456;
const STAMP = '2026-11-22T05:00:00.123456789Z';

export const WRAPPINGS: readonly Wrapping[] = [
  {
    title: 'docker logs -t',
    wrap: (line) => `${STAMP} ${line}`,
    envelope: { collector: 'docker', ts: TS },
    namesService: false,
  },
  {
    title: 'podman logs -t',
    wrap: (line) => `2026-11-22T07:00:00.123456+02:00 ${line}`,
    envelope: { collector: 'docker', ts: TS },
    namesService: false,
  },
  {
    title: 'docker json-file',
    wrap: (line) => JSON.stringify({ log: `${line}\n`, stream: 'stdout', time: STAMP }),
    envelope: { collector: 'docker-json', ts: TS, stream: 'stdout' },
    namesService: false,
  },
  {
    title: 'docker json-file with a tag, of a terminal',
    wrap: (line, tag) => JSON.stringify({ log: `${line}\r\n`, stream: 'stdout', attrs: { tag }, time: STAMP }),
    envelope: { collector: 'docker-json', ts: TS, service: 'broker-1', stream: 'stdout' },
    namesService: true,
  },
  {
    title: 'compose',
    wrap: (line, service) => `${service}   | ${line}`,
    envelope: { collector: 'compose', service: 'broker-1' },
    namesService: true,
  },
  {
    title: 'compose in colour',
    wrap: (line, service) => `\x1b[36m${service}  | \x1b[0m${line}`,
    envelope: { collector: 'compose', service: 'broker-1' },
    namesService: true,
  },
  {
    title: 'compose 1 in colour',
    wrap: (line, service) => `\x1b[36;1m${service}    |\x1b[0m ${line}`,
    envelope: { collector: 'compose', service: 'broker-1' },
    namesService: true,
  },
  {
    title: 'compose with stamps',
    wrap: (line, service) => `${service}  | ${STAMP} ${line}`,
    envelope: { collector: 'compose', service: 'broker-1', ts: TS },
    namesService: true,
  },
  {
    title: 'journalctl -o short',
    wrap: (line, service) => `Nov 02 05:00:00 edge-7 ${service}[912]: ${line}`,
    envelope: { collector: 'journald', host: 'edge-7', service: 'broker-1', pid: 912 },
    namesService: true,
  },
  {
    title: 'journalctl -o short-precise',
    wrap: (line, service) => `Nov 02 05:00:00.123456 edge-7 ${service}[912]: ${line}`,
    envelope: { collector: 'journald', host: 'edge-7', service: 'broker-1', pid: 912 },
    namesService: true,
  },
  {
    title: 'journalctl -o short-iso',
    wrap: (line, service) => `2026-11-22T06:00:00+0100 edge-7 ${service}[912]: ${line}`,
    envelope: { collector: 'journald', ts: SECOND, host: 'edge-7', service: 'broker-1', pid: 912 },
    namesService: true,
  },
  {
    title: 'journalctl -o short-iso-precise',
    wrap: (line, service) => `2026-11-22T06:00:00.123456+0100 edge-7 ${service}[912]: ${line}`,
    envelope: { collector: 'journald', ts: TS, host: 'edge-7', service: 'broker-1', pid: 912 },
    namesService: true,
  },
  {
    title: 'journalctl -o short-full',
    wrap: (line, service) => `Sun 2026-11-22 05:00:00 UTC edge-7 ${service}[912]: ${line}`,
    envelope: { collector: 'journald', ts: SECOND, host: 'edge-7', service: 'broker-1', pid: 912 },
    namesService: true,
  },
  {
    title: 'journalctl -o json',
    wrap: (MESSAGE, service) =>
      JSON.stringify({
        __CURSOR: 's=1;i=2',
        __REALTIME_TIMESTAMP: String(TS),
        _HOSTNAME: 'edge-7',
        _PID: '912',
        PRIORITY: '6',
        SYSLOG_IDENTIFIER: service,
        MESSAGE,
      }),
    envelope: { collector: 'journald', ts: TS, host: 'edge-7', service: 'broker-1', pid: 912, priority: 6 },
    namesService: true,
  },
  {
    title: 'journalctl -o json with the message as bytes',
    wrap: (line, service) =>
      JSON.stringify({
        MESSAGE: [...Buffer.from(line)],
        SYSLOG_IDENTIFIER: service,
        SYSLOG_FACILITY: '3',
        PRIORITY: '3',
        __REALTIME_TIMESTAMP: String(TS),
      }),
    envelope: { collector: 'journald', ts: TS, service: 'broker-1', priority: 27 },
    namesService: true,
  },
  {
    title: 'syslog RFC 3164',
    wrap: (line, service) => `Nov  2 05:00:00 edge-7 ${service}[912]: ${line}`,
    envelope: { collector: 'syslog', host: 'edge-7', service: 'broker-1', pid: 912 },
    namesService: true,
  },
  {
    title: 'syslog RFC 3164 with PRI and without a process id',
    wrap: (line, service) => `<30>Nov 22 05:00:00 edge-7 ${service}: ${line}`,
    envelope: { collector: 'syslog', host: 'edge-7', service: 'broker-1', priority: 30 },
    namesService: true,
  },
  {
    title: 'rsyslog with ISO time',
    wrap: (line, service) => `2026-11-22T06:00:00.123456+01:00 edge-7 ${service}[912]: ${line}`,
    envelope: { collector: 'syslog', ts: TS, host: 'edge-7', service: 'broker-1', pid: 912 },
    namesService: true,
  },
  {
    title: 'syslog RFC 5424',
    wrap: (line, service) => `<30>1 2026-11-22T05:00:00.123456Z edge-7 ${service} 912 - - ${line}`,
    envelope: { collector: 'syslog', ts: TS, host: 'edge-7', service: 'broker-1', pid: 912, priority: 30 },
    namesService: true,
  },
  {
    title: 'syslog RFC 5424 with structured data, a byte order mark and no PRI',
    wrap: (line, service) =>
      `1 2026-11-22T05:00:00.123456Z edge-7 ${service} - ID1 [a@1 k="v \\" ]"][b@2 c="d"] \ufeff${line}`,
    envelope: { collector: 'syslog', ts: TS, host: 'edge-7', service: 'broker-1' },
    namesService: true,
  },
  {
    title: 'Kubernetes CRI',
    wrap: (line) => `${STAMP} stderr F ${line}`,
    envelope: { collector: 'cri', ts: TS, stream: 'stderr' },
    namesService: false,
  },
  {
    title: 'kubectl logs --prefix',
    wrap: (line, service) => `[pod/${service}/emqx] ${line}`,
    envelope: { collector: 'kubectl', service: 'pod/broker-1/emqx' },
    namesService: true,
  },
  {
    title: 'kubectl logs --prefix --timestamps',
    wrap: (line, service) => `[pod/${service}/emqx] ${STAMP} ${line}`,
    envelope: { collector: 'kubectl', service: 'pod/broker-1/emqx', ts: TS },
    namesService: true,
  },
];
