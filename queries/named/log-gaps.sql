-- Question: Where do the logs have holes?
-- Columns: product, node, source, kind, first, last, seconds, line_no, count
-- Example: bridgetrace query log-gaps
SELECT * EXCLUDE (run_id) FROM log_gaps WHERE run_id = 'observed' ORDER BY seconds DESC NULLS LAST, first;
