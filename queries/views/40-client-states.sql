-- Question: in which state of its connection was the bridge when it logged this line?
-- Columns: as `client_events`, plus session_no (connections so far, 0 before the first) and state: `connected` or `down`.
-- Example: SELECT state, count(*) FROM client_states WHERE event = 'aio_busy' GROUP BY 1;
-- How: only connects and disconnects are counted; every line then takes the last of them before it (as-of join).
CREATE OR REPLACE VIEW client_states AS
WITH life AS (
  SELECT run_id, endpoint_id, bridge_id, seq, event,
    sum((event = 'bridge_connected')::INTEGER) OVER (PARTITION BY run_id, endpoint_id, bridge_id ORDER BY seq
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)::INTEGER AS session_no
  FROM client_events WHERE event IN ('bridge_connected', 'bridge_disconnected') AND bridge_id IS NOT NULL
)
SELECT e.*, coalesce(l.session_no, 0) AS session_no, CASE l.event WHEN 'bridge_connected' THEN 'connected' ELSE 'down' END AS state
FROM client_events e ASOF LEFT JOIN life l
  ON l.run_id = e.run_id AND l.endpoint_id = e.endpoint_id AND l.bridge_id = e.bridge_id AND e.seq >= l.seq
WHERE e.bridge_id IS NOT NULL;
