-- Question: which lines of the broker tell when a client's connection began and ended?
-- Makes: broker_lines: endpoint_id, client_id, peer, kind (CONNECT, CONNACK, SUBACK, decided, terminated), reason (of an end, null if
--   long), code (of a CONNACK), ts, line_no.
-- How: taken out of packed_records once, by shape and client. Of several layouts that tell the same, the one that shows most of a
--   connection's kind is kept, as in the view `broker_events`; lines that two files share do no harm here.
-- Values: $1 JSON list of the client ids that matter, null: all.
-- Example: SELECT client_id, ts FROM broker_lines WHERE kind = 'CONNACK' AND code = 0;
CREATE OR REPLACE TEMP TABLE broker_lines AS
WITH wanted AS (
  SELECT k.endpoint_id, k.source_id, k.shape_id, s.layout, h.reason, h.attribute_parts, h.attribute_slots,
    CASE k.event WHEN 'socket_force_closed' THEN 'decided'
      WHEN 'connection_terminated' THEN 'terminated' WHEN 'connection_terminate_info' THEN 'terminated' ELSE k.packet END AS kind
  FROM record_kinds k JOIN sources s USING (source_id) JOIN shapes h USING (shape_id)
  WHERE k.product = 'emqx' AND (k.event IN ('socket_force_closed', 'connection_terminated', 'connection_terminate_info')
    OR (k.event = 'mqtt_packet_received' AND k.packet = 'CONNECT')
    OR (k.event = 'mqtt_packet_sent' AND k.packet IN ('CONNACK', 'SUBACK')))
), clients AS (
  SELECT context_id, thread, client_id, peer FROM contexts
  WHERE client_id IS NOT NULL AND ($1::JSON IS NULL OR client_id IN (SELECT unnest(from_json($1::JSON, '["VARCHAR"]'))))
), told AS MATERIALIZED (
  SELECT w.endpoint_id, w.layout, c.client_id, c.peer, w.kind, CASE WHEN w.kind IN ('decided', 'terminated') THEN w.reason END AS reason,
    CASE WHEN w.kind = 'CONNACK' THEN TRY_CAST(coalesce(r.attributes, fill_slots(w.attribute_parts, w.attribute_slots,
      slot_values(c.thread, c.client_id, c.peer, NULL::VARCHAR, r.packet_id, r.stream_id, r.bytes, r.count, r.ctx_id, r.args)))::JSON
      ->>'$.reason_code' AS INTEGER) END AS code, r.ts, r.line_no
  FROM packed_records r JOIN wanted w ON r.shape_id = w.shape_id AND r.source_id = w.source_id
  JOIN clients c ON r.context_id = c.context_id
), several_layouts AS (
  SELECT endpoint_id FROM wanted GROUP BY ALL HAVING count(DISTINCT layout) > 1
), counted AS (
  SELECT endpoint_id, client_id, peer, kind, layout, count(*) AS n FROM told SEMI JOIN several_layouts USING (endpoint_id) GROUP BY ALL
), told_better AS (
  SELECT endpoint_id, client_id, peer, kind, layout FROM counted
  QUALIFY row_number() OVER (PARTITION BY endpoint_id, client_id, peer, kind
    ORDER BY n DESC, list_position(['emqx-text', 'emqx-json', 'emqx-trace', 'emqx-trace-json'], layout)) > 1
)
SELECT t.endpoint_id, t.client_id, t.peer, t.kind, t.reason, t.code, t.ts, t.line_no
FROM told t ANTI JOIN told_better b ON t.endpoint_id = b.endpoint_id AND t.client_id = b.client_id AND t.kind = b.kind
  AND t.layout = b.layout AND t.peer IS NOT DISTINCT FROM b.peer;
