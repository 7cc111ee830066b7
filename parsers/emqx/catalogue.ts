/**
 * What EMQX logs, by `msg` (spec emqx-logs.md section 3): event name and the fields that become attributes.
 *
 * Only these fields are kept, because only they are the same in text, JSON and trace files; the rest is in the record's body.
 */

/** How a field's value is read; see `fields.ts`. */
export type FieldKind = 'text' | 'int' | 'bool' | 'reason' | 'packet' | 'packets' | 'payload' | 'sub_opts' | 'printed';

export interface EmqxCatalogueRow {
  readonly event: string;
  /** Values of `msg`; one that ends in `*` stands for all that start so. */
  readonly msgs: readonly string[];
  /** Lines without `msg` are known by their keys: all of these are there. */
  readonly keys?: readonly string[];
  /** The row holds only if this key is there. */
  readonly needs?: string;
  readonly fields: { readonly [key: string]: FieldKind };
}

const NONE = {};
const REASON = { reason: 'reason' } as const;
const TOPIC_REASON = { topic: 'text', reason: 'reason' } as const;

export const emqxCatalogue: readonly EmqxCatalogueRow[] = [
  // 3.1 packets and bytes
  { event: 'mqtt_packet_received', msgs: ['mqtt_packet_received'], fields: { packet: 'packet' } },
  {
    event: 'quic_data_stream_packets_sent',
    msgs: ['mqtt_packet_sent'],
    needs: 'packets',
    fields: { packets: 'packets' },
  },
  { event: 'mqtt_packet_sent', msgs: ['mqtt_packet_sent'], fields: { packet: 'packet' } },
  { event: 'raw_bytes_received', msgs: ['raw_bin_received'], fields: { size: 'int' } },
  { event: 'frame_parse_error', msgs: ['frame_parse_error'], fields: REASON },
  // Before 5.8.2 these two had no msg.
  { event: 'frame_parse_failed', msgs: [], keys: ['at_state', 'input_bytes', 'stacktrace'], fields: REASON },
  { event: 'frame_parse_error', msgs: [], keys: ['at_state', 'input_bytes'], fields: REASON },
  { event: 'frame_parse_failed', msgs: ['frame_parse_failed'], fields: REASON },
  {
    event: 'outgoing_packet_too_large',
    msgs: ['packet_is_discarded', 'packet_discarded'],
    fields: { reason: 'reason', packet: 'packet' },
  },
  { event: 'malformed_message_after_disconnect', msgs: ['malformed_mqtt_message'], fields: REASON },
  { event: 'unexpected_packet_disconnect', msgs: ['disconnecting_due_to_unexpected_message'], fields: NONE },
  { event: 'unexpected_connect_packet', msgs: ['unexpected_connect_packet'], fields: { conn_state: 'text' } },
  {
    event: 'unexpected_packet_state',
    msgs: ['unexpected_packet', 'unexpected_auth_packet'],
    fields: { conn_state: 'text' },
  },
  { event: 'invalid_publish_packet', msgs: ['invalid_publish_packet'], fields: REASON },
  // 3.2 connection end
  { event: 'socket_force_closed', msgs: ['socket_force_closed'], fields: REASON },
  { event: 'connection_terminated', msgs: ['emqx_connection_terminated'], fields: REASON },
  { event: 'connection_terminate_info', msgs: ['terminate'], fields: REASON },
  { event: 'connection_unclean_terminate', msgs: ['unclean_terminate'], fields: NONE },
  { event: 'websocket_closed', msgs: ['websocket_closed', 'websocket_terminated'], fields: REASON },
  { event: 'socket_error', msgs: ['socket_error'], fields: REASON },
  {
    event: 'connection_oom_shutdown',
    msgs: ['check_oom_shutdown'],
    fields: { incoming_pubs: 'int', incoming_bytes: 'int' },
  },
  {
    event: 'socket_option_failed',
    msgs: ['failed_to_set_custom_socket_option', 'received_unknown_cast'],
    fields: REASON,
  },
  { event: 'keepalive_updated', msgs: ['keepalive_updated'], fields: { old_keepalive: 'int', new_keepalive: 'int' } },
  // 3.3 authentication, authorization, session opening
  { event: 'authentication_failure', msgs: ['authentication_failure'], fields: REASON },
  { event: 'authentication_result', msgs: ['authentication_result'], fields: REASON },
  { event: 'authenticator_result', msgs: ['authenticator_result'], fields: { authenticator: 'text' } },
  { event: 'authenticator_error', msgs: ['authenticator_error'], fields: { reason: 'reason', authenticator: 'text' } },
  { event: 'authn_prehook', msgs: ['pre_hook_authenticate'], fields: REASON },
  {
    event: 'authorization_allowed',
    msgs: ['authorization_permission_allowed'],
    fields: { topic: 'text', action: 'printed', source: 'text' },
  },
  {
    event: 'authorization_denied',
    msgs: ['authorization_permission_denied'],
    fields: { topic: 'text', action: 'printed', source: 'text' },
  },
  {
    event: 'authorization_rule_result',
    msgs: [
      'authorization_matched_*',
      'authorization_nomatch',
      'authorization_module_ignore',
      'authorization_skipped_as_superuser',
    ],
    fields: { topic: 'text' },
  },
  { event: 'publish_denied', msgs: ['cannot_publish_to_topic_due_to_not_authorized'], fields: TOPIC_REASON },
  { event: 'publish_quota_exceeded', msgs: ['cannot_publish_to_topic_due_to_quota_exceeded'], fields: TOPIC_REASON },
  { event: 'publish_rejected', msgs: ['cannot_publish_to_topic'], fields: TOPIC_REASON },
  { event: 'subscribe_rejected', msgs: ['cannot_subscribe_topic_filter'], fields: TOPIC_REASON },
  { event: 'session_open_failed', msgs: ['failed_to_open_session'], fields: REASON },
  { event: 'clientid_registration_throttled', msgs: ['clientid_registration_throttled'], fields: NONE },
  { event: 'clientid_overridden', msgs: ['clientid_overridden'], fields: NONE },
  { event: 'client_attr_init_failed', msgs: ['client_attr_initialization_failed'], fields: REASON },
  { event: 'connection_rejected_license', msgs: ['connection_rejected_due_to_license*'], fields: NONE },
  // 3.4 session, messages, flow control
  { event: 'publish_routed', msgs: ['publish_to'], fields: { topic: 'text', payload: 'payload' } },
  { event: 'broker_subscribe', msgs: ['subscribe'], fields: { topic: 'text', sub_id: 'text', sub_opts: 'sub_opts' } },
  { event: 'broker_unsubscribe', msgs: ['unsubscribe'], fields: { topic: 'text' } },
  {
    event: 'publish_blocked_by_hook',
    msgs: ['msg_publish_not_allowed', 'msg_publish_not_allowed_disconnect', 'msg_not_routed_to_subscribers'],
    fields: { topic: 'text' },
  },
  { event: 'publish_error', msgs: ['publishing_error'], fields: { reason: 'reason', topic: 'text' } },
  {
    event: 'delivery_dropped_queue_full',
    msgs: ['dropped_msg_due_to_mqueue_is_full'],
    fields: { topic: 'text', payload: 'payload' },
  },
  { event: 'delivery_dropped_qos0', msgs: ['dropped_qos0_msg'], fields: { topic: 'text', payload: 'payload' } },
  {
    event: 'qos2_packet_dropped',
    msgs: ['dropped_qos2_packet'],
    fields: { reason: 'reason', packet_id: 'int', topic: 'text' },
  },
  { event: 'puback_unexpected', msgs: ['puback_packetId_*'], fields: { packetId: 'int' } },
  {
    event: 'pubrec_pubrel_pubcomp_unexpected',
    msgs: ['pubrec_packetId_*', 'pubrel_packetId_*', 'pubcomp_packetId_*'],
    fields: { packetId: 'int' },
  },
  {
    event: 'receive_paused_rate_limit',
    msgs: ['socket_receive_paused_by_rate_limit', 'pause_time_dueto_rate_limit'],
    fields: { paused_ms: 'int', time_in_ms: 'int' },
  },
  { event: 'delivery_quota_exceeded', msgs: ['cannot_deliver_from_topic_due_to_quota_exceeded'], fields: NONE },
  { event: 'will_publish_denied', msgs: ['last_will_testament_publish_denied'], fields: { topic: 'text' } },
  { event: 'log_throttle_summary', msgs: ['log_events_throttled_during_last_period'], fields: { period: 'text' } },
  // 3.5 takeover, discard, kick
  {
    event: 'session_stepdown_timeout',
    msgs: ['session_stepdown_request_timeout', 'ws_session_stepdown_request_timeout'],
    fields: { action: 'printed', stale_pid: 'printed' },
  },
  {
    event: 'session_stepdown_exception',
    msgs: ['session_stepdown_request_exception'],
    fields: { action: 'printed', stale_pid: 'printed', reason: 'reason' },
  },
  {
    event: 'session_already_gone',
    msgs: ['session_already_*', 'ws_session_already_*'],
    fields: { action: 'printed', stale_pid: 'printed' },
  },
  {
    event: 'remote_kick_failed',
    msgs: ['failed_to_kick_session_on_remote_node'],
    fields: { node: 'text', action: 'printed' },
  },
  { event: 'kick_unknown_session', msgs: ['kicked_an_unknown_session'], fields: NONE },
  { event: 'duplicate_channels', msgs: ['more_than_one_channel_found'], fields: NONE },
  { event: 'channel_registered', msgs: ['insert_channel_info'], fields: NONE },
  { event: 'session_takeover_end', msgs: ['emqx_channel_takeover_end'], fields: NONE },
  { event: 'channel_cleaned', msgs: ['emqx_cm_clean_down'], fields: NONE },
  { event: 'will_message_decision', msgs: ['willmsg_wrong_state', 'maybe_publish_will*'], fields: NONE },
  // Not in the spec: seen in real logs of 5.8, before each `{shutdown,kicked}` of a client that was banned while connected.
  { event: 'session_kicked_banned', msgs: ['kick_session_due_to_banned'], fields: NONE },
  // 3.6 flapping
  { event: 'flapping_detected', msgs: ['flapping_detected'], fields: { detect_cnt: 'int', wind_time_in_ms: 'int' } },
  { event: 'flapping_below_window', msgs: ['client_disconnected'], fields: { detect_cnt: 'int', interval: 'int' } },
  // 3.7 QUIC
  {
    event: 'quic_new_connection',
    msgs: [],
    keys: ['crypto_buffer', 'remote_addr'],
    fields: { local_addr: 'text', remote_addr: 'text', server_name: 'text' },
  },
  { event: 'quic_connected', msgs: [], keys: ['is_resumed'], fields: { is_resumed: 'bool' } },
  { event: 'quic_peer_shutdown', msgs: [], keys: ['error_code', 'state'], fields: { error_code: 'int' } },
  { event: 'quic_transport_shutdown', msgs: [], keys: ['status', 'error'], fields: { status: 'text', error: 'int' } },
  {
    event: 'quic_connection_closed',
    msgs: [],
    keys: ['is_app_closing', 'is_handshake_completed'],
    fields: { is_handshake_completed: 'bool', is_peer_acked: 'bool', is_app_closing: 'bool' },
  },
  {
    event: 'quic_stream_handoff_failed',
    msgs: ['new_stream_handoff_failed', 'new stream handoff failed'],
    fields: NONE,
  },
  {
    event: 'quic_data_stream_exit',
    msgs: ['data_stream_unexpected_exit', 'Data stream unexpected exit'],
    fields: REASON,
  },
  {
    event: 'quic_stream_limit_hit',
    msgs: ['ignore_peer_needs_more_streams', 'ignore: peer need more streames'],
    fields: NONE,
  },
  {
    event: 'quic_stream_activate_failed',
    msgs: ['set_stream_active_failed', 'set stream active failed'],
    fields: { error: 'printed' },
  },
  { event: 'quic_send_cancelled', msgs: ['send_cancelled', 'send cancelled'], fields: NONE },
  { event: 'quic_set_active_error', msgs: ['set_active_error', 'set active error'], fields: { error: 'printed' } },
  { event: 'quic_data_stream_ready', msgs: ['post_handoff'], fields: NONE },
  // 3.8 alarms, system, node
  { event: 'alarm_activated', msgs: ['alarm_is_activated'], fields: { name: 'text' } },
  { event: 'alarm_deactivated', msgs: ['alarm_is_deactivated'], fields: { name: 'text' } },
  { event: 'vm_long_gc', msgs: ['long_gc'], fields: NONE },
  { event: 'vm_long_schedule', msgs: ['long_schedule'], fields: NONE },
  { event: 'vm_large_heap', msgs: ['large_heap'], fields: NONE },
  { event: 'vm_busy_port', msgs: ['busy_port'], fields: NONE },
  { event: 'vm_busy_dist_port', msgs: ['busy_dist_port'], fields: NONE },
  { event: 'alarm_internal_error', msgs: ['fail_to_clear_table', 'emqx_alarm_safe_call_*'], fields: NONE },
  { event: 'cluster_forward_failed', msgs: ['sync_forward_msg_to_node_failed'], fields: { node: 'text' } },
  {
    event: 'shared_sub_down',
    msgs: ['shared_subscriber_down', 'redispatching_shared_subscription_message'],
    fields: REASON,
  },
  {
    event: 'cluster_rpc_event',
    msgs: ['cluster_rpc_*', 'stale_view_of_cluster*', 'wait_for_cluster_rpc_*'],
    fields: NONE,
  },
  {
    event: 'cluster_routing_conflict',
    msgs: ['conflicting_routing_schemas_in_cluster', 'conflicting_routing_storage*'],
    fields: NONE,
  },
  { event: 'listener_port_busy', msgs: ['port_not_released_after_listener_stopped'], fields: { listener: 'text' } },
  { event: 'listener_config_error', msgs: ['bad_ssl_config', 'invalid_esockd_access_rule'], fields: NONE },
  { event: 'trace_control', msgs: ['trace_action_succeeded', 'trace_action_failed'], fields: { action: 'printed' } },
  { event: 'trace_stopping', msgs: ['trace_stopping'], fields: NONE },
  {
    event: 'unexpected_message',
    msgs: ['unexpected_call', 'unexpected_cast', 'unexpected_info', 'unexpected_outgoing', 'unexpected_timeout'],
    fields: NONE,
  },
  // The first line of every boot at level info, in 4.4 to 6.2 alike, once a boot (`Starting ekka` is printed twice in 6.2).
  { event: 'node_boot', msgs: ['gen_rpc_dispatcher_start'], fields: NONE },
];

/** A line that is plain text, in 4.x or from OTP: pattern with named groups, which become attributes. */
export interface EmqxTextRow {
  readonly event: string;
  readonly pattern: RegExp;
  /** Kind of each named group; `text` if absent. */
  readonly fields?: { readonly [group: string]: FieldKind };
}

export const emqxTextCatalogue: readonly EmqxTextRow[] = [
  { event: 'raw_bytes_received', pattern: /^\[MQTT(?:\/WS)?\] RECV <</ },
  {
    event: 'mqtt_packet_received',
    pattern: /^\[(?:MQTT|MQTT\/WS|Channel)\] RECV (?<packet>[A-Z]+\([\s\S]*)$/,
    fields: { packet: 'packet' },
  },
  {
    event: 'mqtt_packet_sent',
    pattern: /^\[(?:MQTT|MQTT\/WS)\] SEND (?<packet>[A-Z]+\([\s\S]*)$/,
    fields: { packet: 'packet' },
  },
  {
    event: 'socket_force_closed',
    pattern: /^\[MQTT(?:\/WS)?\] Force to close the socket due to (?<reason>[\s\S]+)$/,
    fields: { reason: 'reason' },
  },
  {
    event: 'connection_terminated',
    pattern: /^\[MQTT(?:\/WS)?\] Terminated due to (?<reason>[\s\S]+)$/,
    fields: { reason: 'reason' },
  },
  {
    event: 'socket_error',
    pattern: /^\[MQTT\] (?:Socket error|socket_error): (?<reason>[\s\S]+)$/,
    fields: { reason: 'reason' },
  },
  {
    event: 'outgoing_packet_too_large',
    pattern: /^\[MQTT(?:\/WS)?\] (?<packet>[\s\S]+) is discarded due to the frame is too large/,
    fields: { packet: 'packet' },
  },
  { event: 'frame_parse_failed', pattern: /^\[MQTT(?:\/WS)?\] Parse failed for / },
  {
    event: 'receive_paused_rate_limit',
    pattern: /^\[MQTT\] Pause (?<paused_ms>\d+)ms due to rate limit/,
    fields: { paused_ms: 'int' },
  },
  {
    event: 'authentication_failure',
    pattern: /^\[Channel\] Client \S* ?\(Username: '[^']*'\) login failed for (?<reason>[\s\S]+)$/,
    fields: { reason: 'reason' },
  },
  {
    event: 'publish_rejected',
    pattern: /^\[Channel\] Cannot publish messages? to (?<topic>[\s\S]+) due to (?<reason>[\s\S]+?)\.?$/,
    fields: { reason: 'reason' },
  },
  {
    event: 'subscribe_rejected',
    pattern: /^\[Channel\] Cannot subscribe (?<topic>[\s\S]+) due to (?<reason>[\s\S]+?)\.?$/,
    fields: { reason: 'reason' },
  },
  {
    event: 'puback_unexpected',
    pattern: /^\[Channel\] The PUBACK PacketId (?<packetId>\d+) is /,
    fields: { packetId: 'int' },
  },
  {
    event: 'pubrec_pubrel_pubcomp_unexpected',
    pattern: /^\[Channel\] The PUB(?:REC|REL|COMP) PacketId (?<packetId>\d+) is /,
    fields: { packetId: 'int' },
  },
  {
    event: 'delivery_dropped_queue_full',
    pattern: /^\[Session\] Dropped msg due to mqueue is full: Message\(Id=[^,]*, QoS=\d, Topic=(?<topic>.*?), From=/,
  },
  {
    event: 'delivery_dropped_qos0',
    pattern: /^\[Session\] Dropped qos0 msg: Message\(Id=[^,]*, QoS=\d, Topic=(?<topic>.*?), From=/,
  },
  {
    event: 'qos2_packet_dropped',
    pattern: /^\[Session\] Dropped the qos2 packet (?<packet_id>\d+)/,
    fields: { packet_id: 'int' },
  },
  {
    event: 'flapping_detected',
    pattern: /^\[Flapping\] Flapping detected: .* disconnected (?<detect_cnt>\d+) times in (?<wind_time_in_ms>\d+)ms/,
    fields: { detect_cnt: 'int', wind_time_in_ms: 'int' },
  },
  { event: 'alarm_activated', pattern: /^\[Alarm Handler\] Alarm (?<name>.+?) is activated/ },
  { event: 'alarm_deactivated', pattern: /^\[Alarm Handler\] Alarm (?<name>.+?) is deactivated/ },
  { event: 'duplicate_channels', pattern: /^\[CM\] more_than_one_channel_found/ },
  { event: 'remote_kick_failed', pattern: /^\[CM\] failed_to_kick_session_on_remote_node/ },
  { event: 'kick_unknown_session', pattern: /^\[CM\] kicked_an_unknown_session/ },
  { event: 'vm_long_schedule', pattern: /^\[SYSMON\] long_schedule warning/ },
  { event: 'vm_long_gc', pattern: /^\[SYSMON\] long_gc warning/ },
  { event: 'vm_large_heap', pattern: /^\[SYSMON\] large_heap warning/ },
  { event: 'vm_busy_port', pattern: /^\[SYSMON\] busy_port warning/ },
  { event: 'vm_busy_dist_port', pattern: /^\[SYSMON\] busy_dist_port warning/ },
  {
    event: 'publish_routed',
    pattern: /^PUBLISH to (?<topic>[\s\S]+?): (?<payload><<[\s\S]*>>)$/,
    fields: { payload: 'payload' },
  },
  {
    event: 'broker_subscribe',
    pattern: /^(?<sub_id>[\s\S]*?) SUBSCRIBE (?<topic>[\s\S]+): Options: (?<sub_opts>#\{[\s\S]*)$/,
    fields: { sub_opts: 'sub_opts' },
  },
  { event: 'broker_unsubscribe', pattern: /^(?:[\s\S]*? )?UNSUBSCRIBE (?<topic>[\s\S]+?): Options: / },
  // Printed by the runtime when the node is told to stop; not in the spec, seen in real logs.
  { event: 'node_stopping', pattern: /^SIGTERM received - shutting down/ },
  // OTP reports (section 1.6)
  { event: 'otp_generic_server_terminated', pattern: /^(?:\*\* )?Generic server \S+ terminating/ },
  { event: 'otp_state_machine_terminated', pattern: /^(?:\*\* )?State machine \S+ terminating/ },
  { event: 'otp_supervisor_report', pattern: /^\s*(?:Supervisor: [\s\S]*?\. Context: |supervisor: )/ },
  { event: 'otp_crash_report', pattern: /^\s*crasher:/ },
];
