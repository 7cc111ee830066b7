/**
 * From the paths a user names to streams of decompressed bytes.
 *
 * Gzip is told by its magic bytes, not by the file's name. A file that cannot be read is an InputError that names it.
 */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { InputError } from '../errors.ts';

/** What is read ahead to tell the layout; the first 64 KiB of it identify the source. */
export const HEAD_BYTES = 262_144;
export const PREFIX_BYTES = 65_536;
/** A folder deeper or fuller than this is refused rather than walked for ever. */
const MAX_DEPTH = 16;
const MAX_FILES = 100_000;

export interface InputFile {
  readonly path: string;
  /** Named by the user, not found in a folder: then it must be a log. */
  readonly named: boolean;
}

/** Files and folders → files, in path order. Throws InputError `not-found`, `not-readable`, `too-many-files`. */
export async function expandPaths(paths: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const name of paths) {
    const info = await stat(name).catch((error) => {
      throw readError(name, error);
    });
    if (info.isDirectory()) await walk(name, 0, files);
    else files.push({ path: name, named: true });
  }
  const seen = new Set<string>();
  return files.filter((file) => !seen.has(path.resolve(file.path)) && seen.add(path.resolve(file.path)));
}

async function walk(folder: string, depth: number, files: InputFile[]): Promise<void> {
  if (depth > MAX_DEPTH)
    throw new InputError('too-deep', `${folder} is nested deeper than ${MAX_DEPTH} folders.`, {
      file: folder,
      hint: 'Name the folder with the logs itself.',
    });
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw readError(folder, error);
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) await walk(file, depth + 1, files);
    else if (entry.isFile()) files.push({ path: file, named: false });
    if (files.length > MAX_FILES)
      throw new InputError('too-many-files', `${folder} holds more than ${MAX_FILES} files.`, {
        file: folder,
        hint: 'Name the folder with the logs itself.',
      });
  }
}

export async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch((error) => {
    throw readError(file, error);
  });
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

/** Decompressed bytes from `start` on. Errors of the file or the gzip stream arrive as InputError. */
export async function* readBytes(file: string, gzip: boolean, start = 0): AsyncGenerator<Buffer> {
  const raw = createReadStream(file, { start: gzip ? 0 : start, highWaterMark: 1_048_576 });
  try {
    if (!gzip) {
      for await (const chunk of raw) yield chunk as Buffer;
      return;
    }
    const gunzip = createGunzip({ chunkSize: 262_144 });
    raw.on('error', (error) => gunzip.destroy(error));
    raw.pipe(gunzip);
    let position = 0;
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      const from = Math.max(0, start - position);
      position += chunk.length;
      if (from < chunk.length) yield from === 0 ? chunk : chunk.subarray(from);
    }
  } catch (error) {
    throw readError(file, error);
  } finally {
    raw.destroy();
  }
}

/** The first HEAD_BYTES of the decompressed file (fewer if it is shorter or the stream breaks off after some). */
export async function readHead(file: string, gzip: boolean): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of readBytes(file, gzip)) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= HEAD_BYTES) break;
    }
  } catch (error) {
    if (length === 0) throw error;
  }
  return Buffer.concat(chunks).subarray(0, HEAD_BYTES);
}

function readError(file: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOENT')
    return new InputError('not-found', `There is no file or folder ${file}.`, { file, hint: 'Check the path.' });
  if (code === 'EACCES' || code === 'EPERM')
    return new InputError('not-readable', `${file} may not be read.`, { file, hint: 'Check its permissions.' });
  if (code === 'Z_BUF_ERROR')
    return new InputError('gzip-cut', `${file} is a gzip file that breaks off before its end.`, {
      file,
      hint: 'Copy it again; what could be read was kept.',
    });
  if (code.startsWith('Z_'))
    return new InputError('gzip-broken', `${file} is not a readable gzip file (${(error as Error).message}).`, {
      file,
      hint: 'Test it with gzip -t, copy it again.',
    });
  return new InputError('not-readable', `${file} cannot be read: ${(error as Error).message}`, {
    file,
    hint: 'Check the file and the disk.',
  });
}
