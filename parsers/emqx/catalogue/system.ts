/** Alarms, virtual machine, cluster, traces (spec emqx-logs.md section 3.8). */
import type { EmqxCatalogueRow } from '../catalogue-row.ts';

export const systemRows: readonly EmqxCatalogueRow[] = [
  { event: 'alarm_activated', msgs: ['alarm_is_activated'], fields: { name: 'text', message: 'text' } },
  { event: 'alarm_deactivated', msgs: ['alarm_is_deactivated'], fields: { name: 'text' } },
  { event: 'vm_long_gc', msgs: ['long_gc'], fields: { info: 'info_ms' } },
  { event: 'vm_long_schedule', msgs: ['long_schedule'], fields: { info: 'info_ms' } },
  { event: 'vm_large_heap', msgs: ['large_heap'], fields: {} },
  { event: 'vm_busy_port', msgs: ['busy_port'], fields: {} },
  { event: 'vm_busy_dist_port', msgs: ['busy_dist_port'], fields: {} },
  { event: 'alarm_internal_error', msgs: ['fail_to_clear_table', 'emqx_alarm_safe_call_*'], fields: {} },
  { event: 'cluster_forward_failed', msgs: ['sync_forward_msg_to_node_failed'], fields: { node: 'text' } },
  {
    event: 'shared_sub_down',
    msgs: ['shared_subscriber_down', 'redispatching_shared_subscription_message'],
    fields: { sub_pid: 'printed', reason: 'reason' },
  },
  {
    event: 'cluster_rpc_event',
    msgs: ['cluster_rpc_*', 'stale_view_of_cluster*', 'wait_for_cluster_rpc_*'],
    fields: {},
  },
  {
    event: 'cluster_routing_conflict',
    msgs: ['conflicting_routing_schemas_in_cluster', 'conflicting_routing_storage*'],
    fields: {},
    since: '5.5.0',
  },
  {
    event: 'listener_port_busy',
    msgs: ['port_not_released_after_listener_stopped'],
    fields: { listener: 'text', wait_seconds: 'int' },
    since: '5.5.0',
  },
  { event: 'listener_config_error', msgs: ['bad_ssl_config', 'invalid_esockd_access_rule'], fields: {} },
  {
    event: 'trace_control',
    msgs: ['trace_action_succeeded', 'trace_action_failed'],
    fields: { action: 'printed', reason: 'reason' },
  },
  { event: 'trace_stopping', msgs: ['trace_stopping'], fields: {} },
  {
    event: 'unexpected_message',
    msgs: ['unexpected_call', 'unexpected_cast', 'unexpected_info', 'unexpected_outgoing', 'unexpected_timeout'],
    fields: {},
  },
  {
    event: 'log_formatter_failed',
    msgs: ['emqx_logger_jsonfmt_format_error', 'report_cb_bad_return'],
    fields: { fmt_error: 'text', fmt_reason: ['printed', 'reason'] },
    means: 'a line that JSON could not be made of',
  },
  // Not in the spec: seen in real logs of 6.2, where the formatter of a trace fails on a payload.
  {
    event: 'log_formatter_crashed',
    msgs: [],
    keys: ['formatter_crashed'],
    fields: { formatter_crashed: ['text', 'formatter'] },
  },
];
