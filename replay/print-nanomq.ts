/** A simulated run as the log that NanoMQ would have written (file layout: whole seconds, no zone). */
import type { Severity, SimRecord } from '../engine/index.ts';
import { renderNanomqStatement } from '../parsers/index.ts';

export interface PrintOptions {
  /** NanoMQ release; it picks the wording. */
  readonly release: string;
  /** µs since the epoch at the start of the run. */
  readonly start: number;
}

const LEVELS: Readonly<Record<Severity, string>> = {
  fatal: 'FATAL',
  error: 'ERROR',
  warn: 'WARN ',
  info: 'INFO ',
  debug: 'DEBUG',
  trace: 'TRACE',
};
/** The machine has no threads and no source lines. */
const THREAD = 1;
const SOURCE_LINE = 1;

/** One log line without its line end; null for records of the broker and for events that NanoMQ's catalogue does not have. */
export function printNanomqLine(record: SimRecord, { release, start }: PrintOptions): string | null {
  if (record.endpoint !== 'bridge') return null;
  const statement = renderNanomqStatement(record.event, record.fields ?? {}, release);
  if (statement === null || statement.file === null) return null;
  const stamp = new Date(Math.floor((start + record.at) / 1000)).toISOString().slice(0, 19).replace('T', ' ');
  return `${stamp} [${THREAD}] ${LEVELS[record.severity]} ${statement.file}:${SOURCE_LINE}: ${statement.message}`;
}
