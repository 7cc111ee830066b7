-- Question: Which connections did each bridge have, and how did each end?
-- Columns: bridge_id, client_id, seen_by, connected, disconnected, duration_s, reason, reason_known_by, silence_s, pings, aio_busy, cached_lost
-- Example: bridgetrace query sessions
SELECT bridge_id, client_id, seen_by, connected, disconnected, round(duration_s, 3) AS duration_s, reason, reason_known_by,
  round(silence_s, 3) AS silence_s, pings, aio_busy, cached_lost
FROM sessions WHERE run_id = 'observed' ORDER BY bridge_id, connected;
