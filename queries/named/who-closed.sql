-- Question: Who ended the connections, and why?
-- Columns: bridge_id, client_id, closed_by, reason, reason_known_by, connections, mean_duration_s
-- Example: bridgetrace query who-closed
SELECT bridge_id, client_id, closed_by, reason, reason_known_by, count(*) AS connections, round(avg(duration_s), 3) AS mean_duration_s
FROM sessions WHERE run_id = 'observed' AND NOT open GROUP BY ALL ORDER BY connections DESC;
