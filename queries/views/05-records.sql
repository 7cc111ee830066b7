-- Question: what does each log record say, as it was written?
-- Columns: source_id, line_no, byte_offset, byte_length, continuations (where it stands); ts (stamp as written), ts_precision_us;
--   severity, thread, file, line, func, tag, client_id, bridge_id, attribution, peer, event; packet, qos, reason, topic, packet_id,
--   stream_id, bytes, count, ctx_id (null where the record has none, and reason where it is long: then it is in attributes);
--   head, body (head || body = the record's text), attributes (JSON); flags (list of words), collector_ts and envelope (what
--   docker, journald or syslog put before the line).
-- How: literal parts of the shape and the record's values in turn. Head, body and attributes cost a microsecond a row, so filter by
--   the other columns first.
-- Example: SELECT ts, event, body FROM records WHERE event = 'aio_busy' ORDER BY ts LIMIT 10;
CREATE OR REPLACE MACRO slot_values(thread, client_id, peer, topic, packet_id, stream_id, bytes, count, ctx_id, args, separator) AS
  [thread, client_id, peer, topic, packet_id::VARCHAR, stream_id::VARCHAR, bytes::VARCHAR, count::VARCHAR, ctx_id::VARCHAR]
  || coalesce(string_split(args, separator), []);

CREATE OR REPLACE MACRO fill_slots(parts, slots, slot_texts) AS
  CASE WHEN parts IS NOT NULL
    THEN array_to_string(list_transform(list_zip(parts, slots), lambda part: part[1] || coalesce(slot_texts[part[2]], '')), '') END;

CREATE OR REPLACE MACRO stamp_text(ts, time_format, time_shift_us) AS
  CASE time_format
    WHEN '' THEN ''
    WHEN 'epoch' THEN epoch_us(ts - to_microseconds(time_shift_us))::VARCHAR
    WHEN ' 0' THEN strftime(ts - to_microseconds(time_shift_us), '%Y-%m-%d %H:%M:%S')
    WHEN ' 3' THEN strftime(ts - to_microseconds(time_shift_us), '%Y-%m-%d %H:%M:%S.%g')
    WHEN ' 6' THEN strftime(ts - to_microseconds(time_shift_us), '%Y-%m-%d %H:%M:%S.%f')
    WHEN 'T0' THEN strftime(ts - to_microseconds(time_shift_us), '%Y-%m-%dT%H:%M:%S')
    WHEN 'T3' THEN strftime(ts - to_microseconds(time_shift_us), '%Y-%m-%dT%H:%M:%S.%g')
    WHEN 'T6' THEN strftime(ts - to_microseconds(time_shift_us), '%Y-%m-%dT%H:%M:%S.%f')
  END;

CREATE OR REPLACE MACRO flag_words(flags) AS
  list_filter(['line-truncated', 'invalid-utf8', 'nul-bytes', 'interleaved', 'cut'], lambda word, n: (flags::INTEGER >> (n::INTEGER - 1)) & 1 = 1);

CREATE OR REPLACE VIEW records AS
SELECT r.source_id, r.line_no, r.byte_offset, r.byte_length, h.continuations, r.ts, h.ts_precision_us, h.severity, x.thread,
  h.file, h.line, h.func, h.tag, x.client_id, x.bridge_id, NULL::VARCHAR AS attribution, x.peer, h.event,
  h.packet, h.qos, h.reason, t.text AS topic, r.packet_id, r.stream_id, r.bytes, r.count, r.ctx_id,
  coalesce(stamp_text(r.ts, h.time_format, h.time_shift_us)
    || replace(replace(replace(h.head, '{thread}', coalesce(x.thread, '')), '{peer}', coalesce(x.peer, '')), '{client}', coalesce(x.client_id, '')),
    split_part(r.args, h.separator, 1)) AS head,
  fill_slots(h.body_parts, h.body_slots,
    slot_values(x.thread, x.client_id, x.peer, t.text, r.packet_id, r.stream_id, r.bytes, r.count, r.ctx_id, r.args, h.separator)) AS body,
  fill_slots(h.attribute_parts, h.attribute_slots,
    slot_values(x.thread, x.client_id, x.peer, t.text, r.packet_id, r.stream_id, r.bytes, r.count, r.ctx_id, r.args, h.separator))::JSON AS attributes,
  flag_words(h.flags) AS flags, r.collector_ts, x.envelope
FROM packed_records r
JOIN shapes h USING (shape_id)
JOIN contexts x USING (context_id)
LEFT JOIN strings t ON t.string_id = r.topic_id;
