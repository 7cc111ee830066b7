-- Question: What was the last packet of each kind that the broker exchanged with a client before each end?
-- Columns: client_id, peer, direction, packet, last, before_end_s
-- Example: bridgetrace query last-packets
WITH told AS (
  SELECT p.client_id, p.peer, p.direction, p.packet, s.disconnected, max(p.time) AS last
  FROM packets p JOIN broker_sessions s ON s.run_id = p.run_id AND s.endpoint_id = p.endpoint_id AND s.client_id = p.client_id AND s.peer = p.peer
    AND p.time BETWEEN coalesce(s.connected, p.time) AND s.disconnected
  WHERE p.run_id = 'observed' GROUP BY ALL
)
SELECT client_id, peer, direction, packet, last, round((epoch_us(disconnected) - epoch_us(last)) / 1e6, 3) AS before_end_s FROM told ORDER BY last;
