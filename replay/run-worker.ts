/** A thread that makes runs, each judged in an in-memory database of its own; no file is opened here. */
import { parentPort, workerData } from 'node:worker_threads';
import { Database } from '../queries/index.ts';
import type { Cassette } from './cassette.ts';
import { type CountedRun, type CountJob, countRun } from './counted-run.ts';
import { type BaselineResult, type RunJob, runJob } from './run-job.ts';

export type WorkerOrder =
  | { readonly kind: 'cassette'; readonly id: number; readonly cassette: Cassette }
  | { readonly kind: 'run'; readonly cassetteId: number; readonly job: RunJob }
  | { readonly kind: 'count'; readonly cassetteId: number; readonly jobs: readonly CountJob[] }
  | { readonly kind: 'close' };

export type WorkerAnswer =
  | { readonly kind: 'result'; readonly result: BaselineResult }
  | { readonly kind: 'counted'; readonly runs: readonly CountedRun[] }
  | { readonly kind: 'failed'; readonly error: unknown };

const port = parentPort!;
/** Not 0: whoever asked has gone. */
const stop = new Int32Array(workerData as SharedArrayBuffer);
const interrupted = () => Atomics.load(stop, 0) !== 0;
const cassettes = new Map<number, Cassette>();
let database: Database | null = null;
/** One order after the other: a database must not be closed below a run. */
let last: Promise<void> = Promise.resolve();

port.on('message', (order: WorkerOrder) => {
  last = last.then(() => obey(order));
});

async function obey(order: WorkerOrder): Promise<void> {
  if (order.kind === 'cassette') cassettes.set(order.id, order.cassette);
  else if (order.kind === 'close') {
    database?.close();
    port.close();
  } else {
    try {
      const cassette = cassettes.get(order.cassetteId)!;
      if (order.kind === 'count') {
        const runs = order.jobs.map((job) => {
          if (interrupted()) throw new Error('interrupted');
          return countRun(cassette, job);
        });
        port.postMessage({ kind: 'counted', runs } satisfies WorkerAnswer);
        return;
      }
      database ??= await Database.open(':memory:', 'write');
      const result = await runJob(database, cassette, order.job, { interrupted });
      port.postMessage({ kind: 'result', result } satisfies WorkerAnswer);
    } catch (error) {
      port.postMessage({ kind: 'failed', error } satisfies WorkerAnswer);
    }
  }
}
