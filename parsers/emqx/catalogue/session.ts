/** Messages, queues and limits (spec emqx-logs.md section 3.4), takeover and discard (3.5). */
import type { EmqxCatalogueRow } from '../catalogue-row.ts';

const TOPIC_PAYLOAD = { topic: 'text', payload: 'payload' } as const;
const DROPPED = { ...TOPIC_PAYLOAD, queue: 'queue' } as const;
const STEPDOWN = { conn_mod: 'text', action: 'printed', stale_pid: 'printed' } as const;

export const sessionRows: readonly EmqxCatalogueRow[] = [
  { event: 'publish_routed', msgs: ['publish_to'], tag: 'PUBLISH', fields: TOPIC_PAYLOAD },
  {
    event: 'broker_subscribe',
    msgs: ['subscribe'],
    tag: 'SUBSCRIBE',
    fields: { topic: 'text', sub_id: 'text', sub_opts: 'sub_opts' },
  },
  { event: 'broker_unsubscribe', msgs: ['unsubscribe'], tag: 'UNSUBSCRIBE', fields: { topic: 'text' } },
  {
    event: 'publish_blocked_by_hook',
    msgs: ['msg_publish_not_allowed', 'msg_publish_not_allowed_disconnect', 'msg_not_routed_to_subscribers'],
    tag: 'MQTT',
    fields: { topic: 'text' },
  },
  {
    event: 'publish_error',
    msgs: ['publishing_error'],
    fields: { exception: 'text', reason: 'reason', topic: 'text' },
  },
  {
    event: 'delivery_dropped_queue_full',
    msgs: ['dropped_msg_due_to_mqueue_is_full'],
    fields: DROPPED,
  },
  { event: 'delivery_dropped_qos0', msgs: ['dropped_qos0_msg'], fields: DROPPED },
  {
    event: 'qos2_packet_dropped',
    msgs: ['dropped_qos2_packet'],
    fields: { reason: 'reason', packet_id: 'int', topic: 'text' },
  },
  { event: 'puback_unexpected', msgs: ['puback_packetId_*'], fields: { packetId: ['int', 'packet_id'] } },
  {
    event: 'pubrec_pubrel_pubcomp_unexpected',
    msgs: ['pubrec_packetId_*', 'pubrel_packetId_*', 'pubcomp_packetId_*'],
    fields: { packetId: ['int', 'packet_id'] },
  },
  {
    event: 'receive_paused_rate_limit',
    msgs: ['socket_receive_paused_by_rate_limit'],
    tag: 'RATE',
    fields: { paused_ms: 'int' },
    since: '5.8.0',
  },
  {
    event: 'receive_paused_rate_limit',
    msgs: ['pause_time_dueto_rate_limit'],
    fields: { time_in_ms: ['int', 'paused_ms'] },
    until: '5.7.x',
  },
  {
    event: 'delivery_quota_exceeded',
    msgs: ['cannot_deliver_from_topic_due_to_quota_exceeded'],
    fields: { topic: 'text' },
    since: '6.0.0',
  },
  {
    event: 'will_publish_denied',
    msgs: ['last_will_testament_publish_denied'],
    fields: { topic: 'text', client_banned: 'bool', publishing_disallowed: 'bool' },
  },
  {
    event: 'log_throttle_summary',
    msgs: ['log_events_throttled_during_last_period'],
    fields: { dropped: 'counts', period: ['duration', 'period_s'] },
    since: '5.6.0',
    means: 'how often each message was not logged in the last minute',
  },
  {
    event: 'session_stepdown_timeout',
    msgs: ['session_stepdown_request_timeout', 'ws_session_stepdown_request_timeout'],
    fields: STEPDOWN,
    since: '4.3.0',
  },
  {
    event: 'session_stepdown_exception',
    msgs: ['session_stepdown_request_exception', 'ws_session_stepdown_request_exception'],
    fields: { ...STEPDOWN, error: 'printed', reason: 'reason' },
    since: '4.3.0',
  },
  {
    event: 'session_already_gone',
    msgs: ['session_already_*', 'ws_session_already_*'],
    fields: STEPDOWN,
    since: '4.3.0',
  },
  {
    event: 'remote_kick_failed',
    msgs: ['failed_to_kick_session_on_remote_node'],
    fields: { node: 'text', action: 'printed', error: 'printed', reason: 'reason' },
  },
  { event: 'kick_unknown_session', msgs: ['kicked_an_unknown_session'], fields: {} },
  { event: 'duplicate_channels', msgs: ['more_than_one_channel_found'], fields: { chan_pids: 'printed' } },
  { event: 'channel_registered', msgs: ['insert_channel_info'], fields: {} },
  // Not in the spec: seen in real logs of 4.4.
  { event: 'session_takeover_begin', msgs: ['emqx_channel_takeover_begin'], fields: {} },
  { event: 'session_takeover_end', msgs: ['emqx_channel_takeover_end'], fields: {} },
  { event: 'channel_cleaned', msgs: ['emqx_cm_clean_down'], fields: {} },
  {
    event: 'will_message_decision',
    msgs: ['willmsg_wrong_state', 'maybe_publish_will*'],
    fields: { reason: 'reason' },
    since: '5.4.0',
  },
];
