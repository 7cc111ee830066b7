-- Question: in which state of its connection was the bridge when it logged this line?
-- Columns: as `client_events`, plus session_no (connections so far, 0 before the first) and state: `connected` or `down`.
-- Example: SELECT state, count(*) FROM client_states WHERE event = 'aio_busy' GROUP BY 1;
CREATE OR REPLACE VIEW client_states AS
SELECT *,
  coalesce(sum((event = 'bridge_connected')::INTEGER) OVER so_far, 0)::INTEGER AS session_no,
  CASE last_value(CASE WHEN event IN ('bridge_connected', 'bridge_disconnected') THEN event END IGNORE NULLS) OVER so_far
    WHEN 'bridge_connected' THEN 'connected' ELSE 'down' END AS state
FROM client_events
WHERE bridge_id IS NOT NULL
WINDOW so_far AS (PARTITION BY run_id, endpoint_id, bridge_id ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);
