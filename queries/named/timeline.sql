-- Question: What happened on both ends, in order, without the chatter?
-- Columns: time, product, severity, event, client_id, bridge_id, body
-- Example: bridgetrace query timeline
SELECT time, product, severity, event, client_id, bridge_id, body
FROM events
WHERE run_id = 'observed' AND event IN ('bridge_connected', 'bridge_disconnected', 'bridge_disconnect_packet_rx', 'bridge_ping_timeout', 'ping_sent',
  'msg_cached_disconnected', 'quic_connection_timeout', 'quic_idle_timeout', 'quic_shutdown_by_peer', 'quic_fin_received', 'bridge_reconnect_backoff',
  'socket_force_closed', 'connection_terminated', 'node_boot')
ORDER BY time, product DESC, line_no;
