-- Question: How often does each event occur?
-- Columns: product, event, severity, count, first, last
-- Example: bridgetrace query events
SELECT product, event, severity, count(*) AS count, min(time) AS first, max(time) AS last
FROM events WHERE run_id = 'observed' GROUP BY ALL ORDER BY count DESC;
