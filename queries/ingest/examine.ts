/** What of the inputs is known before they are read: which of them are logs, and what the threads that read one are told. */
import { detectStream, LineSplitter, MAX_WRAPPED_DETECT_LINES, type Product, refusalOf } from '../../parsers/index.ts';
import { zoneOffsetUs } from '../derive/zone.ts';
import { InputError } from '../errors.ts';
import { expandInputs, type InputFile } from './input/expand-inputs.ts';
import { nonLogOf } from './input/magic.ts';
import { type OpenInput, openInput } from './input/open-input.ts';
import { firstStamp, orderRotated } from './input/rotation.ts';
import type { StreamJob } from './part-packer.ts';
import { MIN_PARALLEL_BYTES } from './segments.ts';

/** The run that the ingested logs are. */
export const OBSERVED = 'observed';

export interface IngestOptions {
  readonly paths: readonly string[];
  readonly product?: 'nanomq' | 'emqx';
  readonly node?: string;
  /** Zone of stamps without one, IANA name or ±HH:MM; overrides the estimate. */
  readonly zone?: string;
  /** Only records of this time are stored, µs: from `since` on, before `until`. Stamps without a zone are read in `zone`, else UTC. */
  readonly since?: number;
  readonly until?: number;
  /** Threads that parse large plain files; 0: none but this one. Default: one a core, at most 16. */
  readonly threads?: number;
  /** Input between two commits, bytes; for tests. */
  readonly commitBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: IngestProgress) => void;
}

export interface IngestProgress {
  readonly path: string;
  /** Of all files. The total is null if a compressed file is among them. */
  readonly bytesDone: number;
  readonly bytesTotal: number | null;
  readonly records: number;
}

export interface Candidate {
  readonly path: string;
  readonly file: InputFile;
  /** Of a pipe, which cannot be opened again; files are. */
  readonly opened: OpenInput | null;
  readonly size: number | null; // bytes of the stream, null if only reading it would tell
  readonly firstTs: number | null;
  readonly rotationSet: string | null;
}

export interface Examined {
  /** The logs, in the order in which they are read. */
  readonly candidates: readonly Candidate[];
  /** Files in named folders that are not logs. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Reads the head of every file before anything is written, so that a wrong path costs nothing. Throws InputError if a named file
 * is missing, unreadable or no log, or a folder holds no log; UsageError if the zone is none.
 */
export async function examine(options: IngestOptions): Promise<Examined> {
  if (options.zone !== undefined) zoneOffsetUs(options.zone, 0); // a name that is no zone must cost nothing
  const { files, skipped: passed } = await expandInputs(options.paths);
  const skipped = [...passed]; // what is no log comes to it
  const found: Omit<Candidate, 'rotationSet'>[] = [];
  for (const file of files) {
    const input = await openInput(file).catch((error) => {
      if (file.named || !(error instanceof InputError)) throw error;
      skipped.push({ path: file.path, reason: error.message });
      return null;
    });
    if (input === null) continue;
    const reason = refusal(input.head, options.product);
    if (reason === null) {
      const firstTs = firstStamp(input.head, options.product, input.modifiedUs);
      found.push({ path: file.path, file, opened: file.once ? input : null, size: input.size, firstTs });
      continue;
    }
    await input.close();
    if (file.named) {
      const wanted = options.product ?? 'NanoMQ or EMQX';
      throw new InputError('not-a-log', `${file.path} is not a log of ${wanted} (${reason}).`, {
        file: file.path,
        hint: 'Known: NanoMQ file, console and syslog logs; EMQX text, JSON and trace logs; also packed with gzip or zstd, or as docker, compose, Kubernetes, journald or syslog wrote them.',
      });
    }
    skipped.push({ path: file.path, reason });
  }
  if (found.length === 0) {
    throw new InputError('no-logs', `No log of NanoMQ or EMQX in ${options.paths.join(', ')}.`, {
      file: options.paths[0],
      hint:
        skipped.length > 0
          ? `${skipped.length} files were looked at, for example ${skipped[0]?.path} (${skipped[0]?.reason}).`
          : 'The folder is empty.',
    });
  }
  return { candidates: orderRotated(found), skipped };
}

/** Why a file is no log, null if it is one. */
function refusal(head: Buffer, product: IngestOptions['product']): string | null {
  if (head.length === 0) return 'empty';
  const kind = nonLogOf(head);
  if (kind !== null) return kind;
  const lines = headLines(head);
  return detectStream(lines, product) === null ? refusalOf(lines, product) : null;
}

function headLines(head: Buffer): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => {
    if (lines.length < MAX_WRAPPED_DETECT_LINES) lines.push(line.text);
  });
  splitter.push(head);
  splitter.end();
  return lines;
}

/** What all threads that read a stream are told, null if it is no log. Product: what the database has of it so far was taken for. */
export function jobOf(
  input: OpenInput,
  options: IngestOptions,
  prefixHash: string,
  product: Product | undefined,
): StreamJob | null {
  const found = detectStream(headLines(input.head), product, input.modifiedUs);
  if (found === null) return null;
  return {
    found,
    prefixHash,
    runId: OBSERVED,
    product,
    node: options.node,
    since: options.since,
    until: options.until,
    zoneOffsetUs: options.zone === undefined ? 0 : zoneOffsetUs(options.zone, options.since ?? options.until ?? 0),
  };
}

/** Whether what is left of a stream is read faster by several threads. A wrapped or packed one cannot be cut. */
export function isWorthThreads(job: StreamJob, size: number | null, from: number): boolean {
  return size !== null && job.found.wrapper === null && size - from >= MIN_PARALLEL_BYTES;
}
