-- Question: how long had each connection been silent when it ended, against its keepalive?
-- Columns: run_id, bridge_id, client_id, connected, disconnected, reason, closed_by, keepalive_s; last_inbound (last packet that the
--   broker counted on the control stream; null without packet lines), silence_s, silence_ratio (silence / keepalive; EMQX ends a
--   client at 1.5 and more); last_ping and unpinged_s (by the bridge's log: from its last PINGREQ, or the connect, to the end).
-- Example: SELECT connected, silence_s, silence_ratio FROM silences WHERE reason = 'keepalive_timeout';
CREATE OR REPLACE VIEW silences AS
SELECT run_id, bridge_id, client_id, connected, disconnected, reason, closed_by, keepalive_s, last_inbound, silence_s,
  silence_s / nullif(keepalive_s, 0) AS silence_ratio, last_ping,
  (epoch_us(coalesce(client_disconnected, disconnected)) - epoch_us(coalesce(last_ping, client_connected))) / 1e6 AS unpinged_s
FROM sessions
WHERE disconnected IS NOT NULL;
