-- Question: By which lines did the bridge say that it lost messages, and when?
-- Columns: bridge_id, state, event, count, first, last
-- Example: bridgetrace query losses
SELECT bridge_id, state, event, count(*) AS count, min(time) AS first, max(time) AS last
FROM client_states
WHERE run_id = 'observed' AND event IN ('aio_busy', 'cached_msg_lost', 'msg_lost_enqueue', 'bridge_qos_cancelled', 'ctx_cache_overwrite',
  'bridge_qos0_dropped_disconnected', 'bridge_qos0_dropped_busy', 'bridge_msg_dropped_already_cached', 'bridge_send_failed')
GROUP BY ALL ORDER BY count DESC;
