/**
 * Log files into the database: detect, parse, append, commit.
 *
 * Safe to kill at any moment: rows and the mark of how far they reach are committed together, and a second run goes on from the
 * mark (or does nothing where all is in). The same bytes under another name are the same source.
 */
import { LineSplitter, type ShapeStore } from '../../parsers/index.ts';
import type { Database } from '../database.ts';
import { refreshDerived } from '../derive/refresh.ts';
import { InputError } from '../errors.ts';
import { type Candidate, examine, type IngestOptions, isWorthThreads, jobOf, OBSERVED } from './examine.ts';
import { type OpenInput, openInput, PREFIX_BYTES } from './input/open-input.ts';
import { type PackedPart, PartPacker, type StreamJob } from './part-packer.ts';
import { type Gap, newStats } from './part-stats.ts';
import { RecordWriter } from './record-writer.ts';
import { chooseThreads, SegmentPool } from './segments.ts';
import {
  addParts,
  type FileKey,
  type FileState,
  findFile,
  type NewRows,
  newFile,
  storeParts,
  takeBack,
} from './source-store.ts';
import { endpointsOf, type IngestedEndpoint, type UnparsedShape, unparsedShapes } from './summary.ts';

const COMPLETE_LABEL = 'the logs';
/** Label of the run while an ingest is under way, and after one that was killed. */
export const INTERRUPTED_LABEL = 'an ingest that has not finished';
/** Input between two commits; what a kill can cost. */
const COMMIT_BYTES = 64 * 1_048_576;

export interface IngestedSource {
  readonly sourceId: string;
  readonly path: string;
  /** Service that a collector names, if the file mixes several. */
  readonly part: string;
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
  readonly skipped: number; // outside of since and until
  readonly firstTs: number | null; // µs, as written
  readonly lastTs: number | null;
  /** The longest silences, longest first. */
  readonly gaps: readonly Gap[];
  /** The most frequent of the lines that could not be read. */
  readonly unparsedShapes: readonly UnparsedShape[];
}

export interface IngestResult {
  readonly sources: IngestedSource[];
  /** All of the database, with what is known of their releases. */
  readonly endpoints: IngestedEndpoint[];
  /** Of this call. */
  readonly bytesRead: number;
  readonly recordsRead: number;
  readonly seconds: number;
  /** Files in named folders that are not logs. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  /** Files of which only a part could be read; that part is in the database. */
  readonly damaged: InputError[];
}

/**
 * Throws InputError (nothing written) if a named file is missing, unreadable or no log, or a folder holds no log.
 * @param workers the threads, if they run already; they have ended when it returns. Else they start with the first file that is worth it
 */
export async function ingest(
  database: Database,
  options: IngestOptions,
  workers: SegmentPool | null = null,
): Promise<IngestResult> {
  const { candidates, skipped } = await examine(options);
  const started = performance.now();
  const sources: (IngestedSource & { unparsedShapes: UnparsedShape[] })[] = [];
  const damaged: InputError[] = [];
  const endpoints = new Set<bigint>();
  const tools = makeTools(candidates, options, workers);
  await database.run("INSERT OR IGNORE INTO runs (run_id, kind, label) VALUES ($1, 'observed', $2)", [
    OBSERVED,
    INTERRUPTED_LABEL,
  ]);
  // Until clocks and bridges are derived from all records, an analysis would be of half the story.
  await database.run('UPDATE runs SET label = $2 WHERE run_id = $1', [OBSERVED, INTERRUPTED_LABEL]);
  await database.shareMemory('parsing');
  try {
    for (const candidate of candidates) {
      try {
        const result = await ingestFile(database, candidate, options, tools);
        sources.push(...result.sources);
        for (const id of result.endpoints) endpoints.add(id);
        if (result.damage !== null) damaged.push(result.damage);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        damaged.push(error);
      }
      tools.fileDone(candidate);
    }
  } finally {
    await tools.pool?.close(); // gives back its memory before the rest needs it
    await database.shareMemory('deriving');
  }
  await refreshDerived(database, OBSERVED, {
    zone: options.zone === undefined ? undefined : { name: options.zone, endpoints },
  });
  await database.run('UPDATE runs SET label = $2 WHERE run_id = $1', [OBSERVED, COMPLETE_LABEL]);
  if (sources.some(({ unparsed }) => unparsed > 0)) {
    const shapes = await unparsedShapes(database, OBSERVED);
    for (const source of sources) source.unparsedShapes.push(...(shapes.get(source.sourceId) ?? []));
  }
  return {
    sources,
    endpoints: await endpointsOf(database, OBSERVED),
    ...tools.total(),
    seconds: (performance.now() - started) / 1000,
    skipped,
    damaged,
  };
}

/** What all files of one ingest share. */
interface Tools {
  readonly threads: number;
  readonly commitBytes: number;
  readonly shapes: ShapeStore;
  pool: SegmentPool | null;
  readonly progress: (file: string, bytesDone: number, records: number) => void;
  readonly fileDone: (candidate: Candidate) => void;
  readonly addBytes: (bytes: number) => void;
  readonly total: () => { bytesRead: number; recordsRead: number };
}

function makeTools(candidates: readonly Candidate[], options: IngestOptions, pool: SegmentPool | null): Tools {
  const isSized = candidates.every(({ size }) => size !== null);
  const bytesTotal = isSized ? candidates.reduce((sum, { size }) => sum + size!, 0) : null;
  let bytesBefore = 0; // of the files that are done
  let recordsBefore = 0;
  let bytes = 0;
  let records = 0;
  let bytesRead = 0;
  return {
    threads: chooseThreads(options.threads),
    commitBytes: options.commitBytes ?? COMMIT_BYTES,
    shapes: new Map(),
    pool,
    progress(path, bytesDone, recordsDone) {
      bytes = bytesDone;
      records = recordsDone;
      const done = { bytesDone: bytesBefore + bytes, bytesTotal, records: recordsBefore + records };
      options.onProgress?.({ path, ...done });
    },
    fileDone({ size }) {
      bytesBefore += size ?? bytes;
      recordsBefore += records;
      bytes = 0;
      records = 0;
    },
    addBytes(count) {
      bytesRead += count;
    },
    total: () => ({ bytesRead, recordsRead: recordsBefore }),
  };
}

/** What of a file was read by this call. */
interface FileResult {
  readonly sources: (IngestedSource & { unparsedShapes: UnparsedShape[] })[];
  readonly endpoints: readonly bigint[];
  /** Set if only a part of the file could be read. */
  readonly damage: InputError | null;
}

async function ingestFile(
  database: Database,
  candidate: Candidate,
  options: IngestOptions,
  tools: Tools,
): Promise<FileResult> {
  const input = candidate.opened ?? (await openInput(candidate.file));
  const { head } = input;
  const key: FileKey = {
    runId: OBSERVED,
    prefix: head.subarray(0, PREFIX_BYTES),
    node: options.node,
    product: options.product,
    since: options.since,
    until: options.until,
  };
  const known = await findFile(database, key);
  const state = known ?? newFile(key);
  const before = state.bytesDone;
  if (known !== null) {
    if (state.complete) {
      if (candidate.opened === null && !(await hasMore(input, state.bytesDone))) {
        return result(candidate, state, 'unchanged', null);
      }
      // With a window it is not known what the records taken back were counted as: the file is read anew.
      const isCut = key.since !== undefined || key.until !== undefined;
      await takeBack(database, state, isCut ? { byteOffset: 0, lineNo: 1 } : state.reopen);
    } else if (before > 0) await takeBack(database, state, { byteOffset: state.bytesDone, lineNo: state.lines + 1 });
  }
  const rows: NewRows = { key, path: candidate.path, rotationSet: candidate.rotationSet };
  const read = new FileReader(database, candidate, input, state, rows, options, tools);
  const damage = await read.run();
  tools.addBytes(state.bytesDone - Math.min(before, state.bytesDone));
  const isSame = known !== null && before > 0 && state.bytesDone === before;
  return result(candidate, state, before === 0 ? 'new' : isSame ? 'unchanged' : 'continued', damage);
}

function result(
  candidate: Candidate,
  state: FileState,
  change: IngestedSource['state'],
  damage: InputError | null,
): FileResult {
  const endpoints = [...state.parts.values()].map(({ endpointId }) => endpointId);
  return { sources: summaries(candidate, state, change), endpoints, damage };
}

/** Reads one file from where its state says to its end, and commits on the way. */
class FileReader {
  private readonly database: Database;
  private readonly candidate: Candidate;
  private readonly input: OpenInput;
  private readonly state: FileState;
  private readonly rows: NewRows;
  private readonly options: IngestOptions;
  private readonly tools: Tools;
  private readonly writer: RecordWriter;
  private readonly job: StreamJob;
  private committed: number;
  private records = 0;

  constructor(
    database: Database,
    candidate: Candidate,
    input: OpenInput,
    state: FileState,
    rows: NewRows,
    options: IngestOptions,
    tools: Tools,
  ) {
    this.database = database;
    this.candidate = candidate;
    this.input = input;
    this.state = state;
    this.rows = rows;
    this.options = options;
    this.tools = tools;
    this.writer = new RecordWriter(database);
    this.committed = state.bytesDone;
    this.job = jobOf(input, options, state.prefixHash, state.product)!; // `examine` refused what is none
  }

  async run(): Promise<InputError | null> {
    const { size } = this.input;
    await this.begin();
    try {
      const isParallel = this.tools.threads > 0 && isWorthThreads(this.job, size, this.state.bytesDone);
      return isParallel ? await this.parallel(size!) : await this.here();
    } catch (error) {
      this.writer.abandon();
      await this.database.run('ROLLBACK').catch(() => {});
      throw error;
    }
  }

  /** On this thread. */
  private async here(): Promise<InputError | null> {
    const { state } = this;
    const sink = new PartPacker(this.job, this.writer.packer, this.tools.shapes, ({ sourceId, line }) =>
      this.writer.unparsedLine(sourceId, line),
    );
    const { parser } = sink;
    const start = { byteOffset: state.bytesDone, lineNo: state.lines + 1 };
    const splitter = new LineSplitter((line) => parser.line(line), start, parser);
    let position = state.bytesDone;
    let broken: InputError | null = null;
    try {
      for await (const chunk of this.input.read(state.bytesDone)) {
        this.options.signal?.throwIfAborted();
        splitter.push(chunk);
        position += chunk.length;
        this.tell(position, sink.parts);
        if (position - this.committed < this.tools.commitBytes) continue;
        const resume = parser.resumePoint();
        state.bytesDone = resume.byteOffset;
        state.lines = resume.lineNo - 1;
        this.take(sink.parts);
        await this.commit();
        this.committed = position;
        await this.begin();
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      broken = error; // keep what was read before the damage
    }
    splitter.end();
    // The file may have been cut inside its last line, or before text that belongs to a record still held by the parser.
    const held = parser.resumePoint();
    const { byteOffset, lineNo } = splitter.last;
    state.reopen = held.byteOffset < position ? held : { byteOffset, lineNo };
    parser.end();
    this.take(sink.parts);
    this.tell(position, []);
    await this.finish(position, lineNo, broken);
    return broken;
  }

  /** By the workers, segment after segment. */
  private async parallel(size: number): Promise<InputError | null> {
    const { state, candidate, tools } = this;
    tools.pool ??= new SegmentPool(tools.threads);
    let lines = state.lines;
    for await (const segment of tools.pool.read(candidate.path, this.job, state.bytesDone, size)) {
      this.options.signal?.throwIfAborted();
      const before = lines - segment.lineBase;
      for (const batch of segment.batches) this.writer.batch(batch, before);
      tools.pool.recycle(segment.batches);
      for (const definitions of tools.pool.takeDefinitions()) this.writer.define(definitions);
      for (const { sourceId, line } of segment.unparsed) {
        this.writer.unparsedLine(sourceId, { ...line, lineNo: line.lineNo + before });
      }
      addParts(state, segment.parts);
      if (segment.reopen !== null) {
        state.reopen = { byteOffset: segment.reopen.byteOffset, lineNo: segment.reopen.lineNo + before };
      }
      lines += segment.lines;
      state.bytesDone = segment.end;
      state.lines = lines;
      for (const part of segment.parts) this.records += part.stats.records;
      tools.progress(candidate.path, segment.end, this.records);
      if (segment.end < size && segment.end - this.committed >= tools.commitBytes) {
        await this.commit();
        this.committed = segment.end;
        await this.begin();
      }
    }
    await this.finish(state.bytesDone, lines, null);
    return null;
  }

  /** Adds what the parts have counted since the last time. */
  private take(parts: readonly PackedPart[]): void {
    addParts(this.state, parts);
    for (const { stats } of parts) {
      this.records += stats.records;
      const { tailTs } = stats;
      Object.assign(stats, newStats(), { tailTs, gaps: [] });
    }
  }

  private tell(position: number, parts: readonly PackedPart[]): void {
    const records = parts.reduce((sum, { stats }) => sum + stats.records, this.records);
    this.tools.progress(this.candidate.path, position, records);
  }

  private async begin(): Promise<void> {
    await this.database.run('BEGIN');
    await this.writer.begin();
  }

  private async commit(): Promise<void> {
    await this.database.viewsReady(); // no file with records and without views
    await this.writer.flush();
    await storeParts(this.database, this.state, this.rows);
    await this.database.run('COMMIT');
  }

  private async finish(position: number, lines: number, damage: InputError | null): Promise<void> {
    const { state } = this;
    state.bytesDone = position;
    state.lines = lines;
    state.complete = true;
    state.damage = damage === null ? null : damage.message;
    await this.commit();
  }
}

async function hasMore(input: OpenInput, from: number): Promise<boolean> {
  if (input.size !== null) return input.size > from;
  for await (const chunk of input.read(from)) {
    if (chunk.length > 0) return true;
  }
  return false;
}

function summaries(candidate: Candidate, state: FileState, change: IngestedSource['state']): FileResult['sources'] {
  return [...state.parts.values()].map(({ sourceId, node, part, stats }) => ({
    sourceId: sourceId.toString(),
    path: candidate.path,
    part: part.label,
    product: part.detection.product,
    node,
    layout: part.detection.layout,
    evidence: part.detection.evidence,
    state: change,
    bytes: state.bytesDone,
    lines: state.lines,
    records: stats.records,
    continuations: stats.continuations,
    unparsed: stats.unparsed,
    skipped: stats.skipped,
    firstTs: stats.firstTs,
    lastTs: stats.lastTs,
    gaps: stats.gaps,
    unparsedShapes: [],
  }));
}
