-- Question: when did each connection last carry anything, in which direction and on which stream?
-- Columns: run_id, bridge_id, client_id, connected, disconnected, seen_at (`broker`: its packet lines; `bridge`: NanoMQ's debug lines),
--   direction (`in`: towards the broker, `out`: towards the bridge), stream (`control` for packets at the broker, which logs none of a
--   data stream; the bridge's own number: 0 is control), packet (null at the bridge), lines, last, before_end_s (to the connection's end by
--   the clock of the side that logged it; null while it is open).
-- Example: SELECT seen_at, direction, stream, packet, last, before_end_s FROM last_traffic ORDER BY last;
CREATE OR REPLACE VIEW last_traffic AS
WITH lines AS (
  SELECT run_id, endpoint_id, client_id AS owner, 'broker' AS seen_at, direction, 'control' AS stream, packet, time FROM packets WHERE client_id IS NOT NULL
  UNION ALL
  SELECT run_id, endpoint_id, bridge_id, 'bridge', CASE event WHEN 'quic_write_start' THEN 'in' ELSE 'out' END,
    coalesce(attributes->>'$.sid', stream_id::VARCHAR), NULL, time
  FROM client_states WHERE event IN ('quic_write_start', 'quic_data_received') AND state = 'connected'
), lives AS (
  SELECT run_id, bridge_id, client_id, connected, disconnected, 'broker' AS seen_at, broker_endpoint_id AS endpoint_id, client_id AS owner,
    connected AS from_time, disconnected AS to_time
  FROM sessions WHERE broker_session_no IS NOT NULL AND connected IS NOT NULL
  UNION ALL
  SELECT run_id, bridge_id, client_id, connected, disconnected, 'bridge', client_endpoint_id, bridge_id, client_connected, client_disconnected
  FROM sessions WHERE client_session_no IS NOT NULL
)
SELECT s.run_id, s.bridge_id, s.client_id, s.connected, s.disconnected, l.seen_at, l.direction, l.stream, l.packet, count(*)::INTEGER AS lines,
  max(l.time) AS last, (epoch_us(any_value(s.to_time)) - epoch_us(max(l.time))) / 1e6 AS before_end_s
FROM lives s JOIN lines l ON l.run_id = s.run_id AND l.endpoint_id = s.endpoint_id AND l.seen_at = s.seen_at AND l.owner = s.owner
  AND l.time >= s.from_time AND (s.to_time IS NULL OR l.time <= s.to_time)
GROUP BY s.run_id, s.bridge_id, s.client_id, s.connected, s.disconnected, l.seen_at, l.direction, l.stream, l.packet;
