-- Question: which connections did the bridges of a run have, and how many messages came in beside their control streams?
-- Makes: run_sessions: as the view `sessions`, plus routed_unnamed (messages the broker routed without naming a client while this
--   connection lived) and last_routed_unnamed.
-- How: messages are numbered in order of time, so a connection needs two of the numbers and not all messages of its time.
-- Values: $1 run.
-- Example: SELECT time, event FROM broker_events WHERE event = 'publish_routed' AND client_id IS NULL;
CREATE OR REPLACE TEMP TABLE run_sessions AS
WITH routed AS (
  SELECT time, max(n) AS n
  FROM (SELECT time, row_number() OVER (ORDER BY time) AS n FROM run_broker_events WHERE event = 'publish_routed' AND client_id IS NULL)
  GROUP BY time
), s AS MATERIALIZED (
  SELECT *, coalesce(decided, disconnected, TIMESTAMP '9999-01-01') AS lived_until FROM sessions WHERE run_id = $1
)
SELECT s.* EXCLUDE (lived_until),
  greatest(coalesce(latest.n, 0) - coalesce(earlier.n, 0), 0)::INTEGER * (s.connected IS NOT NULL)::INTEGER AS routed_unnamed,
  CASE WHEN s.connected IS NOT NULL AND coalesce(latest.n, 0) > coalesce(earlier.n, 0) THEN latest.time END AS last_routed_unnamed
FROM s
ASOF LEFT JOIN routed latest ON s.lived_until >= latest.time
ASOF LEFT JOIN routed earlier ON s.connected > earlier.time;
