-- Question: Which files were read, what are they, and is every byte accounted for?
-- Columns: path, product, node, layout, layout_evidence, bytes_done, lines, records, continuations, unparsed, first_ts, last_ts
-- Example: bridgetrace query sources
SELECT path, product, node, layout, layout_evidence, bytes_done, lines, records, continuations, unparsed, first_ts, last_ts
FROM sources JOIN endpoints USING (endpoint_id) WHERE run_id = 'observed' ORDER BY product DESC, path;
