-- Question: what did a broker's lines look like, a few of each event?
-- Columns: body, line_no.
-- How: the text is put together as in the view `records`, but for the sampled lines only.
-- Values: $1 endpoint.
-- Example: SELECT event, first_lines FROM record_kinds;
WITH sampled AS MATERIALIZED (
  SELECT source_id, unnest(list_sort(flatten(list(first_lines)))[1:5]) AS line_no
  FROM record_kinds WHERE endpoint_id = $1 AND event IS DISTINCT FROM 'trace_control' GROUP BY source_id, event, packet
), taken AS MATERIALIZED (
  SELECT source_id, line_no, shape_id, context_id, topic_id, packet_id, stream_id, bytes, count, ctx_id, args
  FROM packed_records SEMI JOIN sampled USING (source_id, line_no)
)
SELECT fill_slots(h.body_parts, h.body_slots,
    slot_values(x.thread, x.client_id, x.peer, t.text, r.packet_id, r.stream_id, r.bytes, r.count, r.ctx_id, r.args, h.separator)) AS body, r.line_no
FROM taken r JOIN shapes h USING (shape_id) JOIN contexts x USING (context_id) LEFT JOIN strings t ON t.string_id = r.topic_id
ORDER BY r.source_id, r.line_no;
