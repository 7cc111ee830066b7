/** Reads a cassette file. */
import { readFile, stat } from 'node:fs/promises';
import { InputError } from '../../queries/index.ts';
import { type Cassette, parseCassette } from '../../replay/index.ts';

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
