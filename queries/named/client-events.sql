-- Question: Which lines name a client, from when to when?
-- Columns: time, product, severity, event, packet, topic, peer, text
-- Parameters: client (its id; default: all), from (UTC, as 2026-11-22 05:00:00; default: the first), to (excluded; default: the last)
-- Example: bridgetrace query client-events --param client=bridge-1 --param "from=2026-11-22 04:53:00" --param "to=2026-11-22 04:54:00"
-- How: the times asked for are turned into stamps of each source, for these are in order in the file: what lies outside of them is
--   not even read. A condition on the column `time` of `events` cannot do that.
WITH asked AS (
  SELECT s.source_id, n.product, to_microseconds(coalesce(c.offset_us, 0)) AS shift,
    coalesce($from::TIMESTAMP, '-infinity'::TIMESTAMP) AS from_time, coalesce($to::TIMESTAMP, 'infinity'::TIMESTAMP) AS to_time
  FROM sources s JOIN endpoints n USING (endpoint_id) LEFT JOIN clocks c USING (endpoint_id) WHERE n.run_id = 'observed'
), stamps AS (
  SELECT source_id, product, shift, CASE WHEN isfinite(from_time) THEN from_time - shift ELSE from_time END AS from_ts,
    CASE WHEN isfinite(to_time) THEN to_time - shift ELSE to_time END AS to_ts
  FROM asked
)
SELECT r.ts + s.shift AS time, s.product, r.severity, r.event, r.packet, r.topic, r.peer, r.head || r.body AS text
FROM records r JOIN stamps s ON r.source_id = s.source_id AND r.ts >= s.from_ts AND r.ts < s.to_ts
WHERE $client IS NULL OR r.client_id = $client
ORDER BY time, s.product DESC, r.source_id, r.line_no;
