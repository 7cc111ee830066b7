/** QUIC connections and streams (spec emqx-logs.md section 3.7). Since 5.0.18; up to 5.2 the words differ and the key is `message`. */
import type { EmqxCatalogueRow } from '../catalogue-row.ts';

export const quicRows: readonly EmqxCatalogueRow[] = [
  {
    event: 'quic_new_connection',
    msgs: [],
    keys: ['crypto_buffer', 'remote_addr'],
    fields: { local_addr: 'text', remote_addr: 'text', server_name: 'text' },
    since: '5.0.18',
  },
  { event: 'quic_connected', msgs: [], keys: ['is_resumed'], fields: { is_resumed: 'bool' }, since: '5.0.18' },
  {
    event: 'quic_peer_shutdown',
    msgs: [],
    keys: ['error_code', 'state'],
    fields: { error_code: 'code', state: 'channel' },
    since: '5.0.18',
    means: 'the spec prints it only for codes other than 0; real logs of 5.0 print `success` as well',
  },
  {
    event: 'quic_transport_shutdown',
    msgs: [],
    keys: ['status', 'error'],
    fields: { status: 'text', error: 'int' },
    since: '5.0.18',
  },
  {
    event: 'quic_connection_closed',
    msgs: [],
    keys: ['is_app_closing', 'is_handshake_completed'],
    fields: { is_handshake_completed: 'bool', is_peer_acked: 'bool', is_app_closing: 'bool' },
    since: '5.0.18',
  },
  {
    event: 'quic_stream_handoff_failed',
    msgs: ['new_stream_handoff_failed', 'new stream handoff failed'],
    fields: { error: 'printed' },
    since: '5.0.18',
  },
  {
    event: 'quic_data_stream_exit',
    msgs: ['data_stream_unexpected_exit', 'Data stream unexpected exit'],
    fields: { reason: 'reason' },
    since: '5.0.18',
  },
  {
    event: 'quic_stream_limit_hit',
    msgs: ['ignore_peer_needs_more_streams', 'ignore: peer need more streames'],
    fields: {},
    since: '5.0.18',
  },
  {
    event: 'quic_stream_activate_failed',
    msgs: ['set_stream_active_failed', 'set stream active failed'],
    fields: { error: 'printed' },
    since: '5.0.18',
  },
  { event: 'quic_send_cancelled', msgs: ['send_cancelled', 'send cancelled'], fields: {}, since: '5.0.18' },
  {
    event: 'quic_set_active_error',
    msgs: ['set_active_error', 'set active error'],
    fields: { error: 'printed' },
    since: '5.0.18',
  },
  {
    event: 'quic_data_stream_ready',
    msgs: ['post_handoff'],
    fields: { channel: 'channel' },
    since: '5.0.18',
    means: 'a further stream was given its own process',
  },
  // Trace points of the QUIC library; not in the spec, seen in real logs of 5.0.26 and 5.3.
  { event: 'quic_stream_data', msgs: ['stream_data'], fields: {} },
  { event: 'quic_stream_data_forwarded', msgs: ['do_forward_stream_msg_done'], fields: {} },
];
