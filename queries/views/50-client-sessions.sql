-- Question: which connections did the bridge have by its own log, what did it do in each, and how did each end?
-- Columns: run_id, endpoint_id, bridge_id, session_no; connected, disconnected (starts of the logged seconds), open (no end logged),
--   duration_s; start_known_by (`logged`, or `dialled`: warn level, connected is the time of the dial); pings (null at warn level), last_ping; aio_busy, cached_lost, resend_blocked, resends, send_errors (lines while connected);
--   parked (lines `client sending msg while disconnected! cached` before this connection), forwards (messages offered while
--   connected, debug logs only), data_writes and last_data_write (ordinary writes on data streams, debug logs only),
--   received and last_received (data from the broker, debug logs only); drops, first_drop, last_drop (messages dropped while connected, by a line), enqueue_lost;
--   recv_cancelled (first "recv error 20"), closed_sends (sends that failed with code 7), odd_send_error (first send that failed with a
--   code NanoMQ does not handle), last_resend, acks, last_ack, subscribe_started, suback, last_line (times while connected);
--   disconnect_code (DISCONNECT packet), fin, peer_close_code, timed_out, idle, ping_timeout; closed_by (client, broker, transport, unknown), reason (as far as
--   this log tells; `unlogged`: the next connect is there, but no end);
--   source_id, line_no, end_line_no of the lifecycle lines.
-- Example: SELECT session_no, connected, duration_s, reason, pings, aio_busy FROM client_sessions ORDER BY connected;
CREATE OR REPLACE VIEW client_sessions AS
WITH lines AS (
  SELECT run_id, endpoint_id, bridge_id, session_no, state, seq, time, event, source_id, line_no, start_known_by,
    CASE WHEN event = 'bridge_disconnect_packet_rx' THEN TRY_CAST((attributes->>'$.reason_code') AS INTEGER) END AS code,
    CASE WHEN event = 'quic_shutdown_by_peer' THEN TRY_CAST((attributes->>'$.error_code') AS BIGINT) END AS peer_code,
    CASE WHEN event IN ('quic_fin_received', 'quic_write_start') THEN TRY_CAST((attributes->>'$.sid') AS INTEGER) END AS sid,
    CASE event WHEN 'bridge_send_failed' THEN TRY_CAST((attributes->>'$.rv') AS INTEGER)
      WHEN 'bridge_recv_error' THEN TRY_CAST((attributes->>'$.nng_rv') AS INTEGER) END AS rv
  FROM client_states
  WHERE event IN ('bridge_connected', 'quic_no_tls_credentials', 'bridge_reconnect_backoff', 'bridge_disconnected', 'ping_sent', 'aio_busy', 'cached_msg_lost', 'msg_cached_disconnected',
    'bridge_resend', 'bridge_resend_blocked', 'bridge_send_failed', 'bridge_forward', 'quic_write_start', 'quic_data_received',
    'bridge_disconnect_packet_rx', 'quic_fin_received', 'quic_shutdown_by_peer', 'quic_shutdown_by_transport',
    'quic_connection_timeout', 'quic_idle_timeout', 'bridge_ping_timeout', 'bridge_recv_error', 'quic_stream_send_failed', 'bridge_acked', 'bridge_subscribe_start', 'bridge_suback_code', 'bridge_qos0_dropped_busy',
    'bridge_qos0_dropped_disconnected', 'bridge_msg_dropped_already_cached', 'msg_lost_enqueue', 'ctx_cache_overwrite')
), grouped AS (
  SELECT run_id, endpoint_id, bridge_id, session_no,
    min(time) FILTER (event IN ('bridge_connected', 'quic_no_tls_credentials', 'bridge_reconnect_backoff') AND state = 'connected'
      AND (start_known_by = 'dialled' OR event = 'bridge_connected')) AS connected,
    max(start_known_by) AS start_known_by,
    min(time) FILTER (event = 'bridge_disconnected') AS disconnected,
    CASE WHEN max(start_known_by) = 'logged' THEN count(*) FILTER (event = 'ping_sent' AND state = 'connected') END AS pings,
    max(time) FILTER (event = 'ping_sent' AND state = 'connected') AS last_ping,
    count(*) FILTER (event = 'aio_busy' AND state = 'connected') AS aio_busy,
    count(*) FILTER (event = 'cached_msg_lost' AND state = 'connected') AS cached_lost,
    count(*) FILTER (event = 'msg_cached_disconnected' AND state = 'down') AS parked_after,
    count(*) FILTER (event = 'bridge_resend' AND state = 'connected') AS resends,
    count(*) FILTER (event = 'bridge_resend_blocked' AND state = 'connected') AS resend_blocked,
    count(*) FILTER (event = 'bridge_send_failed' AND state = 'connected') AS send_errors,
    count(*) FILTER (event = 'bridge_forward' AND state = 'connected') AS forwards,
    count(*) FILTER (event = 'quic_write_start' AND sid > 0 AND state = 'connected') AS data_writes,
    max(time) FILTER (event = 'quic_write_start' AND sid > 0 AND state = 'connected') AS last_data_write,
    count(*) FILTER (event = 'quic_data_received' AND state = 'connected') AS received,
    max(time) FILTER (event = 'quic_data_received' AND state = 'connected') AS last_received,
    count(*) FILTER (event IN ('aio_busy', 'cached_msg_lost', 'bridge_qos0_dropped_busy', 'msg_lost_enqueue', 'ctx_cache_overwrite')
      AND state = 'connected') AS drops,
    min(time) FILTER (event IN ('aio_busy', 'cached_msg_lost', 'bridge_qos0_dropped_busy', 'msg_lost_enqueue', 'ctx_cache_overwrite') AND state = 'connected') AS first_drop,
    max(time) FILTER (event IN ('aio_busy', 'cached_msg_lost', 'bridge_qos0_dropped_busy', 'msg_lost_enqueue', 'ctx_cache_overwrite') AND state = 'connected') AS last_drop,
    count(*) FILTER (event = 'msg_lost_enqueue') AS enqueue_lost,
    last(code ORDER BY seq) FILTER (code IS NOT NULL AND state = 'connected') AS disconnect_code,
    coalesce(bool_or(event = 'quic_fin_received' AND sid = 0 AND state = 'connected'), false) AS fin,
    last(peer_code ORDER BY seq) FILTER (peer_code IS NOT NULL AND state = 'connected') AS peer_close_code,
    coalesce(bool_or(event = 'quic_connection_timeout' AND state = 'connected'), false) AS timed_out,
    coalesce(bool_or(event = 'quic_idle_timeout' AND state = 'connected'), false) AS idle,
    coalesce(bool_or(event = 'quic_shutdown_by_transport' AND state = 'connected'), false) AS by_transport,
    coalesce(bool_or(event = 'bridge_ping_timeout' AND state = 'connected'), false) AS ping_timeout,
    min(time) FILTER (event = 'bridge_recv_error' AND rv = 20 AND state = 'connected') AS recv_cancelled,
    count(*) FILTER (event = 'bridge_send_failed' AND rv = 7 AND state = 'connected') AS closed_sends,
    -- 7: closed, 18 and 139: the connection is gone, 20: a stream was stopped; any other code is not handled (D7)
    min(time) FILTER ((event = 'quic_stream_send_failed' OR (event = 'bridge_send_failed' AND rv NOT IN (7, 18, 20, 31, 139)))
      AND state = 'connected') AS odd_send_error,
    max(time) FILTER (event = 'bridge_resend' AND state = 'connected') AS last_resend,
    count(*) FILTER (event = 'bridge_acked' AND state = 'connected') AS acks,
    max(time) FILTER (event = 'bridge_acked' AND state = 'connected') AS last_ack,
    min(time) FILTER (event = 'bridge_subscribe_start' AND state = 'connected') AS subscribe_started,
    min(time) FILTER (event = 'bridge_suback_code' AND state = 'connected') AS suback,
    max(source_id) FILTER (event IN ('bridge_connected', 'quic_no_tls_credentials', 'bridge_reconnect_backoff')) AS source_id,
    min(line_no) FILTER (event IN ('bridge_connected', 'quic_no_tls_credentials', 'bridge_reconnect_backoff') AND state = 'connected') AS line_no,
    max(source_id) FILTER (event = 'bridge_disconnected') AS end_source_id,
    min(line_no) FILTER (event = 'bridge_disconnected') AS end_line_no,
    max(time) AS last_line
  FROM lines GROUP BY ALL
), ended AS (
  -- A connect without a disconnect before it: the process was restarted, or the lines in between are missing.
  SELECT * REPLACE (coalesce(disconnected, lead(connected) OVER later) AS disconnected),
    disconnected IS NULL AND lead(connected) OVER later IS NOT NULL AS unlogged
  FROM grouped WINDOW later AS (PARTITION BY run_id, endpoint_id, bridge_id ORDER BY session_no)
)
SELECT * EXCLUDE (parked_after, by_transport, unlogged),
  coalesce(lag(parked_after) OVER (PARTITION BY run_id, endpoint_id, bridge_id ORDER BY session_no), 0) AS parked,
  disconnected IS NULL AS open,
  epoch_us(coalesce(disconnected, last_line)) / 1e6 - epoch_us(connected) / 1e6 AS duration_s,
  CASE
    WHEN disconnected IS NULL THEN NULL
    WHEN unlogged THEN 'unlogged'
    WHEN disconnect_code = 141 THEN 'keepalive_timeout'
    WHEN disconnect_code = 142 THEN 'session_taken_over'
    WHEN disconnect_code = 152 THEN 'administrative_action'
    WHEN disconnect_code IS NOT NULL AND disconnect_code > 127 THEN 'disconnect_' || disconnect_code
    WHEN ping_timeout THEN 'ping_timeout'
    WHEN timed_out THEN 'connection_timeout'
    WHEN idle THEN 'connection_idle'
    WHEN by_transport THEN 'transport_error'
    WHEN fin THEN 'peer_fin'
    WHEN peer_close_code = 0 THEN 'broker_shutdown'
    WHEN peer_close_code IS NOT NULL THEN 'peer_close'
    ELSE 'unknown'
  END AS reason,
  CASE
    WHEN disconnected IS NULL THEN NULL
    WHEN ping_timeout THEN 'client'
    WHEN disconnect_code IS NULL AND (timed_out OR idle OR by_transport) THEN 'transport'
    WHEN disconnect_code IS NOT NULL OR fin OR peer_close_code IS NOT NULL THEN 'broker'
    ELSE 'unknown'
  END AS closed_by
FROM ended
QUALIFY connected IS NOT NULL;
