-- Question: When did "aio busy" come in bursts, and was the bridge connected?
-- Columns: bridge_id, first, seconds, state, session_no, count, contexts
-- Example: bridgetrace query aio-bursts
SELECT bridge_id, first, seconds, state, session_no, count, contexts FROM aio_bursts WHERE run_id = 'observed' ORDER BY first;
