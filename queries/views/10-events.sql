-- Question: what did every product log, on one clock, in one table?
-- Columns: run_id; endpoint_id, product, node; source_id, source (path), layout, line_no (together the line's address);
--   time: instant on the common clock (UTC) = stamp + clock offset; for NanoMQ the start of the second it was written in;
--   precision_us: the event happened in [time, time + precision_us); error_us: clock error, null if the clock is not aligned;
--   severity, thread, file, line, func, tag, client_id, bridge_id, peer, event, attributes (JSON), head, body (head || body = the line);
--   packet, qos, reason, topic, packet_id, stream_id, bytes, count, ctx_id, flags, collector_ts, envelope as in `records`.
-- Example: SELECT time, product, event, body FROM events WHERE event = 'aio_busy' ORDER BY time LIMIT 10;
CREATE OR REPLACE VIEW events AS
SELECT n.run_id, n.endpoint_id, n.product, n.node, r.source_id, s.path AS source, s.layout, s.first_ts AS source_first_ts,
  r.line_no, r.ts + to_microseconds(coalesce(c.offset_us, 0)) AS time, r.ts_precision_us AS precision_us, c.error_us,
  r.severity, r.thread, r.file, r.line, r.func, r.tag, r.client_id, r.bridge_id, r.peer, r.event, r.attributes, r.head, r.body,
  r.packet, r.qos, r.reason, r.topic, r.packet_id, r.stream_id, r.bytes, r.count, r.ctx_id, r.flags, r.collector_ts, r.envelope
FROM records r
JOIN sources s USING (source_id)
JOIN endpoints n USING (endpoint_id)
LEFT JOIN clocks c USING (endpoint_id);
