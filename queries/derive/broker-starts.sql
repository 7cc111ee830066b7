-- Question: when did the broker accept each client, and answer its subscriptions?
-- Columns: client_id, kind (CONNACK, SUBACK), at (µs); in no order.
-- Values: $1 JSON list of client ids, null: all.
-- Example: FROM record_kinds WHERE packet = 'SUBACK';
SELECT client_id, kind, "at" FROM broker_lines($1) WHERE kind = 'SUBACK' OR (kind = 'CONNACK' AND code = 0);
