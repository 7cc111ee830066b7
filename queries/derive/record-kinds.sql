-- Question: which kinds of records did the logs of a run hold, and in which lines does each come first?
-- Makes: record_kinds (a row a source and shape): endpoint_id, product, source_id, shape_id, event, packet, file, line,
--   first_lines (numbers of its first five lines, ascending).
-- How: the only pass that the derivation makes over all records; it reads three columns, and groups are as few as shapes.
-- Values: $1 run.
-- Example: FROM record_kinds WHERE event = 'aio_busy';
CREATE OR REPLACE TEMP TABLE record_kinds AS
WITH of_run AS (
  SELECT source_id, endpoint_id, product FROM sources JOIN endpoints USING (endpoint_id) WHERE run_id = $1
), kinds AS (
  SELECT source_id, shape_id, min(line_no, 5) AS first_lines FROM packed_records GROUP BY ALL
)
SELECT o.endpoint_id, o.product, k.source_id, k.shape_id, h.event, h.packet, h.file, h.line, k.first_lines
FROM kinds k JOIN of_run o USING (source_id) JOIN shapes h USING (shape_id);
