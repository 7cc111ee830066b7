-- Question: Did the bridge send PINGREQ as often as its timer says?
-- Columns: bridge_id, client_id, session_no, connected, keepalive_s, period_s, pings, pings_wanted, longest_gap_s, limit_s, verdict
-- Example: bridgetrace query keepalive-audit
SELECT * EXCLUDE (run_id) FROM keepalive_audit WHERE run_id = 'observed' ORDER BY connected;
