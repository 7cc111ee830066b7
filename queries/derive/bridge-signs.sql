-- Question: what do the ordinary lines of a NanoMQ tell of its bridges?
-- Columns: endpoint_id; address (a row each), or null in the row of the endpoint as a whole: quic (it logs QUIC), keepalive_s.
-- Example: SELECT DISTINCT bridge_id FROM contexts WHERE bridge_id LIKE '%://%';
WITH nodes AS (
  SELECT DISTINCT source_id, endpoint_id FROM record_kinds WHERE product = 'nanomq'
), addressed AS (
  SELECT context_id, bridge_id FROM contexts WHERE bridge_id LIKE '%://%'
), named AS (
  SELECT DISTINCT source_id, context_id FROM packed_records SEMI JOIN addressed USING (context_id)
)
SELECT DISTINCT endpoint_id, bridge_id AS address, NULL::BOOLEAN AS quic, NULL::DOUBLE AS keepalive_s
FROM named JOIN addressed USING (context_id) JOIN nodes USING (source_id)
UNION ALL
SELECT endpoint_id, NULL, bool_or(event LIKE 'quic\_%' ESCAPE '\'),
  (SELECT max(TRY_CAST(l.attributes::JSON->>'$.keepalive_ms' AS DOUBLE)) / 1000 FROM bridge_lines l
   WHERE l.endpoint_id = k.endpoint_id AND l.event IN ('ping_sent', 'bridge_keepalive_set'))
FROM record_kinds k
WHERE product = 'nanomq' AND (event LIKE 'bridge\_%' ESCAPE '\' OR event LIKE 'quic\_%' ESCAPE '\' OR event = 'ping_sent')
GROUP BY endpoint_id
ORDER BY endpoint_id, address NULLS LAST;
