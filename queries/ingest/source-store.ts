/** Rows of `sources` and `endpoints`: what of a file is in the database, and how far it reaches. */
import type { LinePosition, Product } from '../../parsers/index.ts';
import type { Database } from '../database.ts';
import { hash64, hashHex } from '../ids.ts';
import type { PackedPart } from './part-packer.ts';
import { addStats, type Gap, newStats, type PartStats } from './part-stats.ts';

/** A file as the database knows it, and as it is being read. */
export interface FileState {
  readonly fileId: bigint;
  /** Of the beginning as it was when the file was first read; it may be longer now. */
  readonly prefixHash: string;
  bytesDone: number;
  lines: number;
  complete: boolean;
  /** Of a complete file: where to start again if it grows. */
  reopen: LinePosition;
  damage: string | null;
  /** Only this product's records are or will be in the database; undefined: all. */
  readonly product: Product | undefined;
  readonly parts: Map<bigint, PartState>;
}

export interface PartState extends PackedPart {
  readonly stats: PartStats; // of all that is or will be in the database
  /** Its rows of `sources` and `endpoints` are there. */
  stored: boolean;
}

/** What a file is known by. */
export interface FileKey {
  readonly runId: string;
  readonly prefix: Buffer; // first 64 KiB, decoded
  /** `--node`: under another node the same bytes are another source. */
  readonly node: string | undefined;
  /** `--product`: what was left out of a mixed file is read when it is asked for. */
  readonly product: Product | undefined;
  readonly since: number | undefined;
  readonly until: number | undefined;
}

interface SourceRow {
  readonly source_id: bigint | number;
  readonly endpoint_id: bigint | number;
  readonly file_id: bigint | number;
  readonly node: string;
  readonly node_known_by: string;
  readonly product: 'nanomq' | 'emqx';
  readonly layout: string;
  readonly layout_evidence: string;
  readonly part: string;
  readonly prefix_hash: string;
  readonly prefix_bytes: number;
  readonly bytes_done: number;
  readonly lines: number;
  readonly records: number;
  readonly continuations: number;
  readonly unparsed: number;
  readonly skipped: number;
  readonly complete: boolean;
  readonly reopen_offset: number | null;
  readonly reopen_line: number | null;
  readonly wanted_since: number | null;
  readonly wanted_until: number | null;
  readonly wanted_product: Product | null;
  readonly first: number | null;
  readonly last: number | null;
  readonly gaps: string | null;
  readonly damage: string | null;
}

export function newFile(key: FileKey): FileState {
  return {
    fileId: hash64(key.runId, key.node ?? '', key.prefix),
    prefixHash: hashHex(key.prefix),
    bytesDone: 0,
    lines: 0,
    complete: false,
    reopen: { byteOffset: 0, lineNo: 1 },
    damage: null,
    product: key.product,
    parts: new Map(),
  };
}

/**
 * The file these bytes belong to, if some of it is in the database: the same beginning, or one that has grown since. With another
 * --since, --until or --product than now other records were left out: then its rows are taken out and it is read anew.
 */
export async function findFile(database: Database, key: FileKey): Promise<FileState | null> {
  const rows = await database.all<SourceRow>(
    `SELECT s.*, n.node, n.node_known_by, n.product, epoch_us(first_ts) AS "first", epoch_us(last_ts) AS "last"
     FROM sources s JOIN endpoints n USING (endpoint_id) WHERE n.run_id = $1 AND file_id IS NOT NULL`,
    [key.runId],
  );
  const hashes = new Map<number, string>();
  const prefixHash = (bytes: number): string => {
    let hash = hashes.get(bytes);
    if (hash === undefined) {
      hash = hashHex(key.prefix.subarray(0, bytes));
      hashes.set(bytes, hash);
    }
    return hash;
  };
  const match = rows.find(
    (row) =>
      row.prefix_bytes <= key.prefix.length &&
      row.prefix_hash === prefixHash(row.prefix_bytes) &&
      (key.node === undefined ? row.node_known_by !== '--node' : row.node === key.node),
  );
  if (match === undefined) return null;
  const all = match.wanted_product === null;
  const isSameProduct = all || match.wanted_product === key.product;
  const ofFile = rows.filter((row) => BigInt(row.file_id) === BigInt(match.file_id));
  const state: FileState = {
    fileId: BigInt(match.file_id),
    prefixHash: match.prefix_hash,
    bytesDone: match.bytes_done,
    lines: match.lines,
    complete: match.complete,
    reopen: { byteOffset: match.reopen_offset ?? 0, lineNo: match.reopen_line ?? 1 },
    damage: match.damage,
    product: all || !isSameProduct ? undefined : key.product,
    parts: new Map(),
  };
  for (const row of ofFile) {
    const stats: PartStats = {
      ...newStats(),
      records: row.records,
      continuations: row.continuations,
      unparsed: row.unparsed,
      skipped: row.skipped,
      firstTs: row.first,
      lastTs: row.last,
      gaps: row.gaps === null ? [] : (JSON.parse(row.gaps) as Gap[]),
    };
    const detection = { layout: row.layout, product: row.product, evidence: row.layout_evidence };
    state.parts.set(BigInt(row.source_id), {
      sourceId: BigInt(row.source_id),
      endpointId: BigInt(row.endpoint_id),
      node: row.node,
      nodeKnownBy: row.node_known_by,
      part: { label: '', key: row.part, detection: detection as PackedPart['part']['detection'] },
      stats,
      stored: true,
    });
  }
  const isCutOtherwise = match.wanted_since !== (key.since ?? null) || match.wanted_until !== (key.until ?? null);
  if (!isCutOtherwise && isSameProduct) return state;
  await takeBack(database, state, { byteOffset: 0, lineNo: 1 });
  return state;
}

/** Takes out what was read from `from` on, and counts again what is left. Committed at once: the file can be read on from there. */
export async function takeBack(database: Database, state: FileState, from: LinePosition): Promise<void> {
  await database.transaction(async () => {
    for (const part of state.parts.values()) {
      const inside = [part.sourceId, BigInt(from.byteOffset)];
      await database.run('DELETE FROM packed_records WHERE source_id = $1 AND byte_offset >= $2', inside);
      await database.run('DELETE FROM unparsed WHERE source_id = $1 AND byte_offset >= $2', inside);
      const [left] = await database.all<{
        records: number;
        continuations: number;
        unparsed: number;
        first: number | null;
        last: number | null;
        tail: number | null;
      }>(
        `SELECT count(*) AS records, coalesce(sum(h.continuations), 0)::BIGINT AS continuations,
           (SELECT count(*) FROM unparsed WHERE source_id = $1) AS unparsed,
           epoch_us(min(ts)) AS "first", epoch_us(max(ts)) AS "last", epoch_us(arg_max(ts, byte_offset)) AS tail
         FROM packed_records JOIN shapes h USING (shape_id) WHERE source_id = $1`,
        [part.sourceId],
      );
      const { stats } = part;
      stats.records = left!.records;
      stats.continuations = left!.continuations;
      stats.unparsed = left!.unparsed;
      stats.firstTs = left!.first;
      stats.lastTs = left!.last;
      stats.headTs = left!.first;
      stats.tailTs = left!.tail;
      // A silence that ended in what was taken back will be found again.
      stats.gaps = stats.gaps.filter((gap) => left!.last !== null && gap.to <= left!.last);
      if (from.byteOffset === 0) stats.skipped = 0;
    }
    state.bytesDone = from.byteOffset;
    state.lines = from.lineNo - 1;
    state.complete = false;
    await storeParts(database, state, null);
  });
}

/** Adds what was read since the last call to the file's parts. */
export function addParts(state: FileState, parts: readonly PackedPart[]): void {
  for (const part of parts) {
    const known = state.parts.get(part.sourceId);
    if (known !== undefined) addStats(known.stats, part.stats);
    else {
      const stats = newStats();
      addStats(stats, part.stats);
      state.parts.set(part.sourceId, { ...part, stats, stored: false });
    }
  }
}

export interface NewRows {
  readonly key: FileKey;
  readonly path: string;
  readonly rotationSet: string | null;
}

/** Writes the state of all parts; `rows` says what to make of parts that have no row yet. To be called inside a transaction. */
export async function storeParts(database: Database, state: FileState, rows: NewRows | null): Promise<void> {
  for (const part of state.parts.values()) {
    if (!part.stored && rows !== null) await addRow(database, state, part, rows);
    const { stats } = part;
    await database.run(
      `UPDATE sources SET bytes_done = $2, lines = $3, records = $4, continuations = $5, unparsed = $6, complete = $7,
         first_ts = make_timestamp($8::BIGINT), last_ts = make_timestamp($9::BIGINT), reopen_offset = $10, reopen_line = $11,
         skipped = $12, gaps = $13, damage = $14
       WHERE source_id = $1`,
      [
        part.sourceId,
        BigInt(state.bytesDone),
        BigInt(state.lines),
        BigInt(stats.records),
        BigInt(stats.continuations),
        BigInt(stats.unparsed),
        state.complete,
        bigOrNull(stats.firstTs),
        bigOrNull(stats.lastTs),
        BigInt(state.reopen.byteOffset),
        BigInt(state.reopen.lineNo),
        BigInt(stats.skipped),
        stats.gaps.length === 0 ? null : JSON.stringify(stats.gaps),
        state.damage,
      ],
    );
    if (rows !== null) {
      await database.run(
        'UPDATE sources SET wanted_since = $2, wanted_until = $3, wanted_product = $4 WHERE source_id = $1',
        [part.sourceId, bigOrNull(rows.key.since ?? null), bigOrNull(rows.key.until ?? null), state.product ?? null],
      );
    }
  }
}

async function addRow(database: Database, state: FileState, part: PartState, rows: NewRows): Promise<void> {
  const { detection } = part.part;
  await database.run(
    'INSERT OR IGNORE INTO endpoints (endpoint_id, run_id, product, node, node_known_by) VALUES ($1, $2, $3, $4, $5)',
    [part.endpointId, rows.key.runId, detection.product, part.node, part.nodeKnownBy],
  );
  await database.run(
    `INSERT INTO sources (source_id, endpoint_id, path, layout, layout_evidence, prefix_hash, prefix_bytes, bytes_done, lines,
       records, continuations, unparsed, complete, file_id, part, rotation_set)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, false, $8, $9, $10)`,
    [
      part.sourceId,
      part.endpointId,
      rows.path,
      detection.layout,
      detection.evidence,
      hashHex(rows.key.prefix),
      rows.key.prefix.length,
      state.fileId,
      part.part.key,
      rows.rotationSet,
    ],
  );
  part.stored = true;
}

function bigOrNull(value: number | null): bigint | null {
  return value === null ? null : BigInt(value);
}
