-- Question: Which clients did the broker refuse, how often and why?
-- Columns: client_id, reason, lines, first, last
-- Example: bridgetrace query refused
SELECT client_id, coalesce(reason, event) AS reason, count(*) AS lines, min(time) AS first, max(time) AS last
FROM broker_events
WHERE run_id = 'observed' AND (event = 'authentication_failure' OR (event LIKE 'connection_terminat%'
  AND reason IN ('not_authorized', 'banned', 'bad_username_or_password', 'clientid_not_valid')))
GROUP BY ALL ORDER BY lines DESC;
