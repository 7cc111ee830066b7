/** What is asked of a parsing thread and what it answers: plain data, sent between threads. */
import type { Definitions } from './dictionary.ts';
import type { PackedPart, StreamJob, UnparsedRow } from './part-packer.ts';
import type { RecordBatch } from './record-batch.ts';

export interface SegmentRequest {
  readonly number: number;
  readonly path: string;
  readonly job: StreamJob;
  readonly from: number;
  readonly to: number;
  readonly fileBytes: number;
  /** `from` is where a record starts, not just anywhere. */
  readonly exact: boolean;
  /** Batches whose rows are stored, to be filled again. */
  spare: RecordBatch[];
}

export interface SegmentResult {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  /** Lines from start to end. */
  readonly lines: number;
  /** Lines read before the start: line numbers below count from there. */
  readonly lineBase: number;
  /** Where a reader starts again if the file grows; of the last segment only. Its line counts like those of the rows. */
  readonly reopen: { readonly byteOffset: number; readonly lineNo: number } | null;
  readonly parts: readonly PackedPart[];
  readonly batches: readonly RecordBatch[];
  readonly definitions: Definitions;
  readonly unparsed: readonly UnparsedRow[];
}

export type WorkerAnswer =
  | { readonly kind: 'segment'; readonly result: SegmentResult }
  | { readonly kind: 'error'; readonly message: string };
