/** What is unusual about the bytes of a record: of its lines, and of what the product cut. */
import type { Envelope, RawLine, RecordFlag } from '../record.ts';

/** The flags with those of a further line. */
export function addFlags(flags: readonly RecordFlag[], line: RawLine): readonly RecordFlag[] {
  if (line.flags === undefined && line.truncated !== true) return flags;
  const added = line.truncated === true ? ['line-truncated' as const, ...(line.flags ?? [])] : (line.flags ?? []);
  return [...new Set([...flags, ...added])];
}

/** The members of a record; absent if nothing is unusual. */
export function finishFlags(
  flags: readonly RecordFlag[],
  isCut: boolean,
  envelope: Envelope | undefined,
): { flags?: readonly RecordFlag[]; envelope?: Envelope } {
  const all = isCut ? [...new Set([...flags, 'cut' as const])] : flags;
  if (all.length === 0 && envelope === undefined) return NOTHING;
  return { ...(all.length === 0 ? {} : { flags: all }), ...(envelope === undefined ? {} : { envelope }) };
}

const NOTHING = {};
