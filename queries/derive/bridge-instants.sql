-- Question: when did a NanoMQ log that a bridge connected, subscribed and disconnected?
-- Columns: event, ts (stamp as written, µs), precision (µs); of each event the first lines only.
-- How: a `connected` that is at once `disconnected` was a refusal (measured.md §2.12) and is left out.
-- Values: $1 endpoint, $2 lines of each event.
-- Example: SELECT event, ts FROM bridge_lines WHERE event = 'bridge_connected' ORDER BY ts;
WITH ordered AS (
  SELECT event, epoch_us(ts) AS ts, precision_us AS precision, source_first_ts, source_id, line_no,
    lead(event) OVER later AS next, epoch_us(lead(ts) OVER later) AS next_ts
  FROM bridge_lines
  WHERE endpoint_id = $1 AND event IN ('bridge_connected', 'bridge_disconnected', 'bridge_suback_code') AND ts IS NOT NULL
  WINDOW later AS (ORDER BY source_first_ts, source_id, line_no)
)
SELECT event, ts, precision
FROM ordered
WHERE NOT (event = 'bridge_connected' AND coalesce(next = 'bridge_disconnected' AND next_ts - ts <= 1000000, false))
QUALIFY row_number() OVER (PARTITION BY event ORDER BY source_first_ts, source_id, line_no) <= $2
ORDER BY source_first_ts, source_id, line_no;
