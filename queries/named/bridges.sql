-- Question: Which bridges are there, and which client of the broker is each?
-- Columns: node, bridge_id, address, client_id, client_known_by, transport, keepalive_s, settings
-- Example: bridgetrace query bridges
SELECT n.node, b.bridge_id, b.address, b.client_id, b.client_known_by, b.transport, b.keepalive_s, b.settings
FROM bridges b LEFT JOIN endpoints n USING (endpoint_id) WHERE b.run_id = 'observed' ORDER BY n.node, b.bridge_id;
