-- Question: How long had each connection been silent when it ended, against its keepalive?
-- Columns: bridge_id, client_id, disconnected, reason, keepalive_s, silence_s, silence_ratio, unpinged_s
-- Example: bridgetrace query silences
SELECT bridge_id, client_id, disconnected, reason, keepalive_s, round(silence_s, 3) AS silence_s, round(silence_ratio, 2) AS silence_ratio, unpinged_s
FROM silences WHERE run_id = 'observed' ORDER BY disconnected;
