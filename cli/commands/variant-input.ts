/** The changes that `verify` and `sweep` try: from the command line, from a nanomq.conf, from a file with one a line. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { InputError, UsageError } from '../../queries/index.ts';
import { confOf } from '../../queries/lint/index.ts';
import { parseVariant, type Variant } from '../../replay/index.ts';
import { chooseBridge, readSettings } from './conf-files.ts';

/** A file of variants with more lines than this is a mistake. */
const VARIANTS_MAX = 1000;

export type VariantFlags = {
  readonly fix: readonly string[];
  readonly conf: readonly string[];
  readonly name?: string | undefined;
  readonly variants?: string | undefined;
};

export function readVariants(flags: VariantFlags, cwd: string): Variant[] {
  const variants = [...flags.fix.map(parseVariant), ...fromFile(flags.variants)];
  for (const file of flags.conf) variants.push(confVariant(file, flags.name, cwd));
  if (variants.length > 0) return variants;
  throw new UsageError('no-fix', 'There is no fix to verify.', {
    hint: 'Add one: --fix nanomq=0.23.10, --conf new.conf or --variants FILE.',
  });
}

/** The bridge of a nanomq.conf as a variant. `name` chooses one of several bridges. */
export function confVariant(file: string, name: string | undefined, cwd: string): Variant {
  const conf = readSettings(file, cwd);
  return { name: path.basename(file), changes: [], conf: confOf(chooseBridge(conf, file, name), conf) };
}

/** One variant a line, as after --fix; blank lines and lines that begin with # do not count. */
function fromFile(file: string | undefined): Variant[] {
  if (file === undefined) return [];
  const lines = read(file).split('\n');
  if (lines.length > VARIANTS_MAX)
    throw new InputError('too-large', `${file} has more than ${VARIANTS_MAX} lines.`, { file });
  return lines.flatMap((text, index) => {
    const change = text.trim();
    if (change === '' || change.startsWith('#')) return [];
    try {
      return [parseVariant(change)];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new InputError(error.code, error.message, {
        file,
        line: index + 1,
        excerpt: text,
        ...(error.hint === null ? {} : { hint: error.hint }),
      });
    }
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new InputError('not-found', `There is no file ${file} with variants.`, {
      file,
      hint: 'Write one change a line, as after --fix.',
    });
  }
}
