-- The tables of the data model (docs/ARCHITECTURE.md), plus two small derived ones that ingest recomputes: `clocks` and
-- `bridges`. Everything else is a view over these. Version: schema_info.version; a newer one is refused.

CREATE TABLE IF NOT EXISTS schema_info (version INTEGER NOT NULL, created_by VARCHAR NOT NULL);

-- A set of records: the observed incident, or one replay of it.
CREATE TABLE IF NOT EXISTS runs (
  run_id VARCHAR PRIMARY KEY, kind VARCHAR NOT NULL, label VARCHAR, created_at TIMESTAMP,
  seed BIGINT, profile VARCHAR, settings JSON
);

-- A product instance that wrote logs.
CREATE TABLE IF NOT EXISTS endpoints (
  endpoint_id UBIGINT PRIMARY KEY, run_id VARCHAR NOT NULL, product VARCHAR NOT NULL, node VARCHAR NOT NULL,
  node_known_by VARCHAR NOT NULL, product_version VARCHAR, version_known_by VARCHAR
);

-- An ingested log, or a replayed endpoint. A file that mixes logs has a source for each part; all sources of a file share file_id,
-- prefix, bytes_done, lines (of the file) and complete, which say how far a committed ingest got, and reopen_offset and reopen_line:
-- where reading starts again if a complete file grows, because its last records may have been cut. wanted_since and wanted_until
-- (µs) and wanted_product are what --since, --until and --product left of it; skipped counts the records outside. damage: why reading stopped before the end.
CREATE TABLE IF NOT EXISTS sources (
  source_id UBIGINT PRIMARY KEY, endpoint_id UBIGINT NOT NULL, path VARCHAR NOT NULL, layout VARCHAR NOT NULL,
  layout_evidence VARCHAR, prefix_hash VARCHAR NOT NULL, prefix_bytes INTEGER NOT NULL,
  bytes_done BIGINT NOT NULL, lines BIGINT NOT NULL, records BIGINT NOT NULL, continuations BIGINT NOT NULL,
  unparsed BIGINT NOT NULL, complete BOOLEAN NOT NULL, first_ts TIMESTAMP, last_ts TIMESTAMP,
  reopen_offset BIGINT, reopen_line BIGINT,
  file_id UBIGINT, part VARCHAR NOT NULL DEFAULT '', skipped BIGINT NOT NULL DEFAULT 0,
  wanted_since BIGINT, wanted_until BIGINT, wanted_product VARCHAR, gaps JSON, damage VARCHAR, rotation_set VARCHAR
);

-- What all records of one kind share. body_parts and attribute_parts are the literal text between slots; body_slots and
-- attribute_slots say which value follows each part (see views/05-records.sql; 0: none). null head: the first of the args is the head.
-- flags: bits, see flag_words; separator: stands between the args.
CREATE TABLE IF NOT EXISTS shapes (
  shape_id UBIGINT NOT NULL, severity VARCHAR NOT NULL, file VARCHAR, line INTEGER, func VARCHAR, tag VARCHAR, event VARCHAR,
  ts_precision_us INTEGER NOT NULL, flags UTINYINT NOT NULL, continuations INTEGER NOT NULL, packet VARCHAR, qos INTEGER, reason VARCHAR,
  time_format VARCHAR, time_shift_us BIGINT NOT NULL, head VARCHAR, body_parts VARCHAR[] NOT NULL, body_slots UTINYINT[] NOT NULL,
  attribute_parts VARCHAR[], attribute_slots UTINYINT[], separator VARCHAR NOT NULL
);

-- Whom records are about: a thread, a connection.
CREATE TABLE IF NOT EXISTS contexts (
  context_id UBIGINT NOT NULL, thread VARCHAR, client_id VARCHAR, bridge_id VARCHAR, peer VARCHAR, envelope VARCHAR
);

-- Topics.
CREATE TABLE IF NOT EXISTS strings (string_id UBIGINT NOT NULL, text VARCHAR NOT NULL);

-- One row per log record; the view `records` shows it as it was written. ts is the stamp as written: zone and clock offset live
-- in `clocks` only. Ids are hashes of the content. args: texts of the slots that have no column, joined by the shape's separator; the
-- fewer columns, the faster rows come in, so what rarely differs between records of a kind is the shape's.
CREATE TABLE IF NOT EXISTS packed_records (
  source_id UBIGINT NOT NULL, byte_offset BIGINT NOT NULL, ts TIMESTAMP, shape_id UBIGINT NOT NULL, context_id UBIGINT NOT NULL,
  topic_id UBIGINT, packet_id BIGINT, stream_id BIGINT, bytes BIGINT, count BIGINT, ctx_id BIGINT, collector_ts TIMESTAMP,
  line_no INTEGER NOT NULL, byte_length INTEGER NOT NULL, args VARCHAR
);

-- Lines that no layout accounts for: kept, with the reason.
CREATE TABLE IF NOT EXISTS unparsed (
  source_id UBIGINT NOT NULL, line_no INTEGER NOT NULL, byte_offset BIGINT NOT NULL, byte_length INTEGER NOT NULL,
  reason VARCHAR NOT NULL, text VARCHAR
);

-- How an endpoint's stamps become the common time line: at = ts + offset_us, give or take error_us.
-- wanted_zone is what the user said (--tz); the rest is estimated.
CREATE TABLE IF NOT EXISTS clocks (
  endpoint_id UBIGINT PRIMARY KEY, zone VARCHAR, offset_us BIGINT NOT NULL, error_us BIGINT, method VARCHAR NOT NULL,
  pairs INTEGER NOT NULL, ambiguous BOOLEAN NOT NULL, alternatives JSON, wanted_zone VARCHAR
);

-- A bridge of a NanoMQ and the client it is at the broker.
CREATE TABLE IF NOT EXISTS bridges (
  run_id VARCHAR NOT NULL, endpoint_id UBIGINT, bridge_id VARCHAR NOT NULL, address VARCHAR, client_id VARCHAR,
  client_known_by VARCHAR, transport VARCHAR, keepalive_s DOUBLE, settings JSON
);
