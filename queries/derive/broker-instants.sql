-- Question: when did the broker accept each client, and answer its subscriptions?
-- Columns: client_id, kind (CONNACK, SUBACK), at (µs); of each client and kind the first only.
-- Values: $1 lines of each kind and client.
-- Example: SELECT client_id, ts FROM broker_lines WHERE kind = 'CONNACK' AND code = 0 ORDER BY ts;
SELECT client_id, kind, epoch_us(ts) AS "at"
FROM broker_lines
WHERE ts IS NOT NULL AND (kind = 'SUBACK' OR (kind = 'CONNACK' AND code = 0))
QUALIFY row_number() OVER (PARTITION BY client_id, kind ORDER BY ts) <= $1
ORDER BY ts;
