-- Question: which connections did each bridge have, seen from both ends on one clock?
-- Columns: run_id, bridge_id, client_id, transport, seen_by (both, client, broker); connected, disconnected, open, duration_s (the
--   broker's times where it has them: µs, one clock; else the bridge's whole seconds), clock_error_s (of the join; null: one side);
--   reason, closed_by, reason_known_by (broker-log, client-log, inferred); keepalive_s; decided, last_inbound, silence_s, pings_in;
--   start_known_by (see client_sessions); client_* and broker_* session keys; from the bridge's log: pings, aio_busy, cached_lost, parked, resends, resend_blocked,
--   send_errors, forwards, data_writes, last_data_write, received, drops,
--   recv_cancelled, closed_sends, odd_send_error, last_resend, acks, last_ack, subscribe_started, suback, last_line.
-- How: a bridge's connection and a broker's are the same if client id agrees and their starts (else ends) are nearest to each other
--   within the clock's error. A bridge's log alone does not say why the broker finished the stream: `keepalive_timeout` is then
--   inferred where the time since the last PINGREQ (or the connect) fits 1.5 to 3 times the keepalive and nothing else is logged.
-- Example: SELECT connected, duration_s, reason, silence_s, pings, aio_busy FROM sessions ORDER BY connected;
CREATE OR REPLACE VIEW sessions AS
WITH of_broker AS MATERIALIZED (
  FROM broker_sessions -- asked twice below, and it counts every packet
), c AS (
  SELECT cs.*, b.client_id, b.transport, b.keepalive_s AS configured_keepalive_s, k.error_us, k.ambiguous AS clock_ambiguous
  FROM client_sessions cs
  JOIN bridges b ON b.run_id = cs.run_id AND b.endpoint_id IS NOT DISTINCT FROM cs.endpoint_id AND b.bridge_id = cs.bridge_id
  LEFT JOIN clocks k ON k.endpoint_id = cs.endpoint_id
), pairs AS (
  SELECT c.run_id, c.endpoint_id AS c_endpoint, c.bridge_id, c.session_no AS c_no, s.endpoint_id AS b_endpoint, s.client_id, s.session_no AS b_no,
    CASE WHEN s.connected IS NOT NULL
      THEN abs(epoch_us(s.connected) - (epoch_us(c.connected) + 500000)) / 1e6
      ELSE abs(epoch_us(s.disconnected) - (epoch_us(c.disconnected) + 500000)) / 1e6 END AS apart_s,
    CASE WHEN s.connected IS NOT NULL THEN 3.0 ELSE 6.0 END + coalesce(c.error_us, 1000000) / 1e6 AS allowed_s
  FROM c JOIN of_broker s ON s.run_id = c.run_id AND s.client_id = c.client_id
), matched AS (
  SELECT * FROM pairs WHERE apart_s <= allowed_s
  QUALIFY row_number() OVER (PARTITION BY run_id, c_endpoint, bridge_id, c_no ORDER BY apart_s, b_no) = 1
    AND row_number() OVER (PARTITION BY run_id, b_endpoint, client_id, b_no ORDER BY apart_s, c_no) = 1
), bridge_clients AS (
  -- With a bridge's log only its own client ids are bridges; without one every client of the broker may be.
  SELECT s.*, b.bridge_id, b.transport FROM of_broker s LEFT JOIN (
    SELECT run_id, client_id, min(bridge_id) AS bridge_id, min(transport) AS transport FROM bridges GROUP BY ALL) b USING (run_id, client_id)
  WHERE b.bridge_id IS NOT NULL OR s.run_id NOT IN (SELECT run_id FROM bridges WHERE client_id IS NOT NULL)
), joined AS (
  SELECT coalesce(c.run_id, s.run_id) AS run_id, coalesce(c.bridge_id, s.bridge_id, s.client_id) AS bridge_id,
    coalesce(s.client_id, c.client_id) AS client_id, coalesce(c.transport, s.transport) AS transport,
    CASE WHEN c.session_no IS NULL THEN 'broker' WHEN s.session_no IS NULL THEN 'client' ELSE 'both' END AS seen_by,
    coalesce(s.connected, c.connected) AS connected,
    CASE WHEN s.session_no IS NOT NULL AND NOT s.open AND NOT coalesce(s.reason = 'broker_restart' AND c.disconnected < s.disconnected - INTERVAL 30 SECOND, false) THEN s.disconnected ELSE c.disconnected END AS disconnected,
    s.decided, s.last_inbound, s.silence_s, s.pings AS pings_in, s.publishes_out, s.last_publish_out, s.peer,
    s.packets_in, s.packets_out, coalesce(s.keepalive_s, c.configured_keepalive_s) AS keepalive_s,
    CASE WHEN s.session_no IS NOT NULL AND c.session_no IS NOT NULL THEN c.error_us / 1e6 END AS clock_error_s, c.clock_ambiguous,
    -- A boot says only that the session was gone by then; a bridge that logged its end earlier knows better.
    CASE WHEN s.reason = 'broker_restart' AND c.disconnected < s.disconnected - INTERVAL 30 SECOND THEN NULL ELSE s.reason END AS broker_reason, s.closed_by AS broker_closed_by, c.reason AS client_reason, c.closed_by AS client_closed_by,
    s.endpoint_id AS broker_endpoint_id, s.session_no AS broker_session_no, s.end_source_id AS broker_end_source_id, s.end_line_no AS broker_end_line_no,
    c.endpoint_id AS client_endpoint_id, c.session_no AS client_session_no, c.source_id AS client_source_id, c.line_no AS client_line_no,
    c.connected AS client_connected, c.start_known_by, c.disconnected AS client_disconnected,
    c.duration_s AS client_duration_s, c.last_ping, c.pings, c.aio_busy, c.cached_lost, c.parked, c.resends, c.resend_blocked, c.send_errors,
    c.forwards, c.data_writes, c.last_data_write, c.received, c.last_received, c.drops, c.first_drop, c.last_drop, c.enqueue_lost,
    c.recv_cancelled, c.closed_sends, c.odd_send_error, c.last_resend, c.acks, c.last_ack, c.subscribe_started, c.suback, c.last_line,
    s.protocol_version
  FROM c
  LEFT JOIN matched m ON m.run_id = c.run_id AND m.c_endpoint = c.endpoint_id AND m.bridge_id = c.bridge_id AND m.c_no = c.session_no
  FULL JOIN bridge_clients s ON s.run_id = m.run_id AND s.endpoint_id = m.b_endpoint AND s.client_id = m.client_id AND s.session_no = m.b_no
), broker_cover AS (
  -- Where the broker's log reaches at info level or better, a keepalive timeout would be in it: nothing is inferred there.
  SELECT run_id, min(time) AS first, max(time) AS last FROM events
  WHERE product = 'emqx' AND severity IN ('info', 'debug', 'trace') GROUP BY run_id
), silent AS (
  SELECT *, epoch_us(client_disconnected) / 1e6 - epoch_us(coalesce(last_ping, client_connected)) / 1e6 AS unpinged_s,
    coalesce(bool_or(client_reason = 'session_taken_over') OVER (PARTITION BY run_id, bridge_id, client_id), false) AS has_rival,
    coalesce(client_disconnected BETWEEN (SELECT first FROM broker_cover k WHERE k.run_id = joined.run_id)
      AND (SELECT last FROM broker_cover k WHERE k.run_id = joined.run_id), false) AS covered
  FROM joined
), reasoned AS (
  SELECT *,
    -- whole-second stamps: both ends of the interval may be a second off
    seen_by = 'client' AND NOT covered AND client_reason IN ('peer_fin', 'peer_close', 'unknown') AND keepalive_s > 0 AND NOT has_rival
      AND unpinged_s BETWEEN 1.5 * keepalive_s - 1 AND 3 * keepalive_s + 1 AS fits_keepalive,
    -- the client gave up a dead link after the broker's keepalive must have fired: no packet got through for that long
    seen_by = 'client' AND NOT covered AND client_reason = 'connection_timeout' AND keepalive_s > 0 AND 2 * keepalive_s <= 20 AS outlived_keepalive
  FROM silent
)
SELECT * EXCLUDE (broker_reason, broker_closed_by, client_reason, client_closed_by, fits_keepalive, outlived_keepalive, unpinged_s, has_rival, covered),
  disconnected IS NULL AS open,
  (epoch_us(coalesce(disconnected, client_disconnected)) - epoch_us(connected)) / 1e6 AS duration_s,
  broker_reason, client_reason,
  CASE WHEN disconnected IS NULL THEN NULL WHEN broker_reason IS NOT NULL THEN broker_reason
    WHEN fits_keepalive OR outlived_keepalive THEN 'keepalive_timeout' ELSE client_reason END AS reason,
  CASE WHEN disconnected IS NULL THEN NULL WHEN broker_reason IS NOT NULL THEN broker_closed_by
    WHEN fits_keepalive OR outlived_keepalive THEN 'broker' ELSE client_closed_by END AS closed_by,
  CASE WHEN disconnected IS NULL THEN NULL WHEN broker_reason IS NOT NULL THEN 'broker-log'
    WHEN fits_keepalive OR outlived_keepalive THEN 'inferred' ELSE 'client-log' END AS reason_known_by
FROM reasoned;
