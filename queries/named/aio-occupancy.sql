-- Question: How many send contexts were busy over time (to be watched: it rises before messages are dropped)?
-- Columns: bridge_id, second, state, busy_least, busy_most, lines
-- Example: bridgetrace query aio-occupancy
SELECT bridge_id, second, state, busy_least, busy_most, lines FROM aio_occupancy WHERE run_id = 'observed' ORDER BY bridge_id, second;
