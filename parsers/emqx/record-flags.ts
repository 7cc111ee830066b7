/** What is unusual about the bytes of a record: of its lines, and of what the product cut. */
import type { Envelope, LogRecord, RawLine, RecordFlag } from '../record.ts';

export const NO_FLAGS: readonly RecordFlag[] = [];

/** The flags with those of a further line. */
export function addFlags(flags: readonly RecordFlag[], line: RawLine): readonly RecordFlag[] {
  if (line.flags === undefined && line.truncated !== true) return flags;
  const added = line.truncated === true ? ['line-truncated' as const, ...(line.flags ?? [])] : (line.flags ?? []);
  return [...new Set([...flags, ...added])];
}

/** The record with what is unusual about it; itself if nothing is, as for nearly all. */
export function withFlags(
  record: LogRecord,
  flags: readonly RecordFlag[],
  isCut: boolean,
  envelope: Envelope | undefined,
): LogRecord {
  const all = isCut ? [...flags, 'cut' as const] : flags;
  if (all.length === 0 && envelope === undefined) return record;
  return {
    ...record,
    ...(all.length === 0 ? {} : { flags: [...new Set(all)] }),
    ...(envelope === undefined ? {} : { envelope }),
  };
}
