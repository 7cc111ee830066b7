/**
 * Parsing of one large file by several worker threads.
 *
 * The file is cut into segments of equal length. A worker starts at the first line of its segment that starts a record and reads
 * on until all records that start in the segment are finished; it tells where it started and where it ended. A segment counts only
 * if it starts where the one before it ended, else it is read again from there: the rows are those of one thread, whatever happens.
 */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { InputError } from '../errors.ts';
import type { Definitions } from './dictionary.ts';
import type { PackedPart, StreamJob, UnparsedRow } from './part-packer.ts';
import { buffersOf, type RecordBatch } from './record-batch.ts';

export const SEGMENT_BYTES = 2 * 1_048_576;
/** Smaller files are parsed where they are read: starting workers would take longer. */
export const MIN_PARALLEL_BYTES = 8 * SEGMENT_BYTES;
const MAX_THREADS = 16;
/** What a worker holds is small and short-lived; without limits V8 would let it pile up. */
const WORKER_MEMORY = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };
/** More than a segment fills. */
const SPARE_BATCHES = 32;
/** Segments read or waiting to be stored, per worker. Bounds memory. */
const AHEAD = 2;

export interface SegmentRequest {
  readonly number: number;
  readonly path: string;
  readonly job: StreamJob;
  readonly from: number;
  readonly to: number;
  readonly fileBytes: number;
  /** `from` is where a record starts, not just anywhere. */
  readonly exact: boolean;
  /** Batches whose rows are stored, to be filled again. */
  spare: RecordBatch[];
}

export interface SegmentResult {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  /** Lines from start to end. */
  readonly lines: number;
  /** Lines read before the start: line numbers below count from there. */
  readonly lineBase: number;
  /** Where a reader starts again if the file grows; of the last segment only. Its line counts like those of the rows. */
  readonly reopen: { readonly byteOffset: number; readonly lineNo: number } | null;
  readonly parts: readonly PackedPart[];
  readonly batches: readonly RecordBatch[];
  readonly definitions: Definitions;
  readonly unparsed: readonly UnparsedRow[];
}

export type WorkerAnswer =
  | { readonly kind: 'segment'; readonly result: SegmentResult }
  | { readonly kind: 'error'; readonly number: number; readonly message: string };

export function chooseThreads(wanted: number | undefined): number {
  return Math.max(0, Math.min(wanted ?? Math.max(1, availableParallelism() - 1), MAX_THREADS));
}

export class SegmentPool {
  private readonly workers: Worker[] = [];
  private readonly idle: Worker[] = [];
  private readonly waiting: SegmentRequest[] = [];
  private readonly results = new Map<number, SegmentResult>();
  private spare: RecordBatch[] = [];
  /** Also those of results that do not count: a worker hands each definition on once. */
  private definitions: Definitions[] = [];
  private nextNumber = 0;
  private oldestWanted = 0;
  private failure: Error | null = null;
  private wake: () => void = () => {};

  constructor(threads: number) {
    // Built files end in .js, sources run without a build in .ts.
    const extension = path.extname(fileURLToPath(import.meta.url));
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(new URL(`./parse-worker${extension}`, import.meta.url), {
        resourceLimits: WORKER_MEMORY,
      });
      worker.on('message', (answer: WorkerAnswer) => {
        if (answer.kind === 'segment') {
          const { result } = answer;
          this.definitions.push(result.definitions);
          if (result.number >= this.oldestWanted) this.results.set(result.number, result);
        } else this.failure ??= new Error(answer.message);
        this.idle.push(worker);
        this.dispatch();
        this.wake();
      });
      worker.on('error', (error) => {
        this.failure ??= error;
        this.wake();
      });
      this.workers.push(worker);
      this.idle.push(worker);
    }
  }

  /** Segments of the file from `from` on, in order, each starting where the one before ended. */
  async *read(file: string, job: StreamJob, from: number, fileBytes: number): AsyncGenerator<SegmentResult> {
    let position = from;
    let number = this.nextNumber; // of the segment wanted
    let askedUpTo = from;
    while (position < fileBytes) {
      while (this.nextNumber < number + this.workers.length * AHEAD && askedUpTo < fileBytes) {
        const to = Math.min(askedUpTo + SEGMENT_BYTES, fileBytes);
        this.ask({
          number: this.nextNumber,
          path: file,
          job,
          from: askedUpTo,
          to,
          fileBytes,
          exact: askedUpTo === from,
          spare: [],
        });
        this.nextNumber += 1;
        askedUpTo = to;
      }
      if (number === this.nextNumber) {
        throw new InputError('not-readable', `${file} became shorter while it was read.`, {
          file,
          hint: 'Run the same command again; what was read is kept.',
        });
      }
      let result = await this.result(number);
      if (result.start !== position) {
        // What one thread would hold back reached into this segment: it is read again from where the last one ended.
        const to = Math.max(result.end, position);
        this.ask({ number, path: file, job, from: position, to, fileBytes, exact: true, spare: [] }, true);
        result = await this.result(number);
      }
      yield result;
      position = result.end;
      number += 1;
    }
    // Segments that were asked for and that the last record reached over.
    this.oldestWanted = this.nextNumber;
    this.waiting.length = 0;
    this.results.clear();
  }

  /** Takes batches whose rows are stored: the next segment is packed into them, instead of into new ones for the collector to clear away. */
  recycle(batches: readonly RecordBatch[]): void {
    this.spare.push(...batches);
  }

  /** Definitions that arrived since the last call; to be stored with or before the rows of the results read so far. */
  takeDefinitions(): Definitions[] {
    const taken = this.definitions;
    this.definitions = [];
    return taken;
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private ask(request: SegmentRequest, first = false): void {
    if (first) this.waiting.unshift(request);
    else this.waiting.push(request);
    this.dispatch();
  }

  private dispatch(): void {
    while (this.idle.length > 0 && this.waiting.length > 0) {
      const request = this.waiting.shift()!;
      request.spare = this.spare.splice(0, SPARE_BATCHES);
      this.idle.pop()!.postMessage(
        request,
        request.spare.flatMap((batch) => buffersOf(batch)),
      );
    }
  }

  private async result(number: number): Promise<SegmentResult> {
    for (;;) {
      if (this.failure !== null) throw this.failure;
      const result = this.results.get(number);
      if (result !== undefined) {
        this.results.delete(number);
        return result;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
