/**
 * Runs side by side in threads, or one after the other in this one. Which thread makes a run changes nothing of it: the order of the
 * results is that of the requests.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Database } from '../queries/index.ts';
import type { Cassette } from './cassette.ts';
import { type CountedRun, type CountJob, countRun } from './counted-run.ts';
import { type BaselineResult, type RunJob, runJob } from './run-job.ts';
import type { WorkerAnswer, WorkerOrder } from './run-worker.ts';

/** More threads than this gain nothing: each holds a database of its own. */
export const THREADS_MAX = 16;

export interface RunPool {
  /** How many runs go on at a time. */
  readonly width: number;
  run(cassette: Cassette, job: RunJob): Promise<BaselineResult>;
  /** Counters only. */
  count(cassette: Cassette, jobs: readonly CountJob[]): Promise<readonly CountedRun[]>;
  close(): Promise<void>;
}

/** `threads` 0: in this thread, which live runs need. */
export async function openPool(threads: number, signal?: AbortSignal): Promise<RunPool> {
  return threads === 0 ? new OwnThread(await Database.open(':memory:', 'write'), signal) : new Threads(threads, signal);
}

class OwnThread implements RunPool {
  readonly width = 1;
  readonly #database: Database;
  readonly #signal: AbortSignal | undefined;

  constructor(database: Database, signal: AbortSignal | undefined) {
    this.#database = database;
    this.#signal = signal;
  }

  async run(cassette: Cassette, job: RunJob): Promise<BaselineResult> {
    this.#signal?.throwIfAborted();
    return runJob(this.#database, cassette, job, { signal: this.#signal });
  }

  async count(cassette: Cassette, jobs: readonly CountJob[]): Promise<readonly CountedRun[]> {
    this.#signal?.throwIfAborted();
    return jobs.map((job) => countRun(cassette, job));
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}

interface Member {
  readonly worker: Worker;
  readonly known: Set<number>; // ids of the cassettes it has
}

type Work =
  | { readonly kind: 'run'; readonly job: RunJob }
  | { readonly kind: 'count'; readonly jobs: readonly CountJob[] };

interface Waiting {
  readonly cassette: Cassette;
  readonly work: Work;
  readonly resolve: (answer: WorkerAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

class Threads implements RunPool {
  readonly width: number;
  readonly #signal: AbortSignal | undefined;
  readonly #all: Member[] = [];
  readonly #idle: Member[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<Member, Waiting>();
  readonly #ids = new Map<Cassette, number>();
  readonly #stop: () => void;
  readonly #stopped = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  constructor(threads: number, signal: AbortSignal | undefined) {
    this.width = Math.min(threads, THREADS_MAX);
    this.#signal = signal;
    this.#stop = () => this.#fail(signal?.reason);
    signal?.addEventListener('abort', this.#stop);
  }

  async run(cassette: Cassette, job: RunJob): Promise<BaselineResult> {
    const answer = await this.#ask(cassette, { kind: 'run', job });
    if (answer.kind !== 'result') throw new Error(`a thread answered ${answer.kind}`);
    return answer.result;
  }

  async count(cassette: Cassette, jobs: readonly CountJob[]): Promise<readonly CountedRun[]> {
    const answer = await this.#ask(cassette, { kind: 'count', jobs });
    if (answer.kind !== 'counted') throw new Error(`a thread answered ${answer.kind}`);
    return answer.runs;
  }

  #ask(cassette: Cassette, work: Work): Promise<WorkerAnswer> {
    this.#signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ cassette, work, resolve, reject });
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const member = this.#idle.pop() ?? (this.#all.length < this.width ? this.#start() : undefined);
      if (member === undefined) return;
      const next = this.#waiting.shift()!;
      this.#running.set(member, next);
      const id = this.#ids.get(next.cassette) ?? this.#ids.size;
      this.#ids.set(next.cassette, id);
      const order = (message: WorkerOrder) => member.worker.postMessage(message);
      if (!member.known.has(id)) order({ kind: 'cassette', id, cassette: next.cassette });
      member.known.add(id);
      order({ ...next.work, cassetteId: id });
    }
  }

  #start(): Member {
    const extension = path.extname(fileURLToPath(import.meta.url));
    const worker = new Worker(new URL(`./run-worker${extension}`, import.meta.url), {
      workerData: this.#stopped.buffer,
    });
    const member: Member = { worker, known: new Set() };
    this.#all.push(member);
    worker.on('message', (answer: WorkerAnswer) => {
      const done = this.#running.get(member);
      this.#running.delete(member);
      this.#idle.push(member);
      if (answer.kind === 'failed') done?.reject(answer.error);
      else done?.resolve(answer);
      this.#dispatch();
    });
    worker.on('error', (error) => this.#fail(error));
    return member;
  }

  #fail(reason: unknown): void {
    Atomics.store(this.#stopped, 0, 1);
    for (const { reject } of [...this.#running.values(), ...this.#waiting.splice(0)]) reject(reason);
    this.#running.clear();
  }

  /** A run under way is waited for: the library of the database must not be torn down below it. */
  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#stop);
    await Promise.all(
      this.#all.map(({ worker }) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        worker.postMessage({ kind: 'close' } satisfies WorkerOrder);
        return ended;
      }),
    );
  }
}
