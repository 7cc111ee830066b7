-- Question: which MQTT packets did the broker exchange with which client, and when?
-- Columns: run_id, endpoint_id, client_id, peer, time; direction: `in` (from the client) or `out`; packet (CONNECT, PUBLISH …),
--   qos, dup, packet_id, topic, reason_code, keepalive_s (CONNECT), payload_bytes; source, line_no.
-- Note: EMQX logs no packet that arrives on a QUIC data stream, whatever the level (emqx-keepalive-model.md §2.5).
-- Example: SELECT packet, direction, count(*) FROM packets GROUP BY ALL ORDER BY 3 DESC;
CREATE OR REPLACE VIEW packets AS
SELECT run_id, endpoint_id, client_id, peer, time,
  CASE event WHEN 'mqtt_packet_received' THEN 'in' ELSE 'out' END AS direction,
  packet, qos, TRY_CAST((attributes->>'$.dup') AS BOOLEAN) AS dup, packet_id, topic,
  TRY_CAST((attributes->>'$.reason_code') AS INTEGER) AS reason_code, TRY_CAST((attributes->>'$.keepalive_s') AS INTEGER) AS keepalive_s,
  bytes AS payload_bytes, source_id, source, line_no
FROM broker_events
WHERE event IN ('mqtt_packet_received', 'mqtt_packet_sent');
