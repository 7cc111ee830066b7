-- Question: Which lines could not be read, and why?
-- Columns: path, line_no, reason, text
-- Example: bridgetrace query unparsed
SELECT path, line_no, reason, text FROM unparsed JOIN sources USING (source_id) ORDER BY path, line_no;
