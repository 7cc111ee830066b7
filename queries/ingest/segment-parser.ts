/** Reads one segment of a file into packed rows: what worker threads do, and the writing thread while it has nothing to write. */
import { closeSync, openSync, readSync } from 'node:fs';
import { LineSplitter, type ShapeStore, startsLikeRecord } from '../../parsers/index.ts';
import { Packer } from './packer.ts';
import { PartPacker, type UnparsedRow } from './part-packer.ts';
import { emptyBatch, newBatch, type RecordBatch } from './record-batch.ts';
import type { SegmentRequest, SegmentResult } from './segment.ts';

const READ_BYTES = 262_144;
const TAIL_BYTES = 8_192;

export class SegmentParser {
  private readonly shapes: ShapeStore = new Map();
  private readonly chunk = Buffer.alloc(READ_BYTES);
  private readonly packer: Packer;
  private batches: RecordBatch[] = [];
  private spare: RecordBatch[] = [];

  constructor() {
    this.packer = new Packer(newBatch(), (batch) => {
      this.batches.push(batch);
      const used = this.spare.pop();
      return used === undefined ? newBatch() : emptyBatch(used);
    });
  }

  /** Throws what reading throws; then nothing of the segment is left here. */
  parse(request: SegmentRequest): SegmentResult {
    this.spare = request.spare;
    try {
      return this.read(request);
    } catch (error) {
      this.packer.clear();
      this.batches = [];
      throw error;
    }
  }

  private read(request: SegmentRequest): SegmentResult {
    const { packer, chunk } = this;
    const { job, to, fileBytes } = request;
    const unparsed: UnparsedRow[] = [];
    const sink = new PartPacker(job, packer, this.shapes, (row) => unparsed.push(row));
    const { parser } = sink;
    const handle = openSync(request.path, 'r');
    try {
      const first = request.exact ? request.from : this.lineStartAt(handle, request.from, fileBytes);
      let start = request.exact ? first : -1;
      let lineBase = 0; // lines before the start
      let end = -1;
      let lines = 0;
      const { layout } = parser.detection;
      const splitter = new LineSplitter(
        (line) => {
          if (end !== -1) return;
          if (start === -1) {
            if (line.byteOffset >= to) {
              // No record starts in the segment. If that is wrong, the reader of the results asks for the exact place.
              start = line.byteOffset;
              end = start;
              return;
            }
            if (!startsLikeRecord(line.text, layout)) return;
            start = line.byteOffset;
            lineBase = line.lineNo - 1;
          }
          if (line.byteOffset >= to) {
            const held = parser.resumePoint();
            // Everything that starts before `to` is finished.
            if (held.byteOffset >= to) {
              end = held.byteOffset;
              lines = held.lineNo - 1 - lineBase;
              return;
            }
          }
          parser.line(line);
        },
        { byteOffset: first, lineNo: 1 },
        {
          // Where the segment starts and ends is decided on the text.
          take: (bytes, from, byteOffset, lineNo) =>
            start === -1 || byteOffset >= to ? 0 : parser.take(bytes, from, byteOffset, lineNo),
          keep: () => parser.keep(),
        },
      );
      let position = first;
      while (end === -1 && position < fileBytes) {
        // Behind the segment only a few more lines are needed, as a rule.
        const wanted = position < to ? Math.min(READ_BYTES, to - position) : Math.min(TAIL_BYTES, fileBytes - position);
        const length = readSync(handle, chunk, 0, wanted, position);
        if (length === 0) break;
        position += length;
        splitter.push(chunk.subarray(0, length));
      }
      let reopen: SegmentResult['reopen'] = null;
      if (end === -1) {
        splitter.end();
        const held = parser.resumePoint();
        const { byteOffset, lineNo } = splitter.last;
        if (held.byteOffset < position) reopen = held;
        else if (start !== -1) reopen = { byteOffset, lineNo };
        lines = start === -1 ? 0 : lineNo - lineBase;
        end = position;
        parser.end();
        if (start === -1) start = position;
      }
      packer.handOver();
      const { batches } = this;
      this.batches = [];
      const { number } = request;
      const definitions = packer.dictionary.take();
      return { number, start, end, lines, lineBase, reopen, parts: sink.parts, batches, definitions, unparsed };
    } finally {
      closeSync(handle);
    }
  }

  /** The first line start at or behind `from`. */
  private lineStartAt(handle: number, from: number, fileBytes: number): number {
    let position = from - 1;
    while (position < fileBytes) {
      const length = readSync(handle, this.chunk, 0, READ_BYTES, position);
      if (length === 0) break;
      const at = this.chunk.subarray(0, length).indexOf(0x0a);
      if (at !== -1) return position + at + 1;
      position += length;
    }
    return fileBytes;
  }
}
