-- Question: Which files were read, what are they, and is every byte accounted for?
-- Columns: path, part, product, node, release, release_known_by, layout, layout_evidence, bytes_done, lines, records, continuations, unparsed, skipped, first_ts, last_ts, gaps, damage, rotation_set
-- Example: bridgetrace query sources
SELECT path, part, product, node, product_version AS release, version_known_by AS release_known_by, layout, layout_evidence, bytes_done,
  lines, records, continuations, unparsed, skipped, first_ts, last_ts, gaps, damage, rotation_set
FROM sources JOIN endpoints USING (endpoint_id) WHERE run_id = 'observed' ORDER BY product DESC, path, part;
