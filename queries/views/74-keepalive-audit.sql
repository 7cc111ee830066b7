-- Question: did each bridge send PINGREQ as often as its timer says, and was that enough for the broker?
-- Columns: run_id, bridge_id, client_id, session_no, connected, keepalive_s; period_s: when an idle bridge should ping, which is the
--   keepalive rounded up to its timer's tick of 5 s; pings, pings_wanted (connected time / period), longest_gap_s (between two pings,
--   connect and end included), limit_s (1.5 × keepalive); verdict: `pinged`, `late` (a gap above the limit), `none`, `unknown` (level).
-- How: sends postpone a PINGREQ, so `late` and `none` are no fault where the broker counts what was sent.
-- Example: SELECT connected, pings, pings_wanted, longest_gap_s, verdict FROM keepalive_audit;
CREATE OR REPLACE VIEW keepalive_audit AS
WITH marks AS (
  SELECT run_id, endpoint_id, bridge_id, session_no, time FROM client_states WHERE event = 'ping_sent' AND state = 'connected'
  UNION ALL
  SELECT run_id, endpoint_id, bridge_id, session_no, unnest([connected, coalesce(disconnected, last_line)]) FROM client_sessions
), gaps AS (
  SELECT *, (epoch_us(time) - epoch_us(lag(time) OVER (PARTITION BY run_id, endpoint_id, bridge_id, session_no ORDER BY time))) / 1e6 AS gap_s
  FROM marks
), longest AS (
  SELECT run_id, endpoint_id, bridge_id, session_no, max(gap_s) AS longest_gap_s FROM gaps GROUP BY ALL
)
SELECT s.run_id, s.bridge_id, b.client_id, s.session_no, s.connected, b.keepalive_s, ceil(b.keepalive_s / 5) * 5 AS period_s, s.pings,
  floor(s.duration_s / nullif(ceil(b.keepalive_s / 5) * 5, 0))::INTEGER AS pings_wanted, l.longest_gap_s, 1.5 * b.keepalive_s AS limit_s,
  CASE WHEN s.pings IS NULL OR b.keepalive_s IS NULL THEN 'unknown' WHEN s.pings = 0 AND s.duration_s > 1.5 * b.keepalive_s THEN 'none'
    WHEN l.longest_gap_s > 1.5 * b.keepalive_s + 1 THEN 'late' ELSE 'pinged' END AS verdict
FROM client_sessions s
JOIN bridges b ON b.run_id = s.run_id AND b.endpoint_id IS NOT DISTINCT FROM s.endpoint_id AND b.bridge_id = s.bridge_id
LEFT JOIN longest l ON l.run_id = s.run_id AND l.endpoint_id = s.endpoint_id AND l.bridge_id = s.bridge_id AND l.session_no = s.session_no;
