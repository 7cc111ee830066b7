/**
 * Parsing of one large file by several threads.
 *
 * The file is cut into segments of equal length. A worker starts at the first line of its segment that starts a record and reads
 * on until all records that start in the segment are finished; it tells where it started and where it ended. A segment counts only
 * if it starts where the one before it ended, else it is read again from there: the rows are those of one thread, whatever happens.
 */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { Worker } from 'node:worker_threads';
import { InputError } from '../errors.ts';
import type { Definitions } from './dictionary.ts';
import type { StreamJob } from './part-packer.ts';
import { buffersOf, type RecordBatch } from './record-batch.ts';
import type { SegmentRequest, SegmentResult, WorkerAnswer } from './segment.ts';
import type { SegmentParser } from './segment-parser.ts';

export const SEGMENT_BYTES = 2 * 1_048_576;
/** Smaller files are parsed where they are read: starting workers would take longer. */
export const MIN_PARALLEL_BYTES = 8 * SEGMENT_BYTES;
const MAX_THREADS = 16;
/** What a worker holds is small and short-lived; without limits V8 would let it pile up. */
const WORKER_MEMORY = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };
/** About what a segment fills: more would lie with workers that have no use for them. */
const SPARE_BATCHES = 12;
/** Segments read or waiting to be stored, per parsing thread. Bounds memory: with four a log of 4 GB took 556 MB. */
const AHEAD = 2;
/** One that is stored, and two that a lone worker is asked for. */
const LEAST_AHEAD = 3;
/** With less than this before it, this thread would not get back what learning the shapes of a log costs. */
const MIN_OWN_BYTES = 512 * 1_048_576;
/** Segments a worker has been asked for: it goes on with the next while this thread stores rows and cannot ask. */
const ASKED = 2;

export function chooseThreads(wanted: number | undefined): number {
  return Math.max(0, Math.min(wanted ?? availableParallelism(), MAX_THREADS));
}

/** Workers for files that are worth them, before it is known whether the files are logs; null if none seems to be. */
export function startEarly(paths: readonly string[], wanted: number | undefined): SegmentPool | null {
  const threads = chooseThreads(wanted);
  return threads > 0 && paths.some(isLarge) ? new SegmentPool(threads) : null;
}

/** A file that threads may read; if it is packed or wrapped, its head tells. */
export function isLarge(file: string): boolean {
  if (/\.(gz|zst)$/i.test(file)) return false;
  try {
    const found = statSync(file);
    return found.isFile() && found.size >= MIN_PARALLEL_BYTES;
  } catch {
    return false; // a glob, or an error that is told when the file is opened
  }
}

/** How far the segments of a file have been asked for. */
interface Reading {
  readonly path: string;
  readonly job: StreamJob;
  readonly from: number;
  readonly fileBytes: number;
  /** Number of its first segment. */
  readonly first: number;
  askedUpTo: number;
}

interface Member {
  readonly worker: Worker;
  asked: number;
}

export class SegmentPool {
  private readonly members: Member[] = [];
  private readonly threads: number;
  /** Parses on this thread while it has nothing to store; null until then. */
  private own: SegmentParser | null = null;
  private begun: Reading | null = null;
  private readonly waiting: SegmentRequest[] = [];
  private readonly results = new Map<number, SegmentResult>();
  private spare: RecordBatch[] = [];
  /** Also those of results that do not count: a worker hands each definition on once. */
  private definitions: Definitions[] = [];
  private nextNumber = 0;
  private oldestWanted = 0;
  private failure: Error | null = null;
  private wake: () => void = () => {};

  /** If there is no core left for this thread, it is one of the parsing threads. */
  constructor(threads: number) {
    this.threads = threads;
    // Built files end in .js, sources run without a build in .ts.
    const extension = path.extname(fileURLToPath(import.meta.url));
    const workers = threads < availableParallelism() ? threads : Math.max(1, threads - 1);
    for (let i = 0; i < workers; i++) {
      const worker = new Worker(new URL(`./parse-worker${extension}`, import.meta.url), {
        resourceLimits: WORKER_MEMORY,
      });
      const member: Member = { worker, asked: 0 };
      worker.on('message', (answer: WorkerAnswer) => {
        member.asked -= 1;
        if (answer.kind === 'segment') this.keep(answer.result);
        else this.failure ??= new Error(answer.message);
        this.dispatch();
        this.wake();
      });
      worker.on('error', (error) => {
        this.failure ??= error;
        this.wake();
      });
      this.members.push(member);
    }
  }

  /** Has the workers begin with a file that may be read next, from its start. */
  begin(file: string, job: StreamJob, fileBytes: number): void {
    this.begun = this.newReading(file, job, 0, fileBytes);
    this.askAhead(this.begun, this.begun.first);
  }

  /** Segments of the file from `from` on, in order, each starting where the one before ended. */
  async *read(file: string, job: StreamJob, from: number, fileBytes: number): AsyncGenerator<SegmentResult> {
    const reading = this.takeBegun(file, job, from) ?? this.newReading(file, job, from, fileBytes);
    let position = from;
    let number = reading.first; // of the segment wanted
    while (position < fileBytes) {
      this.askAhead(reading, number);
      if (number === this.nextNumber) {
        throw new InputError('not-readable', `${file} became shorter while it was read.`, {
          file,
          hint: 'Run the same command again; what was read is kept.',
        });
      }
      const helps = fileBytes - position >= MIN_OWN_BYTES;
      let result = await this.result(number, helps);
      if (result.start !== position) {
        // What one thread would hold back reached into this segment: it is read again from where the last one ended.
        const to = Math.max(result.end, position);
        this.ask({ number, path: file, job, from: position, to, fileBytes, exact: true, spare: [] }, true);
        result = await this.result(number, helps);
      }
      yield result;
      position = result.end;
      number += 1;
    }
    this.forget(); // segments that were asked for and that the last record reached over
  }

  private newReading(path: string, job: StreamJob, from: number, fileBytes: number): Reading {
    return { path, job, from, fileBytes, first: this.nextNumber, askedUpTo: from };
  }

  /** What `begin` began, if it is what is wanted now; else nothing of it is kept. The file may have grown since. */
  private takeBegun(file: string, job: StreamJob, from: number): Reading | null {
    const { begun } = this;
    this.begun = null;
    if (begun === null) return null;
    if (begun.path === file && from === begun.from && isDeepStrictEqual(job, begun.job)) return begun;
    this.forget();
    return null;
  }

  private askAhead(reading: Reading, wanted: number): void {
    const { path: file, job, from, fileBytes } = reading;
    while (this.nextNumber < wanted + Math.max(LEAST_AHEAD, this.threads * AHEAD) && reading.askedUpTo < fileBytes) {
      const to = Math.min(reading.askedUpTo + SEGMENT_BYTES, fileBytes);
      const exact = reading.askedUpTo === from;
      this.ask({ number: this.nextNumber, path: file, job, from: reading.askedUpTo, to, fileBytes, exact, spare: [] });
      this.nextNumber += 1;
      reading.askedUpTo = to;
    }
  }

  /** What was asked for is not wanted any more. */
  private forget(): void {
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
    await Promise.all(this.members.map(({ worker }) => worker.terminate()));
  }

  private ask(request: SegmentRequest, first = false): void {
    if (first) this.waiting.unshift(request);
    else this.waiting.push(request);
    this.dispatch();
  }

  private dispatch(): void {
    while (this.waiting.length > 0) {
      const member = this.members.reduce((a, b) => (b.asked < a.asked ? b : a));
      if (member.asked >= ASKED) return;
      const request = this.nextRequest();
      member.asked += 1;
      member.worker.postMessage(
        request,
        request.spare.flatMap((batch) => buffersOf(batch)),
      );
    }
  }

  private nextRequest(): SegmentRequest {
    const request = this.waiting.shift()!;
    request.spare = this.spare.splice(0, SPARE_BATCHES);
    return request;
  }

  private keep(result: SegmentResult): void {
    this.definitions.push(result.definitions);
    if (result.number >= this.oldestWanted) this.results.set(result.number, result);
  }

  /** `helps`: this thread parses too if there is no core left for it. */
  private async result(number: number, helps: boolean): Promise<SegmentResult> {
    for (;;) {
      if (this.failure !== null) throw this.failure;
      const result = this.results.get(number);
      if (result !== undefined) {
        this.results.delete(number);
        return result;
      }
      if (helps && this.threads > this.members.length && this.waiting.length > 0) {
        this.own ??= new (await import('./segment-parser.ts')).SegmentParser();
        this.keep(this.own.parse(this.nextRequest()));
        await nextTurn(); // lets the workers' answers in
      } else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }
}
