-- Question: what do the lines look like that could not be read?
-- Columns: source_id; shapes: of each source the most frequent kinds (shape: numbers are #; reason, count, line: the first one).
-- How: all sources in one pass. Only the beginning of a line is looked at: the rest would not be shown.
-- Values: $1 run, $2 kinds of each source, $3 characters of a shape.
-- Example: SELECT reason, text FROM unparsed LIMIT 10;
WITH kinds AS (
  SELECT source_id, left(regexp_replace(left(text, 4 * $3), '0x[0-9a-fA-F]+|[0-9]+', '#', 'g'), $3) AS shape, reason,
    count(*)::INTEGER AS count, min(line_no) AS line
  FROM unparsed
  WHERE source_id IN (SELECT source_id FROM sources JOIN endpoints USING (endpoint_id) WHERE run_id = $1)
  GROUP BY ALL
)
SELECT source_id, arg_max({shape: shape, reason: reason, count: count, line: line}, count::HUGEINT * 4294967296 - line, $2) AS shapes
FROM kinds GROUP BY source_id;
