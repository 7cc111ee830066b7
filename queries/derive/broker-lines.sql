-- Question: which lines of the broker tell when a client's connection began and ended?
-- Makes: broker_lines(client_ids): client_ids is a JSON list, null for all clients. Columns: client_id, peer, kind (CONNECT, CONNACK,
--   SUBACK, decided, terminated), code (of a CONNACK), reason (of an end, null if long), at (µs), line_no.
-- How: by shape and client, without a sort or a group: a broker may have served millions of connections, and then this is read as a
--   stream. Several layouts or files may tell the same line; its readers see to that.
-- Example: FROM record_kinds WHERE packet = 'CONNACK';
CREATE OR REPLACE TEMP MACRO broker_lines(client_ids) AS TABLE
WITH wanted AS (
  SELECT k.source_id, k.shape_id, h.reason, h.attribute_parts, h.attribute_slots, h.separator,
    CASE k.event WHEN 'socket_force_closed' THEN 'decided'
      WHEN 'connection_terminated' THEN 'terminated' WHEN 'connection_terminate_info' THEN 'terminated' ELSE k.packet END AS kind,
    -- Nearly always the same for all records of a shape.
    CASE WHEN k.packet = 'CONNACK' AND len(h.attribute_parts) = 1 AND h.attribute_slots[1] = 0
      THEN TRY_CAST(h.attribute_parts[1]::JSON->>'$.reason_code' AS INTEGER) END AS code
  FROM record_kinds k JOIN shapes h USING (shape_id)
  WHERE k.product = 'emqx' AND (k.event IN ('socket_force_closed', 'connection_terminated', 'connection_terminate_info')
    OR (k.event = 'mqtt_packet_received' AND k.packet = 'CONNECT')
    OR (k.event = 'mqtt_packet_sent' AND k.packet IN ('CONNACK', 'SUBACK')))
), clients AS (
  SELECT context_id, thread, client_id, peer FROM contexts
  WHERE client_id IS NOT NULL AND (client_ids IS NULL OR client_id IN (SELECT unnest(from_json(client_ids::JSON, '["VARCHAR"]'))))
)
SELECT c.client_id, c.peer, w.kind,
  CASE WHEN w.kind = 'CONNACK' THEN coalesce(w.code,
    TRY_CAST(fill_slots(w.attribute_parts, w.attribute_slots, slot_values(c.thread, c.client_id, c.peer, NULL::VARCHAR,
      r.packet_id, r.stream_id, r.bytes, r.count, r.ctx_id, r.args, w.separator))::JSON->>'$.reason_code' AS INTEGER)) END AS code,
  CASE WHEN w.kind IN ('decided', 'terminated') THEN w.reason END AS reason, epoch_us(r.ts) AS "at", r.line_no
FROM packed_records r JOIN wanted w ON r.shape_id = w.shape_id AND r.source_id = w.source_id
JOIN clients c ON r.context_id = c.context_id
WHERE r.ts IS NOT NULL;
