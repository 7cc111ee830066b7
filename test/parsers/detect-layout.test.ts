import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detectLayout } from '../../parsers/index.ts';

const CASES: readonly (readonly [string, readonly string[], string | null])[] = [
  ['NanoMQ file', ['', '2025-01-02 03:04:05 [17] INFO  /b/nanomq/bridge.c:866: bridge: x'], 'nanomq-file'],
  [
    'NanoMQ console',
    ['path :/opt', '2025-01-02 03:04:05 [17] INFO  /b/nanomq/bridge.c:866 bridge_cb: x'],
    'nanomq-console',
  ],
  ['NanoMQ on Windows', ['2025-01-02 03:04:05 [17] INFO  D:\\a\\nng\\src\\x.c:10: text'], 'nanomq-file'],
  [
    'NanoMQ in colour',
    ['2025-01-02 03:04:05 [17] \x1b[33mWARN \x1b[0m \x1b[0m/b/x.c:10 \x1b[0m some_func: text'],
    'nanomq-console',
  ],
  ['EMQX text', ['2024-04-01T10:00:00.123456+00:00 [info] msg: terminate'], 'emqx-text'],
  [
    'EMQX 4 text',
    ['2020-04-21 15:01:58.632 [debug] <<"c1">>@172.31.0.20:45207 [MQTT] RECV PINGREQ(Q0, R0, D0)'],
    'emqx-text',
  ],
  [
    'EMQX trace that starts with a log line',
    [
      '2024-04-01T10:00:00.123456+00:00 [debug] tag: MQTT, msg: raw_bin_received',
      '2024-04-01T10:00:00.123457+00:00 [MQTT] c1@10.0.0.9:40000 msg: mqtt_packet_received, packet: PINGREQ(Q0, R0, D0)',
    ],
    'emqx-trace',
  ],
  ['EMQX JSON', ['{"time":1733047200123456,"level":"info","msg":"terminate"}'], 'emqx-json'],
  [
    'EMQX trace JSON',
    ['{"time":"2024-12-16T02:13:14.2+00:00","msg":"x","meta":{},"level":"debug"}'],
    'emqx-trace-json',
  ],
  ['other JSON', ['{"time":1733047200123456,"level":"loud"}'], null],
  ['binary', ['\0\x01\x02', '\ufffd\ufffd'], null],
  ['nothing', [], null],
];

for (const [title, lines, layout] of CASES) {
  test(`detects: ${title}`, () => {
    const found = detectLayout(lines);
    assert.equal(found?.layout ?? null, layout);
    if (found !== null) assert.match(found.evidence, /^line \d+ /);
  });
}
