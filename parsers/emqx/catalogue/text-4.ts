/** Text messages of 4.0 to 4.4 (spec emqx-logs.md section 3.9). */
import type { EmqxTextRow } from '../catalogue-row.ts';

const V4 = { since: '4.0.0', until: '4.4.x' } as const;
const REASON = { reason: 'reason' } as const;

export const text4Rows: readonly EmqxTextRow[] = [
  { ...V4, event: 'raw_bytes_received', pattern: /^\[MQTT(?:\/WS)?\] RECV <</ },
  {
    ...V4,
    event: 'mqtt_packet_received',
    pattern: /^\[(?:MQTT|MQTT\/WS|Channel)\] RECV (?<packet>[A-Z]+\([\s\S]*)$/,
    fields: { packet: 'packet' },
  },
  {
    ...V4,
    event: 'mqtt_packet_sent',
    pattern: /^\[(?:MQTT|MQTT\/WS)\] SEND (?<packet>[A-Z]+\([\s\S]*)$/,
    fields: { packet: 'packet' },
  },
  {
    ...V4,
    event: 'socket_force_closed',
    pattern: /^\[MQTT(?:\/WS)?\] Force to close the socket due to (?<reason>[\s\S]+)$/,
    fields: REASON,
  },
  {
    ...V4,
    event: 'connection_terminated',
    pattern: /^\[MQTT(?:\/WS)?\] Terminated due to (?<reason>[\s\S]+)$/,
    fields: REASON,
    until: '4.2.x',
  },
  {
    ...V4,
    event: 'socket_error',
    pattern: /^\[MQTT\] (?:Socket error|socket_error): (?<reason>[\s\S]+)$/,
    fields: REASON,
  },
  {
    ...V4,
    event: 'outgoing_packet_too_large',
    pattern: /^\[MQTT(?:\/WS)?\] (?<packet>[\s\S]+) is discarded due to the frame is too large/,
    fields: { packet: 'packet' },
  },
  {
    ...V4,
    event: 'frame_parse_failed',
    pattern: /^\[MQTT(?:\/WS)?\] Parse failed for (?<reason>(?:(?!, |\n)[\s\S])+)/,
    fields: { reason: 'crash_reason' },
  },
  {
    ...V4,
    event: 'receive_paused_rate_limit',
    pattern: /^\[MQTT\] Pause (?<paused_ms>\d+)ms due to rate limit/,
    fields: { paused_ms: 'int' },
  },
  {
    ...V4,
    event: 'authentication_failure',
    pattern: /^\[Channel\] Client \S* ?\(Username: '[^']*'\) login failed for (?<reason>[\s\S]+)$/,
    fields: REASON,
  },
  {
    ...V4,
    event: 'publish_rejected',
    pattern: /^\[Channel\] Cannot publish messages? to (?<topic>[\s\S]+) due to (?<reason>[\s\S]+?)\.?$/,
    fields: REASON,
  },
  {
    ...V4,
    event: 'subscribe_rejected',
    pattern: /^\[Channel\] Cannot subscribe (?<topic>[\s\S]+) due to (?<reason>[\s\S]+?)\.?$/,
    fields: REASON,
  },
  {
    ...V4,
    event: 'puback_unexpected',
    pattern: /^\[Channel\] The PUBACK PacketId (?<packet_id>\d+) is /,
    fields: { packet_id: 'int' },
  },
  {
    ...V4,
    event: 'pubrec_pubrel_pubcomp_unexpected',
    pattern: /^\[Channel\] The PUB(?:REC|REL|COMP) PacketId (?<packet_id>\d+) is /,
    fields: { packet_id: 'int' },
  },
  // Not in the spec: seen in real logs of 4.4, before a disconnect for a protocol error.
  { ...V4, event: 'unexpected_packet_disconnect', pattern: /^\[Channel\] Unexpected incoming: / },
  {
    ...V4,
    event: 'delivery_dropped_queue_full',
    pattern: /^\[Session\] Dropped msg due to mqueue is full: Message\(Id=[^,]*, QoS=\d, Topic=(?<topic>.*?), From=/,
  },
  {
    ...V4,
    event: 'delivery_dropped_qos0',
    pattern: /^\[Session\] Dropped qos0 msg: Message\(Id=[^,]*, QoS=\d, Topic=(?<topic>.*?), From=/,
  },
  {
    ...V4,
    event: 'qos2_packet_dropped',
    pattern: /^\[Session\] Dropped the qos2 packet (?<packet_id>\d+)/,
    fields: { packet_id: 'int' },
  },
  {
    ...V4,
    event: 'flapping_detected',
    pattern:
      /^\[Flapping\] Flapping detected: (?<clientid>[\s\S]*?)\((?<peer_host>[^()]*)\) disconnected (?<detect_cnt>\d+) times in (?<wind_time_in_ms>\d+)ms/,
    fields: { detect_cnt: 'int', wind_time_in_ms: 'int' },
  },
  {
    ...V4,
    event: 'alarm_activated',
    pattern: /^\[Alarm Handler\] Alarm (?<name>.+?) is activated(?:, (?<message>[\s\S]+))?$/,
  },
  { ...V4, event: 'alarm_deactivated', pattern: /^\[Alarm Handler\] Alarm (?<name>.+?) is deactivated/ },
  { ...V4, event: 'duplicate_channels', pattern: /^\[CM\] more_than_one_channel_found/ },
  { ...V4, event: 'remote_kick_failed', pattern: /^\[CM\] failed_to_kick_session_on_remote_node/ },
  { ...V4, event: 'kick_unknown_session', pattern: /^\[CM\] kicked_an_unknown_session/ },
  {
    ...V4,
    event: 'vm_long_schedule',
    pattern: /^\[SYSMON\] long_schedule warning(?:[^\n]*?info: (?<info>[^\n]*))?/,
    fields: { info: 'info_ms' },
  },
  {
    ...V4,
    event: 'vm_long_gc',
    pattern: /^\[SYSMON\] long_gc warning(?:[^\n]*?info: (?<info>[^\n]*))?/,
    fields: { info: 'info_ms' },
  },
  { ...V4, event: 'vm_large_heap', pattern: /^\[SYSMON\] large_heap warning/ },
  { ...V4, event: 'vm_busy_port', pattern: /^\[SYSMON\] busy_port warning/ },
  { ...V4, event: 'vm_busy_dist_port', pattern: /^\[SYSMON\] busy_dist_port warning/ },
  {
    ...V4,
    event: 'publish_routed',
    pattern: /^PUBLISH to (?=[\s\S]*>>$)(?<topic>[\s\S]+?): (?<payload><<[\s\S]*>>)$/,
    fields: { payload: 'payload' },
  },
  {
    ...V4,
    event: 'broker_subscribe',
    pattern:
      /^(?=[\s\S]*: Options: #\{)(?<sub_id>[\s\S]*?) SUBSCRIBE (?<topic>[\s\S]+): Options: (?<sub_opts>#\{[\s\S]*)$/,
    fields: { sub_opts: 'sub_opts' },
  },
  {
    ...V4,
    event: 'broker_unsubscribe',
    pattern: /^(?=[\s\S]*: Options: )(?:[\s\S]*? )?UNSUBSCRIBE (?<topic>[\s\S]+?): Options: /,
  },
  // Not in the spec: seen in real logs of 4.4.
  { ...V4, event: 'trace_control', pattern: /^\[Tracer\] (?:Start|Stop) trace / },
  { ...V4, event: 'unexpected_message', pattern: /^\[[\w /]+\] Unexpected (?:call|cast|info|message|timeout)/i },
];
