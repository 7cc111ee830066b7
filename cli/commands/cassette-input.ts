/** What the commands that run cassettes are given: the file, and how many threads. */
import { readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { InputError } from '../../queries/index.ts';
import { type Cassette, parseCassette, THREADS_MAX } from '../../replay/index.ts';
import { parseCount } from './common.ts';

/** A cassette is held in memory as a whole. */
const MAX_BYTES = 1_073_741_824;

export async function readCassette(file: string): Promise<Cassette> {
  const info = await stat(file).catch(() => null);
  if (info === null)
    throw new InputError('not-found', `There is no cassette ${file}.`, {
      file,
      hint: 'Make one: bridgetrace rebuild -o FILE.',
    });
  if (!info.isFile())
    throw new InputError('not-a-file', `${file} is not a file.`, { file, hint: 'Name the cassette itself.' });
  if (info.size > MAX_BYTES)
    throw new InputError('too-large', `${file} is larger than ${MAX_BYTES} bytes.`, {
      file,
      hint: 'Cut the incident with bridgetrace rebuild --from and --to.',
    });
  return parseCassette(await readFile(file, 'utf8'), file);
}

/** Threads that make runs: --threads, else one a core. */
export function parseThreads(text: string | undefined): number {
  return text === undefined
    ? Math.min(availableParallelism(), THREADS_MAX)
    : parseCount('--threads', text, 0, THREADS_MAX);
}
