-- Question: what happened at the broker, each event once, although its text, JSON and trace logs tell it up to three times?
-- Columns: as `events`, EMQX endpoints only.
-- How: for one connection (client, peer) and kind of event the layout that shows most of them is kept (ties: text, JSON, trace),
--   and lines that two files of one layout share are counted once. Both cost nothing where a broker has one log only; texts are
--   compared only where two files tell the same kind of event at the same time.
-- Example: SELECT time, client_id, peer, event FROM broker_events WHERE event = 'socket_force_closed' ORDER BY time;
CREATE OR REPLACE VIEW broker_events AS
WITH several_layouts AS (
  SELECT endpoint_id FROM sources JOIN endpoints USING (endpoint_id)
  WHERE product = 'emqx' GROUP BY ALL HAVING count(DISTINCT layout) > 1
), several_files AS (
  SELECT endpoint_id, layout FROM sources JOIN endpoints USING (endpoint_id)
  WHERE product = 'emqx' GROUP BY ALL HAVING count(*) > 1
), counted AS (
  SELECT run_id, endpoint_id, client_id, peer, event, layout, count(*) AS n
  FROM events JOIN several_layouts USING (endpoint_id) WHERE event IS NOT NULL GROUP BY ALL
), told_better AS (
  SELECT run_id, endpoint_id, client_id, peer, event, layout
  FROM counted
  QUALIFY row_number() OVER (
    PARTITION BY run_id, endpoint_id, client_id, peer, event
    ORDER BY n DESC, list_position(['emqx-text', 'emqx-json', 'emqx-trace', 'emqx-trace-json'], layout)) > 1
), shared AS (
  SELECT e.endpoint_id, e.layout, e.time, e.event FROM events e JOIN several_files USING (endpoint_id, layout)
  WHERE e.event IS NOT NULL GROUP BY ALL HAVING count(DISTINCT e.source_id) > 1
), told_twice AS (
  SELECT e.source_id, e.line_no, row_number() OVER (PARTITION BY e.source_id, e.time, e.event, e.body ORDER BY e.line_no) AS twin_no,
    e.endpoint_id, e.time, e.event, e.body
  FROM events e JOIN shared s ON s.endpoint_id = e.endpoint_id AND s.layout = e.layout AND s.time = e.time AND s.event = e.event
), repeated AS (
  SELECT source_id, line_no FROM told_twice
  QUALIFY row_number() OVER (PARTITION BY endpoint_id, time, event, body, twin_no ORDER BY source_id) > 1
)
SELECT e.*
FROM events e
ANTI JOIN told_better b ON e.run_id = b.run_id AND e.endpoint_id = b.endpoint_id AND e.event = b.event AND e.layout = b.layout
  AND e.client_id IS NOT DISTINCT FROM b.client_id AND e.peer IS NOT DISTINCT FROM b.peer
ANTI JOIN repeated d ON e.source_id = d.source_id AND e.line_no = d.line_no
WHERE e.product = 'emqx' AND e.event IS NOT NULL;
