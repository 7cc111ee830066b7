-- Question: How many MQTT packets of which type did the broker see from and send to each client?
-- Columns: client_id, direction, packet, qos, count, first, last
-- Example: bridgetrace query packets
SELECT client_id, direction, packet, qos, count(*) AS count, min(time) AS first, max(time) AS last
FROM packets WHERE run_id = 'observed' GROUP BY ALL ORDER BY client_id, direction, count DESC;
