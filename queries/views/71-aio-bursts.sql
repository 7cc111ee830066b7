-- Question: when did "aio busy" lines come in bursts, and was the bridge connected then?
-- Columns: run_id, endpoint_id, bridge_id, session_no, state (connected, down), first, last, seconds, count, contexts (distinct Ctx numbers).
-- How: lines less than 3 s apart in the same state of the same connection are one burst.
-- Example: SELECT first, seconds, state, count, contexts FROM aio_bursts ORDER BY first;
CREATE OR REPLACE VIEW aio_bursts AS
WITH lines AS (
  SELECT run_id, endpoint_id, bridge_id, session_no, state, time, seq, (attributes->>'$.ctx_id') AS ctx,
    (time - lag(time) OVER same_state > INTERVAL 3 SECOND)::INTEGER AS breaks
  FROM client_states WHERE event = 'aio_busy'
  WINDOW same_state AS (PARTITION BY run_id, endpoint_id, bridge_id, session_no, state ORDER BY seq)
), numbered AS (
  SELECT *, sum(coalesce(breaks, 0)) OVER (PARTITION BY run_id, endpoint_id, bridge_id, session_no, state ORDER BY seq
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS burst_no
  FROM lines
)
SELECT run_id, endpoint_id, bridge_id, session_no, state, min(time) AS first, max(time) AS last,
  (epoch_us(max(time)) - epoch_us(min(time))) / 1e6 AS seconds, count(*)::INTEGER AS count, count(DISTINCT ctx)::INTEGER AS contexts
FROM numbered GROUP BY run_id, endpoint_id, bridge_id, session_no, state, burst_no;
