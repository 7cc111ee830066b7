-- Question: for every "aio busy" line of the bridge: in which connection did it fall, and when did the broker next disconnect this client?
-- Columns: run_id, bridge_id, client_id, source, line_no, time (start of the logged second), ctx_id, state, session_no;
--   next_disconnect (broker's clock), reason, seconds_to_disconnect (from the middle of the logged second), clock_error_s.
-- Example: SELECT reason, count(*), min(seconds_to_disconnect), max(seconds_to_disconnect) FROM aio_busy_at_disconnect GROUP BY reason;
CREATE OR REPLACE VIEW aio_busy_at_disconnect AS
WITH busy AS (
  SELECT s.run_id, s.bridge_id, b.client_id, s.source_id, s.source, s.line_no, s.time, s.precision_us, s.error_us,
    ((s.attributes->>'$.ctx_id'))::INTEGER AS ctx_id, s.state, s.session_no
  FROM client_states s
  LEFT JOIN bridges b ON b.run_id = s.run_id AND b.endpoint_id = s.endpoint_id AND b.bridge_id = s.bridge_id
  WHERE s.event = 'aio_busy'
), ends AS (
  SELECT run_id, client_id, disconnected, reason FROM broker_sessions WHERE disconnected IS NOT NULL
)
SELECT busy.run_id, busy.bridge_id, busy.client_id, busy.source_id, busy.source, busy.line_no, busy.time, busy.ctx_id, busy.state, busy.session_no,
  ends.disconnected AS next_disconnect, ends.reason,
  (epoch_us(ends.disconnected) - epoch_us(busy.time) - busy.precision_us / 2) / 1e6 AS seconds_to_disconnect,
  (busy.error_us + busy.precision_us / 2) / 1e6 AS clock_error_s
FROM busy ASOF LEFT JOIN ends
  ON busy.run_id = ends.run_id AND busy.client_id = ends.client_id AND busy.time <= ends.disconnected;
