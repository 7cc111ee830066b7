-- Question: how many messages a minute went each way, by QoS, as far as the logs show?
-- Columns: run_id, minute (start), client_id, seen_at (`broker-packets`: control stream, both directions; `broker-routed`: came in on
--   data streams, no client named; `bridge`: offered by NanoMQ, debug level), direction, qos (null where the line has none), messages.
-- Example: SELECT minute, direction, qos, messages FROM publish_rates ORDER BY minute;
CREATE OR REPLACE VIEW publish_rates AS
SELECT run_id, time_bucket(INTERVAL 1 MINUTE, time) AS minute, client_id, 'broker-packets' AS seen_at, direction, qos, count(*)::INTEGER AS messages
FROM packets WHERE packet = 'PUBLISH' GROUP BY ALL
UNION ALL
SELECT run_id, time_bucket(INTERVAL 1 MINUTE, time), NULL, 'broker-routed', 'in', NULL, count(*)::INTEGER
FROM broker_events WHERE event = 'publish_routed' AND client_id IS NULL GROUP BY ALL
UNION ALL
SELECT e.run_id, time_bucket(INTERVAL 1 MINUTE, e.time), b.client_id, 'bridge', 'in', NULL, count(*)::INTEGER
FROM client_events e LEFT JOIN bridges b ON b.run_id = e.run_id AND b.endpoint_id = e.endpoint_id AND b.bridge_id = e.bridge_id
WHERE e.event = 'bridge_forward' GROUP BY ALL;
