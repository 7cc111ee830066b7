-- Question: Which share of each client's messages had which QoS, by direction?
-- Columns: client_id, seen_at, direction, qos, messages, share
-- Example: bridgetrace query qos-mix
SELECT client_id, seen_at, direction, qos, sum(messages)::INTEGER AS messages,
  round(sum(messages) / sum(sum(messages)) OVER (PARTITION BY client_id, seen_at, direction), 3) AS share
FROM publish_rates WHERE run_id = 'observed' GROUP BY client_id, seen_at, direction, qos ORDER BY messages DESC;
