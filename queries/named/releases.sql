-- Question: Which releases wrote the logs, and how is that known?
-- Columns: product, node, product_version, version_known_by
-- Example: bridgetrace query releases
SELECT product, node, product_version, version_known_by FROM endpoints WHERE run_id = 'observed' ORDER BY product DESC, node;
