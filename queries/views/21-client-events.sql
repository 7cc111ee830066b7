-- Question: what happened at the bridge client, in the order it was written, and to which bridge does it belong?
-- Columns: as `events`, NanoMQ endpoints only, plus seq (order within the endpoint), bridge_id (null if ambiguous) and
--   attribution: `named` (the line names the bridge), `only-bridge` (there is no other), `ambiguous`.
-- How: one NanoMQ's console and file log tell the same story, so the layout with most records is used; rotated files are put
--   in order of their first stamp.
-- Example: SELECT time, event, body FROM client_events WHERE event LIKE 'bridge_%' ORDER BY seq;
CREATE OR REPLACE VIEW client_events AS
WITH main_layout AS (
  SELECT endpoint_id, layout FROM sources GROUP BY endpoint_id, layout
  QUALIFY row_number() OVER (PARTITION BY endpoint_id ORDER BY sum(records) DESC, layout) = 1
), file_order AS (
  SELECT source_id, row_number() OVER (PARTITION BY endpoint_id ORDER BY first_ts, source_id) AS file_no FROM sources
), only_bridge AS (
  SELECT run_id, endpoint_id, min(bridge_id) AS bridge_id FROM bridges GROUP BY ALL HAVING count(*) = 1
)
SELECT e.* EXCLUDE (bridge_id),
  (f.file_no << 32) + e.line_no AS seq,
  coalesce(b.bridge_id, o.bridge_id) AS bridge_id,
  CASE WHEN b.bridge_id IS NOT NULL THEN 'named' WHEN o.bridge_id IS NOT NULL THEN 'only-bridge' ELSE 'ambiguous' END AS attribution
FROM events e
JOIN file_order f ON f.source_id = e.source_id
JOIN main_layout m ON e.endpoint_id = m.endpoint_id AND e.layout = m.layout
LEFT JOIN bridges b ON b.run_id = e.run_id AND b.endpoint_id = e.endpoint_id AND e.bridge_id IN (b.bridge_id, b.address)
LEFT JOIN only_bridge o ON o.run_id = e.run_id AND o.endpoint_id = e.endpoint_id
WHERE e.product = 'nanomq' AND e.event IS NOT NULL;
