/** What is drawn as a mark, and in which lane. A new event of the catalogue needs a row here to show on the time line. */

export type LaneName = 'bridge' | 'broker' | 'pings' | 'busy' | 'losses' | 'network' | 'rate';

export interface Kind {
  readonly name: string;
  readonly lane: LaneName;
  /** NanoMQ stamps whole seconds: its event lies somewhere in the second from the mark on. */
  readonly side: 'client' | 'broker';
  readonly events: readonly string[];
  /** Of packet events: only this packet. */
  readonly packet?: string;
}

/** The page draws later rows over earlier ones. */
export const KINDS: readonly Kind[] = [
  { name: 'connected', lane: 'bridge', side: 'client', events: ['bridge_connected'] },
  { name: 'disconnected', lane: 'bridge', side: 'client', events: ['bridge_disconnected', 'bridge_ping_timeout'] },
  { name: 'connect', lane: 'broker', side: 'broker', events: ['mqtt_packet_received'], packet: 'CONNECT' },
  { name: 'connack', lane: 'broker', side: 'broker', events: ['mqtt_packet_sent'], packet: 'CONNACK' },
  {
    name: 'closed',
    lane: 'broker',
    side: 'broker',
    events: ['socket_force_closed', 'connection_terminated', 'connection_terminate_info', 'authentication_failure'],
  },
  { name: 'pinged', lane: 'pings', side: 'broker', events: ['mqtt_packet_received'], packet: 'PINGREQ' },
  { name: 'ping', lane: 'pings', side: 'client', events: ['ping_sent'] },
  { name: 'busy', lane: 'busy', side: 'client', events: ['aio_busy'] },
  { name: 'parked', lane: 'losses', side: 'client', events: ['msg_cached_disconnected'] },
  {
    name: 'lost',
    lane: 'losses',
    side: 'client',
    events: [
      'cached_msg_lost',
      'cached_msg_lost_for_disconnect',
      'msg_lost_enqueue',
      'bridge_qos_cancelled',
      'ctx_cache_overwrite',
      'bridge_qos0_dropped_disconnected',
      'bridge_qos0_dropped_busy',
      'bridge_msg_dropped_already_cached',
      'bridge_send_failed',
    ],
  },
  {
    name: 'dial',
    lane: 'network',
    side: 'client',
    events: ['quic_connecting', 'bridge_reconnect_backoff'],
  },
  { name: 'transport_up', lane: 'network', side: 'client', events: ['quic_connected'] },
  {
    name: 'transport_lost',
    lane: 'network',
    side: 'client',
    events: [
      'quic_shutdown_by_transport',
      'quic_shutdown_by_peer',
      'quic_connection_timeout',
      'quic_idle_timeout',
      'quic_handshake_failed',
      'quic_dial_error',
      'bridge_dial_failed',
      'tcp_bridge_aio_error',
      'tls_bridge_aio_error',
      'quic_main_stream_aborted',
      'quic_substream_timeout_close',
    ],
  },
];
