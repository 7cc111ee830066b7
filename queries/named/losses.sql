-- Question: For which reasons did the bridge say that it lost messages, and when?
-- Columns: bridge_id, state, reason, count, first, last
-- Example: bridgetrace query losses
SELECT bridge_id, state, reason, sum(lines) AS count, min(first) AS first, max(last) AS last
FROM losses WHERE run_id = 'observed' GROUP BY ALL ORDER BY count DESC;
