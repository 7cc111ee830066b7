-- Question: when did connections end that the broker closed?
-- Columns: client_id, kind (END), at (µs); of each client the first only.
-- How: connections are told apart as in the view `broker_sessions`, from their first and last lines alone.
-- Values: $1 ends of each client.
-- Example: SELECT client_id, ts, reason FROM broker_lines WHERE kind = 'decided' ORDER BY ts;
WITH numbered AS (
  SELECT *, sum((kind = 'CONNECT')::INTEGER) OVER (
    PARTITION BY endpoint_id, client_id, peer ORDER BY ts, line_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS port_no
  FROM broker_lines WHERE peer IS NOT NULL AND kind <> 'SUBACK'
), connections AS (
  SELECT client_id,
    coalesce(min(ts) FILTER (kind = 'terminated'), min(ts) FILTER (kind = 'decided')) AS ended,
    coalesce(arg_min(reason, (ts, line_no)) FILTER (kind = 'decided'), arg_min(reason, (ts, line_no)) FILTER (kind = 'terminated')) AS reason,
    bool_or(kind = 'CONNACK' AND code = 0) AS accepted, bool_or(kind = 'CONNACK' AND code > 0) AS refused
  FROM numbered GROUP BY endpoint_id, client_id, peer, port_no
)
SELECT client_id, 'END' AS kind, epoch_us(ended) AS "at"
FROM connections
WHERE ended IS NOT NULL AND closer_of(reason) = 'broker' AND (coalesce(accepted, false) OR NOT coalesce(refused, false))
QUALIFY row_number() OVER (PARTITION BY client_id ORDER BY ended) <= $1
ORDER BY ended;
