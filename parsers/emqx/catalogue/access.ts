/** Authentication, authorization and the opening of sessions (spec emqx-logs.md section 3.3), flapping and bans (3.6). */
import type { EmqxCatalogueRow } from '../catalogue-row.ts';

const REASON = { reason: 'reason' } as const;
const TOPIC_REASON = { topic: 'text', reason: 'reason' } as const;
const DECISION = { topic: 'text', action: 'printed', source: 'text' } as const;

export const accessRows: readonly EmqxCatalogueRow[] = [
  {
    event: 'authentication_failure',
    msgs: ['authentication_failure'],
    tag: 'AUTHN',
    fields: REASON,
    since: '5.6.0',
  },
  { event: 'authentication_result', msgs: ['authentication_result'], tag: 'AUTHN', fields: REASON },
  {
    event: 'authenticator_result',
    msgs: ['authenticator_result'],
    tag: 'AUTHN',
    fields: { authenticator: 'text' },
  },
  {
    event: 'authenticator_error',
    msgs: ['authenticator_error'],
    tag: 'AUTHN',
    fields: { exception: 'text', reason: 'reason', authenticator: 'text' },
  },
  {
    event: 'authn_prehook',
    msgs: ['pre_hook_authenticate', 'PRE_HOOK_AUTHN'],
    tag: 'AUTHN',
    fields: REASON,
    since: '5.4.0',
  },
  { event: 'authorization_allowed', msgs: ['authorization_permission_allowed'], tag: 'AUTHZ', fields: DECISION },
  { event: 'authorization_denied', msgs: ['authorization_permission_denied'], tag: 'AUTHZ', fields: DECISION },
  {
    event: 'authorization_rule_result',
    msgs: [
      'authorization_matched_*',
      'authorization_nomatch',
      'authorization_module_ignore',
      'authorization_skipped_as_superuser',
    ],
    tag: 'AUTHZ',
    fields: { authorize_type: 'text', module: 'text', topic: 'text', action: 'printed' },
    since: '5.4.0',
  },
  {
    event: 'publish_denied',
    msgs: ['cannot_publish_to_topic_due_to_not_authorized'],
    tag: 'AUTHZ',
    fields: TOPIC_REASON,
    since: '5.6.0',
  },
  {
    event: 'publish_quota_exceeded',
    msgs: ['cannot_publish_to_topic_due_to_quota_exceeded'],
    tag: 'AUTHZ',
    fields: TOPIC_REASON,
    since: '5.6.0',
  },
  { event: 'publish_rejected', msgs: ['cannot_publish_to_topic'], fields: TOPIC_REASON },
  { event: 'subscribe_rejected', msgs: ['cannot_subscribe_topic_filter'], fields: TOPIC_REASON },
  { event: 'session_open_failed', msgs: ['failed_to_open_session'], fields: REASON },
  {
    event: 'clientid_registration_throttled',
    msgs: ['clientid_registration_throttled'],
    fields: { local_alive: 'int', local_down: 'int', remote: 'int' },
    since: '6.0.0',
  },
  { event: 'clientid_overridden', msgs: ['clientid_overridden'], tag: 'MQTT', fields: {}, since: '5.8.3' },
  {
    event: 'client_attr_init_failed',
    msgs: ['client_attr_initialization_failed'],
    fields: REASON,
    since: '5.7.0',
  },
  {
    event: 'connection_rejected_license',
    msgs: ['connection_rejected_due_to_license*'],
    tag: 'LICENSE',
    fields: {},
    since: '5.0.0',
    means: 'Enterprise: limit reached, expired, or no license',
  },
  // Not in the spec: seen in real logs of 5.8, before each `{shutdown,kicked}` of a client that was banned while connected.
  { event: 'session_kicked_banned', msgs: ['kick_session_due_to_banned'], fields: {} },
  {
    event: 'flapping_detected',
    msgs: ['flapping_detected'],
    fields: { peer_host: 'text', detect_cnt: 'int', wind_time_in_ms: 'int' },
  },
  {
    event: 'flapping_below_window',
    msgs: ['client_disconnected'],
    fields: { peer_host: 'text', detect_cnt: 'int', interval: 'int' },
    until: '6.1.x',
    means: 'a client that disconnects often, but not often enough to be banned',
  },
];
