-- Question: for which reasons did the bridge lose messages, and when, as far as its log says so?
-- Columns: run_id, endpoint_id, bridge_id, session_no, state (connected, down), reason (`context-busy`, `queue-full`, `queue-refused`,
--   `cache-overwritten`, `qos0-while-busy`, `qos0-while-down`, `send-failed`, `cancelled`, `already-cached`), event, lines, first, last.
-- Note: a lower bound. What releases lose without a line (QoS 0 while down up to 0.23.1) is in no log (measured.md §2.20).
-- Example: SELECT reason, state, sum(lines) FROM losses GROUP BY ALL ORDER BY 3 DESC;
CREATE OR REPLACE VIEW losses AS
SELECT run_id, endpoint_id, bridge_id, session_no, state, CASE event
    WHEN 'aio_busy' THEN 'context-busy' WHEN 'cached_msg_lost' THEN 'queue-full' WHEN 'msg_lost_enqueue' THEN 'queue-refused'
    WHEN 'ctx_cache_overwrite' THEN 'cache-overwritten' WHEN 'bridge_qos0_dropped_busy' THEN 'qos0-while-busy'
    WHEN 'bridge_qos0_dropped_disconnected' THEN 'qos0-while-down' WHEN 'bridge_send_failed' THEN 'send-failed'
    WHEN 'bridge_qos_cancelled' THEN 'cancelled' ELSE 'already-cached' END AS reason,
  event, count(*)::INTEGER AS lines, min(time) AS first, max(time) AS last
FROM client_states
WHERE event IN ('aio_busy', 'cached_msg_lost', 'msg_lost_enqueue', 'bridge_qos_cancelled', 'ctx_cache_overwrite',
  'bridge_qos0_dropped_disconnected', 'bridge_qos0_dropped_busy', 'bridge_msg_dropped_already_cached', 'bridge_send_failed')
GROUP BY ALL;
