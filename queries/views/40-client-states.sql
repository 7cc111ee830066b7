-- Question: in which state of its connection was the bridge when it logged this line?
-- Columns: as `client_events`, plus session_no (connections so far, 0 before the first) and state: `connected` or `down`;
--   start_known_by: `logged` (the line "connected" is there) or `dialled` (null before the first connection).
-- How: only connects and disconnects are counted; every line then takes the last of them before it (as-of join). At warn level no
--   line tells of a connect; there the last dial before a disconnect, or before the end, stands for it (`dialled`).
-- Example: SELECT state, count(*) FROM client_states WHERE event = 'aio_busy' GROUP BY 1;
CREATE OR REPLACE VIEW client_states AS
WITH marks AS (
  SELECT run_id, endpoint_id, bridge_id, seq, CASE WHEN event IN ('bridge_connected', 'bridge_disconnected', 'quic_connecting') THEN event
      WHEN event IN ('quic_no_tls_credentials', 'bridge_reconnect_backoff') THEN 'dial' ELSE 'failed' END AS event
  FROM client_events
  WHERE bridge_id IS NOT NULL AND event IN ('bridge_connected', 'bridge_disconnected', 'quic_connecting', 'quic_no_tls_credentials', 'bridge_reconnect_backoff',
    'bridge_dial_failed', 'quic_dial_error', 'tcp_bridge_aio_error', 'tls_bridge_aio_error')
), told AS (
  SELECT run_id, endpoint_id, bridge_id, bool_or(event IN ('bridge_connected', 'quic_connecting')) AS connects FROM marks GROUP BY ALL
), life AS (
  SELECT run_id, endpoint_id, bridge_id, seq, is_start, CASE WHEN connects THEN 'logged' ELSE 'dialled' END AS start_known_by,
    sum(is_start::INTEGER) OVER (PARTITION BY run_id, endpoint_id, bridge_id ORDER BY seq
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)::INTEGER AS session_no
  FROM (
    SELECT m.*, connects, CASE WHEN connects THEN event = 'bridge_connected'
        ELSE event = 'dial' AND coalesce(lead(event) OVER later, 'bridge_disconnected') = 'bridge_disconnected' END AS is_start
    FROM marks m JOIN told USING (run_id, endpoint_id, bridge_id)
    WINDOW later AS (PARTITION BY run_id, endpoint_id, bridge_id ORDER BY seq)
  )
  WHERE is_start OR event = 'bridge_disconnected'
)
SELECT e.*, coalesce(l.session_no, 0) AS session_no, CASE WHEN l.is_start THEN 'connected' ELSE 'down' END AS state,
  CASE WHEN l.session_no > 0 THEN l.start_known_by END AS start_known_by
FROM client_events e ASOF LEFT JOIN life l
  ON l.run_id = e.run_id AND l.endpoint_id = e.endpoint_id AND l.bridge_id = e.bridge_id AND e.seq >= l.seq
WHERE e.bridge_id IS NOT NULL;
