/**
 * Inputs looked at and threads at work, while the database, a library of 60 MB, is not yet loaded. Nothing that takes long to load
 * is imported here: the threads load their grammars while this one loads its own.
 */
import { hashHex } from '../ids.ts';
import type { Candidate, Examined, IngestOptions } from './examine.ts';
import { MIN_PARALLEL_BYTES, type SegmentPool, startEarly } from './segments.ts';

export interface Prepared extends Examined {
  /** Null if no file is worth threads. */
  readonly pool: SegmentPool | null;
  close(): Promise<void>;
}

/** Looks at the inputs and has threads begin with the first large one, as if nothing of it were known. Errors as of `examine`. */
export async function prepare(options: IngestOptions): Promise<Prepared> {
  const pool = startEarly(options.paths, options.threads);
  try {
    const { examine } = await import('./examine.ts');
    const examined = await examine(options);
    if (pool !== null) await begin(pool, examined.candidates, options);
    return { ...examined, pool, close: async () => await pool?.close() };
  } catch (error) {
    await pool?.close();
    throw error;
  }
}

async function begin(pool: SegmentPool, candidates: readonly Candidate[], options: IngestOptions): Promise<void> {
  const [{ isWorthThreads, jobOf }, { openInput, PREFIX_BYTES }] = await Promise.all([
    import('./examine.ts'),
    import('./input/open-input.ts'),
  ]);
  for (const { file, path, opened, size } of candidates) {
    if (opened !== null || size === null || size < MIN_PARALLEL_BYTES) continue;
    const input = await openInput(file);
    const job = jobOf(input, options, hashHex(input.head.subarray(0, PREFIX_BYTES)), options.product);
    await input.close();
    if (!isWorthThreads(job, size, 0)) continue;
    pool.begin(path, job, size);
    return;
  }
}
