-- Question: which lines of NanoMQ's source logged which event?
-- Columns: event, file, line, lineNo (first line of the log).
-- Values: $1 endpoint.
-- Example: SELECT DISTINCT file, line FROM record_kinds WHERE event = 'aio_busy';
SELECT event, file, line, min(first_lines[1])::INTEGER AS "lineNo"
FROM record_kinds
WHERE endpoint_id = $1 AND event IS NOT NULL AND file IS NOT NULL
GROUP BY event, file, line
ORDER BY 4;
