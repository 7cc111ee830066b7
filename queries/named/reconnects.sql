-- Question: How long did the bridge take to come back after each disconnect?
-- Columns: bridge_id, client_id, disconnected, reason, reconnect_s, next_connected
-- Example: bridgetrace query reconnects
WITH ordered AS (
  SELECT *, lead(connected) OVER (PARTITION BY bridge_id, client_id ORDER BY coalesce(connected, disconnected)) AS next_connected
  FROM sessions WHERE run_id = 'observed'
)
SELECT bridge_id, client_id, disconnected, reason, round((epoch_us(next_connected) - epoch_us(disconnected)) / 1e6, 3) AS reconnect_s, next_connected
FROM ordered WHERE disconnected IS NOT NULL AND next_connected >= disconnected ORDER BY disconnected;
