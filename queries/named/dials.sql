-- Question: How long did each QUIC dial take, and did it stand?
-- Columns: node, dialled, stood, seconds
-- Example: bridgetrace query dials
WITH marks AS (
  SELECT node, endpoint_id, event, time, seq, lead(event) OVER later AS next, lead(time) OVER later AS next_time
  FROM client_events WHERE run_id = 'observed' AND event IN ('quic_connecting', 'quic_connected', 'quic_dial_error')
  WINDOW later AS (PARTITION BY endpoint_id ORDER BY seq)
)
SELECT node, time AS dialled, next = 'quic_connected' AS stood, (epoch_us(next_time) - epoch_us(time)) / 1e6 AS seconds
FROM marks WHERE event = 'quic_connecting' ORDER BY dialled;
