-- Question: When did each connection last carry anything, in which direction and on which stream?
-- Columns: client_id, connected, seen_at, direction, stream, packet, lines, last, before_end_s
-- Example: bridgetrace query last-traffic
SELECT client_id, connected, seen_at, direction, stream, packet, lines, last, round(before_end_s, 3) AS before_end_s
FROM last_traffic WHERE run_id = 'observed' ORDER BY connected, last;
