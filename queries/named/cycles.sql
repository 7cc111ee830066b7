-- Question: Which disconnects repeat, and with what period?
-- Columns: bridge_id, client_id, reason, closed_by, count, is_cycle, period_s, period_sd_s, jitter_s, dwell_s, reconnect_s
-- Example: bridgetrace query cycles
SELECT bridge_id, client_id, reason, closed_by, count, is_cycle, round(period_s, 3) AS period_s, round(period_sd_s, 3) AS period_sd_s,
  round(jitter_s, 3) AS jitter_s, round(dwell_s, 3) AS dwell_s, round(reconnect_s, 3) AS reconnect_s
FROM cycles WHERE run_id = 'observed' ORDER BY count DESC;
