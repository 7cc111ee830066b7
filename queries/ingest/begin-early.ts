/**
 * Threads at work while the database, a library of 60 MB, is not yet loaded. Nothing that takes long to load is imported here: the
 * threads load their grammars while this one loads its own.
 */
import { hashHex } from '../ids.ts';
import type { IngestOptions } from './examine.ts';
import { isLarge, type SegmentPool, startEarly } from './segments.ts';

/**
 * Threads, if a named file seems to be worth them, else null. If there is one such file they begin with it, as if nothing of it were
 * known. What is wrong with the inputs is left for the ingest to tell. The caller ends the threads.
 */
export async function beginEarly(options: IngestOptions): Promise<SegmentPool | null> {
  const pool = startEarly(options.paths, options.threads);
  const [path, ...others] = options.paths.filter(isLarge);
  if (pool !== null && path !== undefined && others.length === 0) await begin(pool, path, options).catch(() => {});
  return pool;
}

async function begin(pool: SegmentPool, path: string, options: IngestOptions): Promise<void> {
  const [{ isWorthThreads, jobOf }, { openInput, PREFIX_BYTES }] = await Promise.all([
    import('./examine.ts'),
    import('./input/open-input.ts'),
  ]);
  const input = await openInput({ path, named: true, once: false });
  await input.close();
  const job = jobOf(input, options, hashHex(input.head.subarray(0, PREFIX_BYTES)), options.product);
  if (job !== null && isWorthThreads(job, input.size, 0)) pool.begin(path, job, input.size!);
}
