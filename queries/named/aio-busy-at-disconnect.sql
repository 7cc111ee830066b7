-- Question: How long before which disconnect did each "aio busy" line come?
-- Columns: reason, state, lines, first_s_before, last_s_before, clock_error_s
-- Example: bridgetrace query aio-busy-at-disconnect
SELECT reason, state, count(*) AS lines, round(max(seconds_to_disconnect), 1) AS first_s_before, round(min(seconds_to_disconnect), 1) AS last_s_before,
  round(max(clock_error_s), 3) AS clock_error_s
FROM aio_busy_at_disconnect WHERE run_id = 'observed' GROUP BY ALL ORDER BY lines DESC;
