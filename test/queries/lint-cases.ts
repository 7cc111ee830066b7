/** Samples of the configuration check, one that each rule finds and one that it must leave alone. */

export interface LintCase {
  readonly rule: string;
  /** Release to ask for; absent: not known. */
  readonly release?: string;
  readonly bad: string;
  readonly good: string;
  /** Release for the good sample, where that differs. */
  readonly goodRelease?: string;
}

/** A bridge without a fault, and lines of its own behind it. */
const quic = (...lines: string[]): string =>
  `bridges.mqtt.b {\nserver = "mqtt-quic://h:14567"\nclientid = "c"\nmax_send_queue_len = 32\nmax_recv_queue_len = 32\nquic_keepalive = 5s\nquic_idle_timeout = 60s\n${lines.join('\n')}\n}\nlog.level = info`;
const tcp = (...lines: string[]): string =>
  quic(...lines)
    .replace('mqtt-quic', 'mqtt-tcp')
    .replace(/quic_(?:keep|idle).*\n/g, '');
const FWD = 'forwards = [ { remote_topic = "", local_topic = "up/#" } ]';
const SUB = 'subscription = [ { remote_topic = "down/#", local_topic = "", qos = 1 } ]';

const pair = (rule: string, bad: string, good: string, release?: string, goodRelease?: string): LintCase => ({
  rule,
  bad,
  good,
  release,
  goodRelease,
});

export const LINT_CASES: readonly LintCase[] = [
  pair('syntax', quic('keepalive 60s'), quic('keepalive = 60s')),
  pair('duplicate-key', quic('keepalive = 60s', 'keepalive = 30s'), quic('keepalive = 60s')),
  pair('value-cut-by-comment', quic('clientid = a#b'), quic('clientid = "a#b"')),
  pair('variable-not-replaced', quic(`username = \${NAME}`), quic('username = name')),
  pair('unknown-key', quic('keepalve = 60s'), quic('keepalive = 60s')),
  pair('key-not-read-yet', quic('retry_qos_0 = true'), quic('retry_qos_0 = true'), '0.23.9', '0.23.10'),
  pair('key-without-effect', quic('quic_multi_stream = true'), quic('quic_qos_priority = true')),
  pair('stream-id-without-effect', quic(SUB.replace('qos', 'stream_id')), quic(SUB)),
  pair('quic-key-on-tcp', tcp('quic_qos_priority = true'), quic('quic_qos_priority = true')),
  pair('tcp-key-on-quic', quic('tcp { nodelay = true }'), tcp('tcp { nodelay = true }')),
  pair('bare-number-as-time', quic('keepalive = 60'), quic('keepalive = 60s')),
  pair('time-without-unit', quic('keepalive = "60"'), quic('keepalive = "60s"')),
  pair('ms-as-minutes', quic('keepalive = 500ms'), quic('keepalive = 5m')),
  pair(
    'initial-rtt-in-minutes',
    quic('quic_initial_rtt_ms = 800ms'),
    quic('quic_initial_rtt_ms = 800ms'),
    '0.24.8',
    '0.24.9',
  ),
  pair(
    'seconds-as-milliseconds',
    quic('quic_initial_rtt_ms = 1s'),
    quic('quic_initial_rtt_ms = 1s'),
    '0.24.8',
    '0.24.9',
  ),
  pair('milliseconds-unit-unknown', quic('quic_initial_rtt_ms = 1h'), quic('quic_initial_rtt_ms = 1s'), '0.24.9'),
  pair('ack-delay-capped', quic('quic_max_ack_delay_ms = 17s'), quic('quic_max_ack_delay_ms = 16s'), '0.24.9'),
  pair('time-unit-unknown', quic('keepalive = 1d'), quic('keepalive = 1h')),
  pair('number-passed-over', quic('cancel_timeout = "8000"'), quic('cancel_timeout = 8000')),
  pair('flag-passed-over', quic('clean_start = "true"'), quic('clean_start = true')),
  pair('text-passed-over', quic('password = 123456'), quic('password = "123456"')),
  pair('size-unit-unknown', 'mqtt.max_packet_size = 1M', 'mqtt.max_packet_size = 1MB'),
  pair('out-of-range', quic('proto_ver = 6'), quic('proto_ver = 5')),
  pair('word-unknown', 'log.level = verbose', 'log.level = info'),
  pair('wrong-kind', quic('forwards = "up/#"'), quic(FWD)),
  pair('server-missing', 'bridges.mqtt.b { clientid = c }', quic()),
  pair('server-scheme', quic().replace('mqtt-quic', 'quic'), quic()),
  pair('quic-port-missing', quic().replace(':14567', ''), quic()),
  pair('mqtt31-over-quic', quic('proto_ver = 3'), tcp('proto_ver = 3')),
  pair('quic-certificate-unchecked', quic('ssl { cacertfile = "c" }'), quic('ssl { certfile = "c", keyfile = "k" }')),
  pair('session-not-kept', quic('proto_ver = 5', 'clean_start = false'), quic('proto_ver = 4', 'clean_start = false')),
  pair(
    'session-without-clientid',
    quic('clean_start = false').replace('clientid = "c"\n', ''),
    quic('clean_start = false'),
  ),
  pair('will-incomplete', quic('will { topic = t }'), quic('will { topic = t, payload = p }')),
  pair('hybrid-without-backoff', quic('hybrid_bridging = true'), quic('hybrid_bridging = false')),
  pair(
    'same-clientid',
    `${tcp()}\n${tcp().replace('.b {', '.d {')}`,
    `${tcp()}\n${tcp().replace('.b {', '.d {').replace('"c"', '"e"')}`,
  ),
  pair(
    'two-quic-bridges',
    `${quic(SUB)}\n${quic().replace('.b {', '.d {')}`,
    `${quic(SUB)}\n${tcp().replace('.b {', '.d {')}`,
  ),
  pair('topic-pair-incomplete', quic('forwards = [ { local_topic = "a" } ]'), quic(FWD)),
  pair('wildcard-in-target', quic('forwards = [ { local_topic = "a", remote_topic = "b/#" } ]'), quic(FWD)),
  pair(
    'prefix-with-wildcard',
    quic(FWD.replace('}', ', prefix = "a/#" }')),
    quic(FWD.replace('}', ', prefix = "a/" }')),
  ),
  pair('message-loop', quic(FWD, SUB.replace('down', 'up')), quic(FWD, SUB)),
  pair('quic-keepalive-not-below-idle', quic('quic_keepalive = 60s'), quic('quic_keepalive = 30s')),
  pair('quic-keepalive-tight', quic('quic_keepalive = 40s'), quic('quic_keepalive = 30s')),
  pair('keepalive-zero', quic('keepalive = 0s'), quic('keepalive = 10s')),
  pair('keepalive-no-margin', quic('keepalive = 5s'), quic('keepalive = 10s'), '0.23.6'),
  pair('resend-after-keepalive', tcp('resend_wait = 90000'), tcp('resend_wait = 3000')),
  pair('resend-slow', tcp('resend_interval = 20000'), tcp('resend_interval = 5000')),
  pair('cancel-before-resend', tcp('cancel_timeout = 3000'), tcp('cancel_timeout = 8000')),
  pair('ping-limit-is-backoff', quic('backoff_max = 60s'), quic('backoff_max = 60s'), '0.24.3', '0.24.2'),
  pair('discon-timeout-zero', quic('quic_discon_timeout = 0s'), quic('quic_discon_timeout = 20s')),
  pair(
    'handshake-before-rtt',
    quic('quic_initial_rtt_ms = 800ms'),
    quic('quic_initial_rtt_ms = 800ms'),
    '0.24.8',
    '0.24.9',
  ),
  pair('send-queue-absent', quic(FWD).replace(/max_send.*\n/, ''), quic(FWD), '0.23.10'),
  pair('receive-queue-absent', quic(SUB).replace(/max_recv.*\n/, ''), quic(SUB), '0.23.10'),
  pair('parallel-misbelief', quic('max_parallel_processes = 8'), quic('max_parallel_processes = 2')),
  pair('parallel-one', `system.parallel = 1\n${quic(FWD)}`, `system.parallel = 4\n${quic(FWD)}`),
  pair('qos0-retry-without-effect', quic('retry_qos_0 = true'), quic('retry_qos_0 = true'), '0.24.2', '0.24.3'),
  pair('log-target-unknown', 'log.to = [fil]', 'log.to = [file]'),
  pair('log-target-uds', 'log.to = [uds]', 'log.to = [syslog]'),
  pair('log-too-quiet', quic().replace('info', 'warn'), quic()),
  pair('log-small', 'log { to = [file] }', 'log { to = [file], rotation.size = 100MB }'),
  pair('password-in-log', quic('password = p'), quic('password = p'), '0.23.5', '0.23.6'),
  pair('include-not-read', 'include "absent.conf"', 'log.level = info'),
  pair('release-receive-reset', quic(SUB), quic(SUB), '0.23.1', '0.23.2'),
  pair('tcp-receive-reset', tcp(SUB), tcp(FWD), '0.25.6'),
  pair('release-stuck-busy', quic(FWD), quic(FWD), '0.23.6', '0.23.7'),
  pair('release-parks-qos0', quic(FWD), quic(FWD), '0.23.9', '0.23.10'),
  pair('release-receiver-dead', quic(), quic(), '0.23.9', '0.23.10'),
  pair('release-send-error-stuck', quic('proto_ver = 5', FWD), quic('proto_ver = 5', FWD), '0.23.10', '0.23.9'),
  pair('release-offline-loop', quic(FWD), quic(FWD), '0.24.13', '0.24.14'),
  pair('old-broker-counts-control-stream', quic(FWD), tcp(FWD), '0.25.6'),
];
