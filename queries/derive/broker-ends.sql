-- Question: what tells, in order, when connections ended that the broker closed?
-- Columns: client_id, kind (CONNECT, CONNACK, decided, terminated), at (µs), peer, code (of a CONNACK), by_broker (the reason of an end is
--   one of the broker's own, null if no reason is given).
-- Values: $1 JSON list of client ids, null: all.
-- Example: FROM record_kinds WHERE event = 'socket_force_closed';
SELECT client_id, kind, "at", peer, code, CASE WHEN reason IS NOT NULL THEN closer_of(reason) = 'broker' END AS by_broker
FROM broker_lines($1)
WHERE peer IS NOT NULL AND kind <> 'SUBACK'
ORDER BY "at", line_no;
