/** A stream's parts into packed rows: gives each part its source id, keeps its counts, and leaves out what is not wanted. */
import {
  createStreamParser,
  type LogRecord,
  type Product,
  type SlottedRecord,
  type StreamDetection,
  type StreamParser,
  type StreamPart,
  type StreamSink,
  type UnparsedLine,
} from '../../parsers/index.ts';
import { hash64 } from '../ids.ts';
import type { Packer } from './packer.ts';
import { newStats, type PartStats, seeTime } from './part-stats.ts';

/** What identifies a file and says what to take of it; plain data, so that it can be sent to a worker. */
export interface StreamJob {
  readonly found: StreamDetection;
  readonly prefixHash: string;
  readonly runId: string;
  readonly product: Product | undefined;
  /** Name of the node that wrote the logs; undefined: told by the collector or by the product's name. */
  readonly node: string | undefined;
  /** Stamps wanted, µs, and what to take off stamps without a zone before they are compared. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly zoneOffsetUs: number;
}

export interface PackedPart {
  readonly sourceId: bigint;
  readonly endpointId: bigint;
  readonly node: string;
  readonly nodeKnownBy: string;
  readonly part: StreamPart;
  readonly stats: PartStats;
}

export interface UnparsedRow {
  readonly sourceId: bigint;
  readonly line: UnparsedLine;
}

export class PartPacker implements StreamSink {
  readonly parts: PackedPart[] = [];
  readonly shapes: StreamSink['shapes'];
  readonly parser: StreamParser;
  private readonly job: StreamJob;
  private readonly packer: Packer;
  private readonly onUnparsed: (row: UnparsedRow) => void;
  private readonly isFiltered: boolean;
  private current = -1; // index of the part whose rows the packer is set to

  constructor(job: StreamJob, packer: Packer, shapes: StreamSink['shapes'], onUnparsed: (row: UnparsedRow) => void) {
    this.job = job;
    this.packer = packer;
    this.shapes = shapes;
    this.onUnparsed = onUnparsed;
    this.isFiltered = job.since !== undefined || job.until !== undefined;
    this.parser = createStreamParser(job.found, this, job.product === undefined ? {} : { product: job.product });
  }

  part(_index: number, part: StreamPart): void {
    const { runId, prefixHash } = this.job;
    const { product, layout } = part.detection;
    const node = this.job.node ?? (part.label === '' ? product : part.label);
    const nodeKnownBy = this.job.node !== undefined ? '--node' : part.label === '' ? 'default' : 'collector';
    const endpointId = hash64(runId, product, node);
    const sourceId = hash64(endpointId.toString(), layout, prefixHash, part.key);
    this.parts.push({ sourceId, endpointId, node, nodeKnownBy, part, stats: newStats() });
  }

  slotted(index: number, record: SlottedRecord): void {
    const { stats } = this.parts[index]!;
    if (this.isFiltered && !this.isWanted(record.ts, record.shape.tsPrecisionUs)) {
      stats.skipped += 1;
      return;
    }
    this.setPart(index);
    this.packer.slotted(record);
    stats.records += 1;
    if (record.hasBlank) stats.continuations += 1;
    seeTime(stats, record.ts);
  }

  record(index: number, record: LogRecord): void {
    const { stats } = this.parts[index]!;
    if (this.isFiltered && record.ts !== null && !this.isWanted(record.ts, record.tsPrecisionUs)) {
      stats.skipped += 1;
      return;
    }
    this.setPart(index);
    this.packer.record(record);
    stats.records += 1;
    stats.continuations += record.continuations;
    if (record.ts !== null) seeTime(stats, record.ts);
  }

  unparsed(index: number, line: UnparsedLine): void {
    const { sourceId, stats } = this.parts[index]!;
    stats.unparsed += 1;
    this.onUnparsed({ sourceId, line });
  }

  private setPart(index: number): void {
    if (index === this.current) return;
    this.current = index;
    this.packer.setSource(this.parts[index]!.sourceId);
  }

  /** NanoMQ's stamps have no zone; they are known by their precision. */
  private isWanted(ts: number, precisionUs: number): boolean {
    const { since, until, zoneOffsetUs } = this.job;
    const at = precisionUs === ZONELESS_PRECISION_US ? ts - zoneOffsetUs : ts;
    return (since === undefined || at + precisionUs > since) && (until === undefined || at < until);
  }
}

const ZONELESS_PRECISION_US = 1_000_000;
