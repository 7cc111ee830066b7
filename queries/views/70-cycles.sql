-- Question: which disconnects repeat, how often, with what period?
-- Columns: run_id, bridge_id, client_id, reason, closed_by; count (disconnects); period_s, period_sd_s (between two disconnects of this
--   reason); dwell_s (connected time, mean); reconnect_s (mean time until the next connection); jitter_s (mean difference between
--   one period and the next; null below 3 disconnects); is_cycle: 3 disconnects or more, so that there are periods to compare; first, last.
-- How: cycles_of takes the name of a table of sessions, so that an analysis need not find them a second time.
-- Example: SELECT reason, count, period_s, dwell_s FROM cycles ORDER BY count DESC;
CREATE OR REPLACE MACRO cycles_of(sessions_table) AS TABLE
WITH ordered AS (
  SELECT run_id, bridge_id, client_id, reason, closed_by, connected, disconnected, duration_s,
    lead(connected) OVER (PARTITION BY run_id, bridge_id, client_id ORDER BY coalesce(connected, disconnected)) AS next_connected
  FROM query_table(sessions_table)
), spaced AS (
  SELECT *, (epoch_us(disconnected) - epoch_us(lag(disconnected) OVER (
    PARTITION BY run_id, bridge_id, client_id, reason ORDER BY disconnected))) / 1e6 AS gap_s
  FROM ordered WHERE disconnected IS NOT NULL
), gaps AS (
  SELECT *, abs(gap_s - lag(gap_s) OVER (PARTITION BY run_id, bridge_id, client_id, reason ORDER BY disconnected)) AS change_s FROM spaced
)
SELECT run_id, bridge_id, client_id, reason, mode(closed_by) AS closed_by, count(*)::INTEGER AS count,
  avg(gap_s) AS period_s, stddev_samp(gap_s) AS period_sd_s, avg(duration_s) AS dwell_s,
  avg((epoch_us(next_connected) - epoch_us(disconnected)) / 1e6) FILTER (next_connected >= disconnected) AS reconnect_s,
  avg(change_s) AS jitter_s, count(*) >= 3 AS is_cycle,
  min(disconnected) AS first, max(disconnected) AS last
FROM gaps GROUP BY run_id, bridge_id, client_id, reason;

CREATE OR REPLACE VIEW cycles AS FROM cycles_of('sessions');
