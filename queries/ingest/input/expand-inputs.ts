/** From what a user names (files, folders, globs, pipes, `-`) to the files to be read. */
import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import { InputError } from '../../errors.ts';
import { readError } from './read-error.ts';
import { isRotationIndex } from './rotation.ts';

/** A folder deeper or fuller than this is refused rather than walked for ever. */
const MAX_DEPTH = 16;
const MAX_FILES = 100_000;

export interface InputFile {
  readonly path: string;
  /** Named by the user, not found in a folder or by a glob: then it must be a log. */
  readonly named: boolean;
  /** A pipe or standard input: it cannot be opened a second time. */
  readonly once: boolean;
}

export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

export interface ExpandedInputs {
  readonly files: readonly InputFile[];
  readonly skipped: readonly SkippedFile[];
}

interface Walk {
  readonly files: InputFile[];
  readonly skipped: SkippedFile[];
  readonly seenFiles: Map<string, string>; // identity -> path
  readonly folders: Set<string>; // identities
}

type Matcher = (relativePath: string) => boolean;

/** In the order named, folders in path order. Throws InputError `not-found`, `not-readable`, `too-many-files`, `too-deep`. */
export async function expandInputs(names: readonly string[]): Promise<ExpandedInputs> {
  const walk: Walk = { files: [], skipped: [], seenFiles: new Map(), folders: new Set() };
  for (const name of names) await expand(name, walk);
  return { files: walk.files, skipped: walk.skipped };
}

async function expand(name: string, walk: Walk): Promise<void> {
  if (name === '-') {
    if (!walk.files.some((file) => file.path === '-')) walk.files.push({ path: '-', named: true, once: true });
    return;
  }
  const info = await stat(name, { bigint: true }).catch((error) => error as NodeJS.ErrnoException);
  if (info instanceof Error) {
    const pattern = picomatch.scan(name);
    if (info.code !== 'ENOENT' || !pattern.isGlob) throw readError(name, info);
    await expandGlob(name, pattern.base, walk);
  } else if (info.isDirectory()) await walkFolder(name, info, 0, walk, null, name);
  else addFile(name, info, true, walk);
}

/** The shell passes a pattern on as it is if it is quoted, on Windows, or if nothing fits. */
async function expandGlob(pattern: string, base: string, walk: Walk): Promise<void> {
  const isMatch = picomatch(pattern, { windows: process.platform === 'win32' });
  const folder = base === '' ? '.' : base;
  const info = await stat(folder, { bigint: true }).catch(() => null);
  const before = walk.files.length + walk.skipped.length;
  if (info?.isDirectory()) await walkFolder(folder, info, 0, { ...walk, folders: new Set() }, isMatch, folder);
  if (walk.files.length + walk.skipped.length === before)
    throw new InputError('not-found', `No file matches ${pattern}.`, { file: pattern, hint: 'Check the pattern.' });
}

/** `matcher` null: all files. A folder that matches brings all its files. */
async function walkFolder(
  folder: string,
  info: BigIntStats,
  depth: number,
  walk: Walk,
  matcher: Matcher | null,
  root: string,
): Promise<void> {
  if (depth > MAX_DEPTH)
    throw new InputError('too-deep', `${folder} is nested deeper than ${MAX_DEPTH} folders.`, {
      file: folder,
      hint: 'Name the folder with the logs itself.',
    });
  // A link can lead back to a folder above.
  if (walk.folders.has(identityOf(info, folder))) return;
  walk.folders.add(identityOf(info, folder));
  const entries = await readdir(folder).catch((error) => {
    if (depth === 0) throw readError(folder, error);
    walk.skipped.push({ path: folder, reason: readError(folder, error).message });
    return [];
  });
  for (const entry of entries.sort()) {
    const file = path.join(folder, entry);
    const found = await stat(file, { bigint: true }).catch(() => null);
    const matches = matcher === null || matcher(file);
    if (found === null) {
      if (matches) walk.skipped.push({ path: file, reason: 'a link to nothing, or not accessible' });
    } else if (found.isDirectory()) await walkFolder(file, found, depth + 1, walk, matches ? null : matcher, root);
    else if (matches) addFile(file, found, false, walk);
    if (walk.files.length + walk.skipped.length > MAX_FILES)
      throw new InputError('too-many-files', `${root} holds more than ${MAX_FILES} files.`, {
        file: root,
        hint: 'Name the folder with the logs itself.',
      });
  }
}

function addFile(file: string, info: BigIntStats, named: boolean, walk: Walk): void {
  const { files, skipped, seenFiles } = walk;
  // Shells expand `emqx.log.*` to them too: to be named is no reason to read them.
  if (isRotationIndex(file)) {
    skipped.push({ path: file, reason: 'the index of a rotated log' });
    return;
  }
  if (!info.isFile()) {
    const once = info.isFIFO() || info.isCharacterDevice();
    if (named && once) files.push({ path: file, named, once });
    else if (named)
      throw new InputError('not-readable', `${file} is no file.`, { file, hint: 'Name a file, a folder or a pipe.' });
    else
      skipped.push({ path: file, reason: info.isFIFO() ? 'a named pipe' : info.isSocket() ? 'a socket' : 'a device' });
    return;
  }
  const identity = identityOf(info, file);
  const known = seenFiles.get(identity);
  if (known === undefined) {
    seenFiles.set(identity, file);
    files.push({ path: file, named, once: false });
  } else if (path.resolve(known) !== path.resolve(file))
    skipped.push({ path: file, reason: `the same file as ${known}` });
}

/** Some file systems number nothing. */
function identityOf(info: BigIntStats, file: string): string {
  return info.ino === 0n ? path.resolve(file) : `${info.dev}:${info.ino}`;
}
