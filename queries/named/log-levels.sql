-- Question: Which severities does each log hold?
-- Columns: product, node, path, severity, records, first, last
-- Example: bridgetrace query log-levels
SELECT n.product, n.node, s.path, h.severity, count(*) AS records, min(r.ts) AS first, max(r.ts) AS last
FROM packed_records r JOIN shapes h USING (shape_id) JOIN sources s USING (source_id) JOIN endpoints n USING (endpoint_id)
WHERE n.run_id = 'observed' GROUP BY ALL ORDER BY n.product, s.path, records DESC;
