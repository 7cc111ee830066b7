-- Question: which settings did each NanoMQ print when it started?
-- Columns: endpoint_id, bridge_id, event (conf_bridge, conf_bridge_item, conf_value), attributes (JSON: section, index, key, value).
-- How: a NanoMQ that starts again prints the same; each setting is given once, where it was printed last, so a later one wins.
-- Example: FROM bridge_lines WHERE event = 'conf_bridge';
SELECT endpoint_id, bridge_id, event, attributes
FROM bridge_lines
WHERE event IN ('conf_bridge', 'conf_bridge_item', 'conf_value')
GROUP BY endpoint_id, bridge_id, event, attributes
ORDER BY endpoint_id, max(row(source_first_ts, source_id, line_no));
