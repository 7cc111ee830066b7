/** Names of reason codes: MQTT 5.0 section 2.4, in the words of EMQX (`emqx_reason_codes`), which its close reasons use as well. */

const NAMES: { readonly [code: number]: string } = {
  0: 'success',
  1: 'granted_qos1',
  2: 'granted_qos2',
  4: 'disconnect_with_will_message',
  16: 'no_matching_subscribers',
  17: 'no_subscription_existed',
  24: 'continue_authentication',
  25: 're_authenticate',
  128: 'unspecified_error',
  129: 'malformed_packet',
  130: 'protocol_error',
  131: 'implementation_specific_error',
  132: 'unsupported_protocol_version',
  133: 'client_identifier_not_valid',
  134: 'bad_username_or_password',
  135: 'not_authorized',
  136: 'server_unavailable',
  137: 'server_busy',
  138: 'banned',
  139: 'server_shutting_down',
  140: 'bad_authentication_method',
  141: 'keepalive_timeout',
  142: 'session_taken_over',
  143: 'topic_filter_invalid',
  144: 'topic_name_invalid',
  145: 'packet_identifier_inuse',
  146: 'packet_identifier_not_found',
  147: 'receive_maximum_exceeded',
  148: 'topic_alias_invalid',
  149: 'packet_too_large',
  150: 'message_rate_too_high',
  151: 'quota_exceeded',
  152: 'administrative_action',
  153: 'payload_format_invalid',
  154: 'retain_not_supported',
  155: 'qos_not_supported',
  156: 'use_another_server',
  157: 'server_moved',
  158: 'shared_subscriptions_not_supported',
  159: 'connection_rate_exceeded',
  160: 'maximum_connect_time',
  161: 'subscription_identifiers_not_supported',
  162: 'wildcard_subscriptions_not_supported',
};

/** Codes of CONNACK in MQTT 3.1.1 (section 3.2.2.3), which no MQTT 5 CONNACK has. */
const CONNACK_3: { readonly [code: number]: string } = {
  1: 'unsupported_protocol_version',
  2: 'client_identifier_not_valid',
  3: 'server_unavailable',
  4: 'bad_username_or_password',
  5: 'not_authorized',
};

/** Name of a code in a packet of the type, or null if the specification has none. */
export function reasonCodeName(packet: string, code: number): string | null {
  if (packet === 'CONNACK' && code > 0 && code < 128) return CONNACK_3[code] ?? null;
  if (packet === 'DISCONNECT' && code === 0) return 'normal_disconnection';
  return NAMES[code] ?? null;
}
