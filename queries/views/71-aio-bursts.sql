-- Question: when did "aio busy" lines come in bursts, in which state was the bridge then, and how long until its next disconnect?
-- Columns: run_id, endpoint_id, bridge_id, session_no; state: `down` (no dial under way), `connecting` (dialled, no transport yet),
--   `half-open` (the transport stands, the CONNACK is not logged), `connected` (CONNACK, no SUBACK yet), `subscribed` (SUBACK logged);
--   first, last (starts of the logged seconds), seconds, count, contexts (distinct Ctx numbers); next_disconnect (by the bridge's log,
--   null: none follows), seconds_to_disconnect (from the last line of the burst, whole seconds).
-- How: lines less than 3 s apart in the same state of the same connection are one burst. A log at warn level hides the lines of
--   transport, CONNACK and SUBACK, so it tells `down`, `connecting` and `connected` only.
-- Example: SELECT first, seconds, state, count, contexts, seconds_to_disconnect FROM aio_bursts ORDER BY first;
CREATE OR REPLACE VIEW aio_bursts AS
WITH steps AS (
  SELECT run_id, endpoint_id, bridge_id, seq, CASE
      WHEN event IN ('quic_connecting', 'quic_no_tls_credentials', 'bridge_reconnect_backoff') THEN 'connecting'
      WHEN event = 'quic_connected' THEN 'half-open'
      WHEN event = 'bridge_connected' THEN 'connected'
      WHEN event = 'bridge_suback_code' THEN 'subscribed'
      ELSE 'down' END AS step
  FROM client_states
  WHERE event IN ('quic_connecting', 'quic_no_tls_credentials', 'bridge_reconnect_backoff', 'quic_connected', 'bridge_connected', 'bridge_suback_code',
    'bridge_disconnected', 'bridge_dial_failed', 'quic_dial_error', 'tcp_bridge_aio_error', 'tls_bridge_aio_error')
    -- A dial that fails says nothing of a connection that stands, and none begins one that does.
    AND (state = 'down' OR event IN ('bridge_connected', 'bridge_suback_code'))
), ends AS (
  SELECT run_id, endpoint_id, bridge_id, seq, time AS next_disconnect FROM client_states WHERE event = 'bridge_disconnected'
), busy AS (
  SELECT c.run_id, c.endpoint_id, c.bridge_id, c.session_no, c.time, c.seq, c.ctx_id,
    CASE WHEN c.state = 'down' AND s.step IN ('connected', 'subscribed') THEN 'down' WHEN c.state = 'connected' AND coalesce(s.step, '') <> 'subscribed' THEN 'connected'
      ELSE coalesce(s.step, c.state) END AS state
  FROM client_states c ASOF LEFT JOIN steps s
    ON s.run_id = c.run_id AND s.endpoint_id = c.endpoint_id AND s.bridge_id = c.bridge_id AND c.seq >= s.seq
  WHERE c.event = 'aio_busy'
), lines AS (
  SELECT b.*, e.next_disconnect, (b.time - lag(b.time) OVER same_state > INTERVAL 3 SECOND)::INTEGER AS breaks
  FROM busy b ASOF LEFT JOIN ends e
    ON e.run_id = b.run_id AND e.endpoint_id = b.endpoint_id AND e.bridge_id = b.bridge_id AND b.seq <= e.seq
  WINDOW same_state AS (PARTITION BY b.run_id, b.endpoint_id, b.bridge_id, b.session_no, b.state ORDER BY b.seq)
), numbered AS (
  SELECT *, sum(coalesce(breaks, 0)) OVER (PARTITION BY run_id, endpoint_id, bridge_id, session_no, state ORDER BY seq
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS burst_no
  FROM lines
)
SELECT run_id, endpoint_id, bridge_id, session_no, state, min(time) AS first, max(time) AS last,
  (epoch_us(max(time)) - epoch_us(min(time))) / 1e6 AS seconds, count(*)::INTEGER AS count, count(DISTINCT ctx_id)::INTEGER AS contexts,
  min(next_disconnect) AS next_disconnect, (epoch_us(min(next_disconnect)) - epoch_us(max(time))) / 1e6 AS seconds_to_disconnect
FROM numbered GROUP BY run_id, endpoint_id, bridge_id, session_no, state, burst_no;
