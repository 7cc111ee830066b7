/**
 * Log files into the database: detect, parse, append, commit.
 *
 * Safe to kill at any moment: rows and the mark of how far they reach are committed together, and a second run goes on from the
 * mark (or does nothing where all is in). The same bytes under another name are the same source.
 */
import { stat } from 'node:fs/promises';
import {
  createParser,
  type Detection,
  detectLayout,
  type LinePosition,
  LineSplitter,
  type RecordParser,
  type SlottedRecord,
} from '../../parsers/index.ts';
import type { Database } from '../database.ts';
import { refreshDerived } from '../derive/refresh.ts';
import { zoneOffsetUs } from '../derive/zone.ts';
import { InputError } from '../errors.ts';
import { hash64, hashHex } from '../ids.ts';
import { expandPaths, type InputFile, isGzip, PREFIX_BYTES, readBytes, readHead } from './inputs.ts';
import { RecordWriter } from './record-writer.ts';

export const OBSERVED = 'observed';
const COMPLETE_LABEL = 'the logs';
/** Label of the run while an ingest is under way, and after one that was killed. */
export const INTERRUPTED_LABEL = 'an ingest that has not finished';
/** Input between two commits; what a kill can cost. */
const COMMIT_BYTES = 64 * 1_048_576;
const DETECT_LINES = 200;

export interface IngestOptions {
  readonly paths: readonly string[];
  readonly product?: 'nanomq' | 'emqx';
  readonly node?: string;
  /** Zone of stamps without one, IANA name or ±HH:MM; overrides the estimate. */
  readonly zone?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {
    path: string;
    bytesDone: number;
    bytesTotal: number | null;
    records: number;
  }) => void;
}

export interface IngestedSource {
  readonly path: string;
  readonly product: string;
  readonly node: string;
  readonly layout: string;
  readonly evidence: string;
  readonly state: 'new' | 'continued' | 'unchanged';
  readonly bytes: number;
  readonly lines: number;
  readonly records: number;
  readonly continuations: number;
  readonly unparsed: number;
}

export interface IngestResult {
  readonly sources: IngestedSource[];
  /** Files in named folders that are not logs. */
  readonly skipped: { readonly path: string; readonly reason: string }[];
  /** Files of which only a part could be read; that part is in the database. */
  readonly damaged: InputError[];
}

interface Candidate {
  readonly file: InputFile;
  readonly gzip: boolean;
  readonly detection: Detection;
  readonly prefix: Buffer;
  readonly size: number | null; // decompressed, null for gzip
}

interface SourceState {
  sourceId: bigint;
  bytesDone: number;
  lines: number;
  records: number;
  continuations: number;
  unparsed: number;
  complete: boolean;
  /** Of a complete file: where to start again if it grows. */
  reopen: LinePosition;
}

/** Throws InputError (nothing written) if a named file is missing, unreadable or no log, or a folder holds no log. */
export async function ingest(database: Database, options: IngestOptions): Promise<IngestResult> {
  if (options.zone !== undefined) zoneOffsetUs(options.zone, 0); // a name that is no zone must cost nothing
  const { candidates, skipped } = await examine(options);
  const sources: IngestedSource[] = [];
  const damaged: InputError[] = [];
  await database.run("INSERT OR IGNORE INTO runs (run_id, kind, label) VALUES ($1, 'observed', $2)", [
    OBSERVED,
    INTERRUPTED_LABEL,
  ]);
  // Until clocks and bridges are derived from all records, an analysis would be of half the story.
  await database.run('UPDATE runs SET label = $2 WHERE run_id = $1', [OBSERVED, INTERRUPTED_LABEL]);
  for (const candidate of candidates) {
    try {
      const { source, damage } = await ingestFile(database, candidate, options);
      sources.push(source);
      if (damage !== null) damaged.push(damage);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      damaged.push(error);
    }
  }
  const endpoints = new Set(
    candidates.map(({ detection }) => hash64(OBSERVED, detection.product, options.node ?? detection.product)),
  );
  await refreshDerived(database, OBSERVED, {
    zone: options.zone === undefined ? undefined : { name: options.zone, endpoints },
  });
  await database.run('UPDATE runs SET label = $2 WHERE run_id = $1', [OBSERVED, COMPLETE_LABEL]);
  return { sources, skipped, damaged };
}

/** Reads the head of every file before anything is written, so that a wrong path costs nothing. */
async function examine(options: IngestOptions): Promise<{ candidates: Candidate[]; skipped: IngestResult['skipped'] }> {
  const files = await expandPaths(options.paths);
  const candidates: Candidate[] = [];
  const skipped: { path: string; reason: string }[] = [];
  for (const file of files) {
    const gzip = await isGzip(file.path);
    const head = await readHead(file.path, gzip).catch((error) => {
      if (file.named || !(error instanceof InputError)) throw error;
      skipped.push({ path: file.path, reason: error.message });
      return null;
    });
    if (head === null) continue;
    const detection = detectLayout(headLines(head));
    if (detection === null || (options.product !== undefined && detection.product !== options.product)) {
      const reason =
        head.length === 0
          ? 'empty'
          : detection === null
            ? 'no known log layout in its first lines'
            : `a log of ${detection.product}`;
      if (file.named) {
        throw new InputError(
          'not-a-log',
          `${file.path} is not a log of ${options.product ?? 'NanoMQ or EMQX'} (${reason}).`,
          {
            file: file.path,
            hint: 'Known: NanoMQ file and console logs; EMQX text, JSON and trace logs; each also gzipped.',
          },
        );
      }
      skipped.push({ path: file.path, reason });
      continue;
    }
    const size = gzip ? null : (await stat(file.path)).size;
    candidates.push({ file, gzip, detection, prefix: head.subarray(0, PREFIX_BYTES), size });
  }
  if (candidates.length === 0) {
    throw new InputError('no-logs', `No log of NanoMQ or EMQX in ${options.paths.join(', ')}.`, {
      file: options.paths[0],
      hint:
        skipped.length > 0
          ? `${skipped.length} files were looked at, for example ${skipped[0]?.path} (${skipped[0]?.reason}).`
          : 'The folder is empty.',
    });
  }
  return { candidates, skipped };
}

function headLines(head: Buffer): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => {
    if (lines.length < DETECT_LINES) lines.push(line.text);
  });
  splitter.push(head);
  splitter.end();
  return lines;
}

interface FileResult {
  readonly source: IngestedSource;
  /** Set if only a part of the file could be read. */
  readonly damage: InputError | null;
}

async function ingestFile(database: Database, candidate: Candidate, options: IngestOptions): Promise<FileResult> {
  const { file, gzip, detection } = candidate;
  const node = options.node ?? detection.product;
  const endpointId = hash64(OBSERVED, detection.product, node);
  await database.run(
    'INSERT OR IGNORE INTO endpoints (endpoint_id, run_id, product, node, node_known_by) VALUES ($1, $2, $3, $4, $5)',
    [endpointId, OBSERVED, detection.product, node, options.node === undefined ? 'default' : '--node'],
  );
  const known = await findSource(database, candidate, endpointId);
  if (known?.complete && candidate.size !== null && candidate.size <= known.bytesDone)
    return { source: summary(candidate, node, known, 'unchanged'), damage: null };
  const state = known ?? (await createSource(database, candidate, endpointId));
  const before = state.bytesDone;
  if (known?.complete) {
    const grew = candidate.size !== null || (await hasMore(file.path, gzip, state.bytesDone));
    if (!grew) return { source: summary(candidate, node, state, 'unchanged'), damage: null };
    await reopenEnd(database, state);
  }
  const damage = await parseInto(database, candidate, state, options);
  return { source: summary(candidate, node, state, known === null || before === 0 ? 'new' : 'continued'), damage };
}

async function parseInto(
  database: Database,
  candidate: Candidate,
  state: SourceState,
  options: IngestOptions,
): Promise<InputError | null> {
  const { file, gzip, detection } = candidate;
  const writer = new RecordWriter(database);
  let firstTs: number | null = null;
  let lastTs: number | null = null;
  const parser: RecordParser = createParser(detection.layout, {
    record(record) {
      writer.record(state.sourceId, record);
      state.records += 1;
      state.continuations += record.continuations;
      if (record.ts !== null) {
        if (firstTs === null || record.ts < firstTs) firstTs = record.ts;
        if (lastTs === null || record.ts > lastTs) lastTs = record.ts;
      }
    },
    slotted(record: SlottedRecord) {
      writer.slotted(state.sourceId, record);
      state.records += 1;
      if (record.blank !== null) state.continuations += 1;
      if (firstTs === null || record.ts < firstTs) firstTs = record.ts;
      if (lastTs === null || record.ts > lastTs) lastTs = record.ts;
    },
    unparsed(line) {
      writer.unparsedLine(state.sourceId, line);
      state.unparsed += 1;
    },
  });
  let lastLine: LinePosition = { byteOffset: state.bytesDone, lineNo: state.lines };
  const splitter = new LineSplitter(
    (line) => {
      lastLine = line;
      parser.line(line);
    },
    { byteOffset: state.bytesDone, lineNo: state.lines + 1 },
  );
  const commit = async (complete: boolean): Promise<void> => {
    await writer.flush();
    await database.run(
      `UPDATE sources SET bytes_done = $2, lines = $3, records = $4, continuations = $5, unparsed = $6, complete = $7,
         first_ts = least(coalesce(first_ts, make_timestamp($8::BIGINT)), make_timestamp($8::BIGINT)),
         last_ts = greatest(coalesce(last_ts, make_timestamp($9::BIGINT)), make_timestamp($9::BIGINT)),
         reopen_offset = $10, reopen_line = $11
       WHERE source_id = $1`,
      [
        state.sourceId,
        BigInt(state.bytesDone),
        state.lines,
        state.records,
        state.continuations,
        state.unparsed,
        complete,
        bigOrNull(firstTs),
        bigOrNull(lastTs),
        BigInt(state.reopen.byteOffset),
        state.reopen.lineNo,
      ],
    );
    await database.run('COMMIT');
  };
  let position = state.bytesDone;
  let committed = position;
  let broken: InputError | null = null;
  await database.run('BEGIN');
  await writer.begin();
  try {
    try {
      for await (const chunk of readBytes(file.path, gzip, state.bytesDone)) {
        options.signal?.throwIfAborted();
        splitter.push(chunk);
        position += chunk.length;
        options.onProgress?.({
          path: file.path,
          bytesDone: position,
          bytesTotal: candidate.size,
          records: state.records,
        });
        if (position - committed < COMMIT_BYTES) continue;
        const resume = parser.resumePoint();
        state.bytesDone = resume.byteOffset;
        state.lines = resume.lineNo - 1;
        await commit(false);
        committed = position;
        await database.run('BEGIN');
        await writer.begin();
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      broken = error; // keep what was read before the damage
    }
    splitter.end();
    // The file may have been cut inside its last line, or before text that belongs to a record still held by the parser.
    const held = parser.resumePoint();
    state.reopen = held.byteOffset < position ? held : { byteOffset: lastLine.byteOffset, lineNo: lastLine.lineNo };
    parser.end();
    state.bytesDone = position;
    state.lines = lastLine.lineNo;
    state.complete = true;
    await commit(true);
  } catch (error) {
    writer.abandon();
    await database.run('ROLLBACK').catch(() => {});
    throw error;
  }
  return broken;
}

/** The source these bytes belong to, if some of it is in the database: same prefix, or a file that has grown since. */
async function findSource(database: Database, candidate: Candidate, endpointId: bigint): Promise<SourceState | null> {
  const rows = await database.all<{
    source_id: bigint | number;
    prefix_hash: string;
    prefix_bytes: number;
    bytes_done: number;
    lines: number;
    records: number;
    continuations: number;
    unparsed: number;
    complete: boolean;
    reopen_offset: number | null;
    reopen_line: number | null;
  }>(
    `SELECT source_id, prefix_hash, prefix_bytes, bytes_done, lines, records, continuations, unparsed, complete, reopen_offset, reopen_line
     FROM sources WHERE endpoint_id = $1 AND layout = $2`,
    [endpointId, candidate.detection.layout],
  );
  const match = rows.find(
    (row) =>
      row.prefix_bytes <= candidate.prefix.length &&
      row.prefix_hash === hashHex(candidate.prefix.subarray(0, row.prefix_bytes)),
  );
  if (match === undefined) return null;
  return {
    sourceId: BigInt(match.source_id),
    bytesDone: match.bytes_done,
    lines: match.lines,
    records: match.records,
    continuations: match.continuations,
    unparsed: match.unparsed,
    complete: match.complete,
    reopen: { byteOffset: match.reopen_offset ?? 0, lineNo: match.reopen_line ?? 1 },
  };
}

async function createSource(database: Database, candidate: Candidate, endpointId: bigint): Promise<SourceState> {
  const sourceId = hash64(endpointId.toString(), candidate.detection.layout, candidate.prefix);
  await database.run(
    `INSERT INTO sources (source_id, endpoint_id, path, layout, layout_evidence, prefix_hash, prefix_bytes, bytes_done, lines, records, continuations, unparsed, complete)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, false)`,
    [
      sourceId,
      endpointId,
      candidate.file.path,
      candidate.detection.layout,
      candidate.detection.evidence,
      hashHex(candidate.prefix),
      candidate.prefix.length,
    ],
  );
  const reopen = { byteOffset: 0, lineNo: 1 };
  return { sourceId, bytesDone: 0, lines: 0, records: 0, continuations: 0, unparsed: 0, complete: false, reopen };
}

async function hasMore(file: string, gzip: boolean, from: number): Promise<boolean> {
  for await (const chunk of readBytes(file, gzip, from)) {
    if (chunk.length > 0) return true;
  }
  return false;
}

/** A file that has grown is read again from where its end may have been cut: what was read from there on is taken back. */
async function reopenEnd(database: Database, state: SourceState): Promise<void> {
  const from = [state.sourceId, BigInt(state.reopen.byteOffset)];
  const inside = 'source_id = $1 AND byte_offset >= $2';
  const [taken] = await database.all<{ records: number; continuations: number; unparsed: number }>(
    `SELECT count(*) AS records, coalesce(sum(continuations), 0)::BIGINT AS continuations,
       (SELECT count(*) FROM unparsed WHERE ${inside}) AS unparsed
     FROM records WHERE ${inside}`,
    from,
  );
  state.bytesDone = state.reopen.byteOffset;
  state.lines = state.reopen.lineNo - 1;
  state.complete = false;
  state.records -= taken?.records ?? 0;
  state.continuations -= taken?.continuations ?? 0;
  state.unparsed -= taken?.unparsed ?? 0;
  await database.transaction(async () => {
    await database.run(`DELETE FROM packed_records WHERE ${inside}`, from);
    await database.run(`DELETE FROM unparsed WHERE ${inside}`, from);
    await database.run(
      'UPDATE sources SET bytes_done = $2, lines = $3, records = $4, continuations = $5, unparsed = $6, complete = false WHERE source_id = $1',
      [state.sourceId, BigInt(state.bytesDone), state.lines, state.records, state.continuations, state.unparsed],
    );
  });
}

function summary(
  candidate: Candidate,
  node: string,
  state: SourceState,
  change: IngestedSource['state'],
): IngestedSource {
  return {
    path: candidate.file.path,
    product: candidate.detection.product,
    node,
    layout: candidate.detection.layout,
    evidence: candidate.detection.evidence,
    state: change,
    bytes: state.bytesDone,
    lines: state.lines,
    records: state.records,
    continuations: state.continuations,
    unparsed: state.unparsed,
  };
}

function bigOrNull(value: number | null): bigint | null {
  return value === null ? null : BigInt(value);
}
