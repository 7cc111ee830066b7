-- Question: How many messages a minute went each way, by QoS?
-- Columns: minute, client_id, seen_at, direction, qos, messages
-- Example: bridgetrace query publish-rates
SELECT * EXCLUDE (run_id) FROM publish_rates WHERE run_id = 'observed' ORDER BY minute, seen_at, direction, qos, client_id;
