/**
 * Keys of nanomq.conf (nanomq-logs §3.2, §3.3; NanoNNG conf_ver2.c for the sections without a bridge). `*` stands for a name of the
 * user's, `[]` for the items of a list.
 */

export type KeyType = 'time' | 'milliseconds' | 'number' | 'size' | 'flag' | 'text' | 'list' | 'group' | 'free';

export interface KeyRow {
  readonly path: string;
  readonly type: KeyType;
  /** First release that reads it; absent: all that are known (0.22.10 on). */
  readonly since?: string;
  /** Smallest and largest value that makes sense, in the unit of the type: seconds, milliseconds, count. */
  readonly range?: readonly [number, number];
  /** Value in force without the key, where a 0 is passed over and would have meant something else. */
  readonly fallback?: number;
  /** Words that it may be. */
  readonly words?: readonly string[];
}

const row = (path: string, type: KeyType, more: Omit<KeyRow, 'path' | 'type'> = {}): KeyRow => ({
  path,
  type,
  ...more,
});

/** MQTT 5.0 §3.1.2.10: two bytes. */
const KEEPALIVE_MAX_S = 65_535;
const QOS: readonly [number, number] = [0, 2];
const ANY_PACKET: readonly [number, number] = [0, 4_294_967_295];

const TLS_KEYS = (under: string): KeyRow[] => [
  row(under, 'group'),
  ...['keyfile', 'certfile', 'cacertfile', 'key_password'].map((key) => row(`${under}.${key}`, 'text')),
];

const CONNECTION_KEYS = (under: string): KeyRow[] => [
  row(`${under}.server`, 'text'),
  row(`${under}.proto_ver`, 'number', { range: [3, 5], fallback: 4 }),
  row(`${under}.clientid`, 'text'),
  row(`${under}.keepalive`, 'time', { range: [0, KEEPALIVE_MAX_S] }),
  row(`${under}.backoff_max`, 'time', { range: [0, 600] }), // §3.3: more is cut to 360 s
  row(`${under}.clean_start`, 'flag'),
  row(`${under}.username`, 'text'),
  row(`${under}.password`, 'text'),
  ...TLS_KEYS(`${under}.ssl`),
  row(`${under}.ssl.enable`, 'flag', { since: '0.24.13' }),
  row(`${under}.ssl.verify_peer`, 'flag'),
  row(`${under}.ssl.fail_if_no_peer_cert`, 'flag'),
  row(`${under}.conn_properties`, 'group'),
  row(`${under}.conn_properties.maximum_packet_size`, 'number', { range: ANY_PACKET }),
  row(`${under}.conn_properties.receive_maximum`, 'number', { range: [1, 65_535], fallback: 65_535 }),
  row(`${under}.conn_properties.topic_alias_maximum`, 'number', { range: [0, 65_535] }),
  row(`${under}.conn_properties.request_problem_infomation`, 'number', { range: [0, 1], fallback: 1 }), // spelt so
  row(`${under}.conn_properties.request_response_infomation`, 'number', { range: [0, 1] }),
  row(`${under}.conn_properties.session_expiry_interval`, 'number', { range: ANY_PACKET }),
  row(`${under}.conn_properties.user_property`, 'free'),
  row(`${under}.will`, 'group'),
  row(`${under}.will.topic`, 'text'),
  row(`${under}.will.payload`, 'text'),
  row(`${under}.will.qos`, 'number', { range: QOS }),
  row(`${under}.will.retain`, 'flag'),
  row(`${under}.will.properties`, 'group'),
  row(`${under}.will.properties.payload_format_indicator`, 'number', { range: [0, 1] }),
  row(`${under}.will.properties.message_expiry_interval`, 'number', { range: ANY_PACKET }),
  row(`${under}.will.properties.will_delay_interval`, 'number', { range: ANY_PACKET }),
  row(`${under}.will.properties.content_type`, 'text'),
  row(`${under}.will.properties.response_topic`, 'text'),
  row(`${under}.will.properties.correlation_data`, 'text'),
  row(`${under}.will.properties.user_property`, 'free'),
  row(`${under}.forwards`, 'list'),
  row(`${under}.forwards[].remote_topic`, 'text'),
  row(`${under}.forwards[].local_topic`, 'text'),
  row(`${under}.forwards[].qos`, 'number', { range: QOS }),
  row(`${under}.forwards[].retain`, 'number', { range: [0, 2] }),
  row(`${under}.forwards[].prefix`, 'text'),
  row(`${under}.forwards[].suffix`, 'text'),
  row(`${under}.subscription`, 'list'),
  row(`${under}.subscription[].remote_topic`, 'text'),
  row(`${under}.subscription[].local_topic`, 'text'),
  row(`${under}.subscription[].qos`, 'number', { range: QOS }),
  row(`${under}.subscription[].retain`, 'number', { range: [0, 2] }),
  row(`${under}.subscription[].retain_as_published`, 'number', { range: [0, 1] }),
  row(`${under}.subscription[].retain_handling`, 'number', { range: [0, 2] }),
  row(`${under}.subscription[].prefix`, 'text'),
  row(`${under}.subscription[].suffix`, 'text'),
  row(`${under}.subscription[].stream_id`, 'number'),
  row(`${under}.subscription[].nolocal`, 'flag', { since: '0.25.6' }),
  row(`${under}.sub_properties`, 'group'),
  row(`${under}.sub_properties.identifier`, 'number', { range: [1, 268_435_455] }),
  row(`${under}.sub_properties.user_property`, 'free'),
  row(`${under}.max_parallel_processes`, 'number', { fallback: 2 }),
];

const BRIDGE = 'bridges.mqtt.*';

const BRIDGE_KEYS: readonly KeyRow[] = [
  row(BRIDGE, 'group'),
  ...CONNECTION_KEYS(BRIDGE),
  row(`${BRIDGE}.enable`, 'flag', { since: '0.23.3' }),
  row(`${BRIDGE}.bridge_mode`, 'flag'), // only the older form
  row(`${BRIDGE}.transparent`, 'flag', { since: '0.23.0' }),
  row(`${BRIDGE}.max_send_queue_len`, 'number'),
  row(`${BRIDGE}.max_recv_queue_len`, 'number'),
  row(`${BRIDGE}.resend_interval`, 'number', { fallback: 5_000 }),
  row(`${BRIDGE}.resend_wait`, 'number', { fallback: 3_000 }),
  row(`${BRIDGE}.cancel_timeout`, 'number', { fallback: 10_000 }),
  row(`${BRIDGE}.retry_qos_0`, 'flag', { since: '0.23.10' }),
  row(`${BRIDGE}.no_local_v4`, 'flag', { since: '0.24.13' }),
  row(`${BRIDGE}.hybrid_bridging`, 'flag'),
  row(`${BRIDGE}.hybrid_servers`, 'list'),
  row(`${BRIDGE}.tcp`, 'group'),
  ...['nodelay', 'keepalive', 'quickack'].map((key) => row(`${BRIDGE}.tcp.${key}`, 'flag')),
  ...['keepidle', 'keepintvl', 'keepcnt', 'sendtimeo', 'recvtimeo'].map((key) => row(`${BRIDGE}.tcp.${key}`, 'time')),
  row(`${BRIDGE}.tcp.bind_interface`, 'text', { since: '0.23.9' }),
  row(`${BRIDGE}.bind_interface`, 'text', { since: '0.23.9' }),
  row(`${BRIDGE}.quic_keepalive`, 'time', { range: [0, 1800] }),
  row(`${BRIDGE}.quic_idle_timeout`, 'time'),
  row(`${BRIDGE}.quic_discon_timeout`, 'time', { range: [0, 600] }),
  row(`${BRIDGE}.quic_handshake_timeout`, 'time'),
  row(`${BRIDGE}.quic_send_idle_timeout`, 'time', { range: [0, 60] }),
  row(`${BRIDGE}.quic_initial_rtt_ms`, 'milliseconds'),
  row(`${BRIDGE}.quic_max_ack_delay_ms`, 'milliseconds'),
  row(`${BRIDGE}.quic_multi_stream`, 'flag'),
  row(`${BRIDGE}.quic_qos_priority`, 'flag'),
  row(`${BRIDGE}.quic_0rtt`, 'flag'),
  row(`${BRIDGE}.congestion_control`, 'text'),
  row(`${BRIDGE}.quic_congestion_control`, 'text'), // the older form's
];

const CACHE_KEYS = (under: string): KeyRow[] => [
  row(under, 'group'),
  row(`${under}.enable`, 'flag'), // only the older form
  row(`${under}.disk_cache_size`, 'number', { fallback: 102_400 }),
  row(`${under}.mounted_file_path`, 'text'),
  row(`${under}.flush_mem_threshold`, 'number', { fallback: 100 }),
  row(`${under}.resend_interval`, 'number'),
];

const THREADS: readonly [number, number] = [0, 255];

const BROKER_KEYS: readonly KeyRow[] = [
  row('system', 'group'),
  row('system.daemon', 'flag'),
  row('system.num_taskq_thread', 'number', { range: THREADS }),
  row('system.max_taskq_thread', 'number', { range: THREADS }),
  row('system.parallel', 'number', { range: THREADS }),
  row('system.enable_ipc_internal', 'flag'),
  row('system.hook_ipc_url', 'text'),
  row('system.cmd_ipc_url', 'text'),
  row('mqtt', 'group'),
  row('mqtt.property_size', 'number'),
  row('mqtt.max_packet_size', 'size'),
  row('mqtt.client_max_packet_size', 'size'),
  row('mqtt.max_mqueue_len', 'number'),
  row('mqtt.retry_interval', 'time'),
  row('mqtt.keepalive_multiplier', 'number', { range: [0.5, 100], fallback: 1.5 }),
  row('mqtt.max_inflight_window', 'number'),
  row('mqtt.max_awaiting_rel', 'time'),
  row('mqtt.await_rel_timeout', 'time'),
  row('log', 'group'),
  row('log.to', 'list'),
  row('log.level', 'text', { words: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] }),
  row('log.dir', 'text'),
  row('log.file', 'text'),
  row('log.rotation', 'group'),
  row('log.rotation.size', 'size'),
  row('log.rotation.count', 'number', { fallback: 5 }),
  row('log.uds_addr', 'text'),
  ...['bridges', 'bridges.mqtt', 'bridges.aws'].map((path) => row(path, 'group')),
  row('bridges.aws.*', 'group'),
  ...CONNECTION_KEYS('bridges.aws.*'),
  row('bridges.aws.*.host', 'text'), // only the older form
  row('bridges.aws.*.port', 'number'),
  row('bridges.aws.*.bridge_mode', 'flag'),
  ...CACHE_KEYS('bridges.mqtt.cache'),
  ...CACHE_KEYS('sqlite'),
];

/** Sections whose keys are not checked: they do not bear on a bridge. */
const OTHER_SECTIONS: readonly string[] = [
  'listeners',
  'http_server',
  'webhook',
  'web', // web.hook of the older form
  'auth',
  'acl',
  'rules',
  'rule',
  'parquet',
  'exchange_client',
  'exchange',
  'plugin',
  'plugins',
  'gateway',
  'preset',
  'license',
];

/** Of the older form alone, at its top. */
const OLD_TOP_KEYS: readonly string[] = [
  'client_max_packet_size',
  'max_packet_size',
  'keepalive_backoff',
  'allow_anonymous',
  'acl_enable',
  'acl_nomatch',
  'enable_acl_cache',
  'acl_cache_max_size',
  'acl_cache_ttl',
  'acl_deny_action',
];

export const KEYS: readonly KeyRow[] = [
  ...BROKER_KEYS,
  ...BRIDGE_KEYS,
  ...OTHER_SECTIONS.map((path) => row(path, 'free')),
];

export const OLD_KEYS: readonly KeyRow[] = OLD_TOP_KEYS.map((path) => row(path, 'free'));

/** Names under which NanoMQ's documents, other brokers or earlier releases have a key. */
export const OTHER_NAMES: { readonly [name: string]: string } = {
  address: 'server',
  client_id: 'clientid',
  client_identifier: 'clientid',
  user: 'username',
  proto_version: 'proto_ver',
  protocol_version: 'proto_ver',
  clean_session: 'clean_start',
  keep_alive: 'keepalive',
  subscriptions: 'subscription',
  forward: 'forwards',
  tls: 'ssl',
  parallel: 'max_parallel_processes',
  cafile: 'cacertfile',
  reconnect_interval: 'backoff_max',
  quic_disconnect_timeout: 'quic_discon_timeout',
  qidle_timeout: 'quic_idle_timeout',
  qsend_idle_timeout: 'quic_send_idle_timeout',
  quic_connect_timeout: 'quic_handshake_timeout',
  transparent_bridging: 'transparent',
  request_problem_information: 'request_problem_infomation',
  request_response_information: 'request_response_infomation',
  no_local: 'nolocal',
};
