-- Question: Which messages are in no catalogue, and how often were they logged?
-- Columns: product, layout, file, line, tag, severity, count, example, path, line_no
-- Example: bridgetrace query unknown-messages
WITH unknown AS (
  SELECT product, layout, file, line, tag, severity, regexp_replace(body, '0x[0-9a-fA-F]+|[0-9]+', '#', 'g') AS shape, body, source, line_no
  FROM events WHERE run_id = 'observed' AND event IS NULL
)
SELECT product, layout, file, line, tag, severity, count(*) AS count, left(min(body), 160) AS example, min_by(source, line_no) AS path, min(line_no) AS line_no
FROM unknown GROUP BY product, layout, file, line, tag, severity, shape ORDER BY count DESC;
