-- Question: which connections did each client have by the broker's log, and how did each end?
-- Columns: run_id, endpoint_id, client_id, peer, session_no; connected (CONNACK 0 sent; null if the level hides it), decided (the
--   broker decided to close), disconnected (the connection process ended), open, duration_s; keepalive_s and clean_start of the
--   CONNECT, session_present; reason (keepalive_timeout, discarded, takenover, normal …; `broker_restart` if the node booted
--   again without an end line), closed_by (broker, client, transport); last_inbound and last_ping (control stream only);
--   silence_s from last_inbound to the decision; pings, packets_in, packets_out (JSON, count by type);
--   source_id, line_no, end_source_id, end_line_no.
-- Example: SELECT client_id, connected, duration_s, reason, silence_s FROM broker_sessions ORDER BY connected;

-- Which side closed a connection that ended for this reason.
CREATE OR REPLACE MACRO closer_of(reason) AS
  CASE
    WHEN reason IN ('keepalive_timeout', 'discarded', 'takenover', 'takeovered', 'kicked', 'expired', 'not_authorized', 'banned',
      'idle_timeout', 'protocol_error', 'malformed_packet', 'frame_too_large', 'broker_restart', 'administrative_action') THEN 'broker'
    WHEN reason IN ('connection_idle', 'aborted', 'unreachable', 'timeout', 'etimedout') THEN 'transport'
    ELSE 'client'
  END;

CREATE OR REPLACE VIEW broker_sessions AS
WITH lines AS (
  SELECT run_id, endpoint_id, client_id, peer, time, event, source_id, line_no, layout, packet
  FROM broker_events
  WHERE client_id IS NOT NULL AND peer IS NOT NULL
    AND event IN ('mqtt_packet_received', 'mqtt_packet_sent', 'socket_force_closed', 'connection_terminated', 'connection_terminate_info')
), details AS (
  -- Attributes are put together and read for the few lines that open or end a connection only.
  SELECT source_id, line_no, TRY_CAST((attributes->>'$.reason_code') AS INTEGER) AS code, (attributes->>'$.reason') AS reason,
    TRY_CAST((attributes->>'$.keepalive_s') AS INTEGER) AS keepalive_s, TRY_CAST((attributes->>'$.clean_start') AS BOOLEAN) AS clean_start,
    TRY_CAST((attributes->>'$.protocol_version') AS INTEGER) AS protocol_version, TRY_CAST((attributes->>'$.session_present') AS BOOLEAN) AS session_present
  FROM records
  WHERE event IN ('socket_force_closed', 'connection_terminated', 'connection_terminate_info')
    OR (event IN ('mqtt_packet_received', 'mqtt_packet_sent') AND packet IN ('CONNECT', 'CONNACK', 'DISCONNECT'))
), numbered AS (
  -- A port can be used again by a later connection, so a CONNECT starts a new session of the same client and peer.
  -- place orders as (time, line_no) does, in one number: the first by it is found without keeping all rows in memory.
  SELECT *, epoch_us(time)::HUGEINT * 4294967296 + line_no AS place,
    sum((event = 'mqtt_packet_received' AND packet = 'CONNECT')::INTEGER) OVER (
    PARTITION BY endpoint_id, client_id, peer ORDER BY time, line_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS port_no
  FROM lines
), typed AS (
  SELECT run_id, endpoint_id, client_id, peer, port_no, map_from_entries(list((packet, n) ORDER BY packet) FILTER (event = 'mqtt_packet_received')) AS packets_in,
    map_from_entries(list((packet, n) ORDER BY packet) FILTER (event = 'mqtt_packet_sent')) AS packets_out
  FROM (SELECT run_id, endpoint_id, client_id, peer, port_no, event, packet, count(*)::INTEGER AS n FROM numbered WHERE packet IS NOT NULL GROUP BY ALL)
  GROUP BY ALL
), grouped AS (
  SELECT run_id, endpoint_id, client_id, peer, port_no,
    min(time) FILTER (event = 'mqtt_packet_sent' AND packet = 'CONNACK' AND code = 0) AS connected,
    min(time) FILTER (event = 'socket_force_closed') AS decided,
    min(time) FILTER (event IN ('connection_terminated', 'connection_terminate_info')) AS terminated,
    max(keepalive_s) AS keepalive_s, bool_or(clean_start) AS clean_start, max(protocol_version) AS protocol_version,
    bool_or(session_present) AS session_present,
    bool_or(event = 'mqtt_packet_sent' AND packet = 'CONNACK' AND code > 0) AS refused,
    max(code) FILTER (packet = 'CONNACK') AS connack_code,
    coalesce(
      arg_min(reason, place) FILTER (event = 'socket_force_closed'),
      arg_min(reason, place) FILTER (event IN ('connection_terminated', 'connection_terminate_info'))) AS reason,
    arg_min(reason, place) FILTER (event IN ('connection_terminated', 'connection_terminate_info')) AS terminate_reason,
    max(time) FILTER (event = 'mqtt_packet_received') AS last_inbound,
    count(*) FILTER (event = 'mqtt_packet_received' AND packet = 'PINGREQ') AS pings,
    max(time) FILTER (event = 'mqtt_packet_received' AND packet = 'PINGREQ') AS last_ping,
    count(*) FILTER (event = 'mqtt_packet_received') AS inbound,
    count(*) FILTER (event = 'mqtt_packet_sent' AND packet = 'PUBLISH') AS publishes_out,
    max(time) FILTER (event = 'mqtt_packet_sent' AND packet = 'PUBLISH') AS last_publish_out,
    arg_min(source_id, place) AS source_id, arg_min(line_no, place) AS line_no,
    arg_min(source_id, place) FILTER (event NOT LIKE 'mqtt_packet%') AS end_source_id,
    arg_min(line_no, place) FILTER (event NOT LIKE 'mqtt_packet%') AS end_line_no,
    min(time) AS first_line, max(time) AS last_line
  FROM numbered LEFT JOIN details USING (source_id, line_no) GROUP BY ALL
), boots AS (
  -- The line before a boot is the last sign of the node that stopped.
  SELECT endpoint_id, time AS booted, stopped FROM (
    SELECT endpoint_id, time, event = 'node_boot' AS is_boot, lag(time) OVER (PARTITION BY endpoint_id ORDER BY time, line_no) AS stopped
    FROM broker_events)
  WHERE is_boot AND stopped IS NOT NULL
), ended AS (
  SELECT g.*, b.booted, b.stopped
  FROM grouped g ASOF LEFT JOIN boots b
    ON g.endpoint_id = b.endpoint_id AND g.last_line <= b.booted
), resolved AS (
  SELECT * EXCLUDE (reason, booted, stopped),
    coalesce(terminated, decided, CASE WHEN booted IS NOT NULL THEN greatest(stopped, last_line) END) AS disconnected,
    CASE WHEN terminated IS NULL AND decided IS NULL AND booted IS NOT NULL THEN 'broker_restart' ELSE reason END AS reason
  FROM ended
  WHERE connected IS NOT NULL OR (NOT coalesce(refused, false) AND (terminated IS NOT NULL OR decided IS NOT NULL))
)
SELECT run_id, endpoint_id, r.client_id, peer,
  row_number() OVER (PARTITION BY run_id, endpoint_id, r.client_id ORDER BY coalesce(connected, first_line), peer) AS session_no,
  connected, decided, disconnected, disconnected IS NULL AS open,
  (epoch_us(coalesce(disconnected, last_line)) - epoch_us(connected)) / 1e6 AS duration_s,
  keepalive_s, clean_start, protocol_version, session_present, reason,
  CASE WHEN disconnected IS NOT NULL THEN closer_of(reason) END AS closed_by,
  last_inbound, last_ping, (epoch_us(coalesce(decided, disconnected)) - epoch_us(coalesce(last_inbound, connected))) / 1e6 AS silence_s,
  pings, inbound, publishes_out, last_publish_out, t.packets_in, t.packets_out,
  source_id, line_no, end_source_id, end_line_no
FROM resolved r LEFT JOIN typed t USING (run_id, endpoint_id, client_id, peer, port_no);
