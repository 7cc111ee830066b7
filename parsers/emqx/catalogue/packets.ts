/** Packets and bytes (spec emqx-logs.md section 3.1). */
import type { EmqxCatalogueRow } from '../catalogue-row.ts';

const REASON = { reason: 'reason' } as const;

export const packetRows: readonly EmqxCatalogueRow[] = [
  { event: 'mqtt_packet_received', msgs: ['mqtt_packet_received'], tag: 'MQTT', fields: { packet: 'packet' } },
  {
    event: 'quic_data_stream_packets_sent',
    msgs: ['mqtt_packet_sent'],
    needs: 'packets',
    tag: 'MQTT',
    fields: { packets: 'packets' },
    since: '5.0.18',
    means: 'packets before the outbound filter of a QUIC data stream; the line names no client',
  },
  { event: 'mqtt_packet_sent', msgs: ['mqtt_packet_sent'], tag: 'MQTT', fields: { packet: 'packet' } },
  { event: 'raw_bytes_received', msgs: ['raw_bin_received'], tag: 'MQTT', fields: { size: 'int' }, since: '5.0.18' },
  { event: 'frame_parse_error', msgs: ['frame_parse_error'], fields: REASON, since: '5.8.2' },
  { event: 'frame_parse_failed', msgs: ['frame_parse_failed'], fields: REASON, since: '5.8.2' },
  // Before 5.8.2 these two had no msg.
  {
    event: 'frame_parse_failed',
    msgs: [],
    keys: ['at_state', 'input_bytes', 'stacktrace'],
    fields: REASON,
    until: '5.8.1',
  },
  { event: 'frame_parse_error', msgs: [], keys: ['at_state', 'input_bytes'], fields: REASON, until: '5.8.1' },
  {
    event: 'outgoing_packet_too_large',
    msgs: ['packet_is_discarded', 'packet_discarded'],
    fields: { reason: 'reason', packet: 'packet' },
    means: "larger than the client's Maximum Packet Size",
  },
  {
    event: 'frame_serialize_error',
    msgs: [],
    keys: ['input_packet'],
    fields: { reason: 'reason', exception: 'text' },
  },
  { event: 'malformed_message_after_disconnect', msgs: ['malformed_mqtt_message'], fields: REASON },
  { event: 'unexpected_packet_disconnect', msgs: ['disconnecting_due_to_unexpected_message'], fields: {} },
  {
    event: 'unexpected_connect_packet',
    msgs: ['unexpected_connect_packet'],
    tag: 'MQTT',
    fields: { conn_state: 'text', conn_satet: ['text', 'conn_state'] },
    since: '5.8.6',
  },
  {
    event: 'unexpected_packet_state',
    msgs: ['unexpected_packet', 'unexpected_auth_packet'],
    tag: 'MQTT',
    fields: { type: ['int', 'packet_type'], conn_state: 'text' },
    since: '5.8.6',
    means: 'a packet before CONNECT, or an AUTH out of place',
  },
  { event: 'invalid_publish_packet', msgs: ['invalid_publish_packet'], tag: 'MQTT', fields: REASON, since: '5.8.6' },
];
