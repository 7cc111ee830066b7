-- Question: When did "aio busy" come in bursts, in which state was the bridge, and how long until its next disconnect?
-- Columns: bridge_id, first, seconds, state, session_no, count, contexts, seconds_to_disconnect
-- Example: bridgetrace query aio-bursts
SELECT bridge_id, first, seconds, state, session_no, count, contexts, seconds_to_disconnect FROM aio_bursts WHERE run_id = 'observed' ORDER BY first;
