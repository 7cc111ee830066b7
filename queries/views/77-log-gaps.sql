-- Question: where do the logs have holes: times without a line, records that were cut, lines that the broker throttled away?
-- Columns: run_id, product, node, source, kind (`silence` of at least 10 s, `truncated`, `throttled`), first, last, seconds, line_no
--   (after a silence, or of the record), count.
-- Example: SELECT source, kind, first, seconds FROM log_gaps WHERE kind = 'silence' ORDER BY seconds DESC LIMIT 10;
CREATE OR REPLACE VIEW log_gaps AS
WITH stamped AS (
  SELECT n.run_id, n.product, n.node, s.path AS source, r.source_id, r.line_no, h.flags, h.event, r.ts + to_microseconds(coalesce(c.offset_us, 0)) AS time
  FROM packed_records r JOIN shapes h USING (shape_id) JOIN sources s USING (source_id) JOIN endpoints n USING (endpoint_id)
  LEFT JOIN clocks c USING (endpoint_id)
  WHERE r.ts IS NOT NULL
), neighbours AS (
  SELECT *, lag(time) OVER (PARTITION BY source_id ORDER BY line_no) AS before FROM stamped
)
SELECT run_id, product, node, source, 'silence' AS kind, before AS first, time AS last, (epoch_us(time) - epoch_us(before)) / 1e6 AS seconds, line_no, 1 AS count
FROM neighbours WHERE time - before >= INTERVAL 10 SECOND
UNION ALL
SELECT run_id, product, node, source, 'truncated', min(time), max(time), NULL, min(line_no), count(*)::INTEGER
FROM stamped WHERE flags::INTEGER & 17 > 0 GROUP BY ALL
UNION ALL
SELECT run_id, product, node, source, 'throttled', min(time), max(time), NULL, min(line_no), count(*)::INTEGER
FROM stamped WHERE event IN ('log_throttle_summary', 'log_events_throttled_during_last_period') GROUP BY ALL;
