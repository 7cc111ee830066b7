-- Question: How many messages did the bridge say it dropped each minute, and was it connected?
-- Columns: bridge_id, minute, state, drops
-- Example: bridgetrace query drops-per-minute
SELECT bridge_id, time_bucket(INTERVAL 1 MINUTE, time) AS minute, state, count(*) AS drops
FROM client_states
WHERE run_id = 'observed' AND event IN ('aio_busy', 'cached_msg_lost', 'msg_lost_enqueue', 'ctx_cache_overwrite', 'bridge_qos0_dropped_disconnected',
  'bridge_qos0_dropped_busy', 'bridge_msg_dropped_already_cached')
GROUP BY ALL ORDER BY minute, bridge_id, state;
