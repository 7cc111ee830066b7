-- Question: what happened at the broker, each event once, although its text, JSON and trace logs tell it up to three times?
-- Columns: as `events`, EMQX endpoints only.
-- How: for one connection (client, peer) and kind of event the layout that shows most of them is kept (ties: text, JSON, trace),
--   and lines that two files of one layout share are counted once.
-- Example: SELECT time, client_id, peer, event FROM broker_events WHERE event = 'socket_force_closed' ORDER BY time;
CREATE OR REPLACE VIEW broker_events AS
WITH counted AS (
  SELECT run_id, endpoint_id, client_id, peer, event, layout, count(*) AS n
  FROM events WHERE product = 'emqx' AND event IS NOT NULL GROUP BY ALL
), best AS (
  SELECT run_id, endpoint_id, client_id, peer, event, layout
  FROM counted
  QUALIFY row_number() OVER (
    PARTITION BY run_id, endpoint_id, client_id, peer, event
    ORDER BY n DESC, list_position(['emqx-text', 'emqx-json', 'emqx-trace', 'emqx-trace-json'], layout)) = 1
), kept AS (
  SELECT e.*, row_number() OVER (PARTITION BY e.source_id, e.time, e.event, e.body ORDER BY e.line_no) AS twin_no
  FROM events e
  JOIN best b ON e.run_id = b.run_id AND e.endpoint_id = b.endpoint_id AND e.event = b.event AND e.layout = b.layout
    AND e.client_id IS NOT DISTINCT FROM b.client_id AND e.peer IS NOT DISTINCT FROM b.peer
  WHERE e.product = 'emqx'
)
SELECT * EXCLUDE (twin_no) FROM kept
QUALIFY row_number() OVER (PARTITION BY endpoint_id, time, event, body, twin_no ORDER BY source_id) = 1;
