-- Question: How were the clocks of the two ends put on one time line?
-- Columns: node, product, zone, offset_s, error_s, method, pairs, ambiguous
-- Example: bridgetrace query clocks
SELECT node, product, zone, offset_us / 1e6 AS offset_s, error_us / 1e6 AS error_s, method, pairs, ambiguous
FROM clocks JOIN endpoints USING (endpoint_id) WHERE run_id = 'observed' ORDER BY product DESC, node;
