-- Question: how many send contexts of a bridge were busy over time?
-- Columns: run_id, endpoint_id, bridge_id, second, state; busy_least: different contexts that met "aio busy" in this second, each
--   of which was busy then; busy_most: system.parallel if known (null: not known); lines.
-- How: the log names a context only when a message meets it busy, so the true number lies between the two.
-- Example: SELECT second, busy_least, busy_most FROM aio_occupancy ORDER BY second;
CREATE OR REPLACE VIEW aio_occupancy AS
SELECT s.run_id, s.endpoint_id, s.bridge_id, time_bucket(INTERVAL 1 SECOND, s.time) AS second, s.state, count(DISTINCT s.ctx_id)::INTEGER AS busy_least,
  TRY_CAST(any_value(b.settings->>'$.parallel') AS INTEGER) AS busy_most, count(*)::INTEGER AS lines
FROM client_states s
LEFT JOIN bridges b ON b.run_id = s.run_id AND b.endpoint_id = s.endpoint_id AND b.bridge_id = s.bridge_id
WHERE s.event = 'aio_busy' GROUP BY ALL;
