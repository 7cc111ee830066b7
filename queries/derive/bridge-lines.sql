-- Question: which lines of a NanoMQ tell of its bridges' settings, connections and keepalive?
-- Makes: bridge_lines: endpoint_id, source_first_ts, event, precision_us, bridge_id, attributes (text of JSON), source_id, line_no, ts.
-- How: few records are of these kinds, so they are taken out of packed_records once, by shape; what follows joins only these.
-- Example: FROM bridge_lines WHERE event = 'conf_bridge';
CREATE OR REPLACE TEMP TABLE bridge_lines AS
WITH wanted AS (
  SELECT DISTINCT endpoint_id, source_id, shape_id, event FROM record_kinds
  WHERE product = 'nanomq' AND event IN ('conf_bridge', 'conf_bridge_item', 'conf_value', 'ping_sent', 'bridge_keepalive_set',
    'bridge_connected', 'bridge_disconnected', 'bridge_suback_code')
), taken AS MATERIALIZED (
  SELECT w.endpoint_id, w.event, r.source_id, r.line_no, r.ts, r.shape_id, r.context_id, r.topic_id, r.packet_id, r.stream_id, r.bytes,
    r.count, r.ctx_id, r.args
  FROM packed_records r JOIN wanted w ON r.shape_id = w.shape_id AND r.source_id = w.source_id
)
SELECT r.endpoint_id, s.first_ts AS source_first_ts, r.event, h.ts_precision_us AS precision_us, x.bridge_id,
  -- As the view `records` puts attributes together; the lines of connections are read for their stamps only.
  CASE WHEN r.event IN ('conf_bridge', 'conf_bridge_item', 'conf_value', 'ping_sent', 'bridge_keepalive_set') THEN
    fill_slots(h.attribute_parts, h.attribute_slots,
      slot_values(x.thread, x.client_id, x.peer, t.text, r.packet_id, r.stream_id, r.bytes, r.count, r.ctx_id, r.args, h.separator)) END AS attributes,
  r.source_id, r.line_no, r.ts
FROM taken r JOIN sources s USING (source_id) JOIN shapes h USING (shape_id) JOIN contexts x USING (context_id)
LEFT JOIN strings t ON t.string_id = r.topic_id;
