/** A worker thread: parses segments of files and posts packed rows. It never touches the database (see segments.ts). */
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort, type Transferable } from 'node:worker_threads';
import { LineSplitter, type RawLine, startsLikeRecord } from '../../parsers/index.ts';
import { Packer } from './packer.ts';
import { PartPacker, type UnparsedRow } from './part-packer.ts';
import { newBatch, type RecordBatch } from './record-batch.ts';
import type { SegmentRequest, SegmentResult, WorkerAnswer } from './segments.ts';

const READ_BYTES = 262_144;

const shapes = new Map();
let batches: RecordBatch[] = [];
const packer = new Packer(newBatch(), (batch) => {
  batches.push(batch);
  return newBatch();
});
const chunk = Buffer.alloc(READ_BYTES);

parentPort!.on('message', (request: SegmentRequest) => {
  let answer: WorkerAnswer;
  try {
    answer = { kind: 'segment', result: parseSegment(request) };
  } catch (error) {
    packer.clear();
    batches = [];
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    answer = { kind: 'error', number: request.number, message };
  }
  const moved: Transferable[] = [];
  if (answer.kind === 'segment') for (const batch of answer.result.batches) moved.push(batch.buffer, batch.arena);
  parentPort!.postMessage(answer, moved);
});

function parseSegment(request: SegmentRequest): SegmentResult {
  const { job, to, fileBytes } = request;
  const unparsed: UnparsedRow[] = [];
  const sink = new PartPacker(job, packer, shapes, (row) => unparsed.push(row));
  const parser = sink.parser!;
  const handle = openSync(request.path, 'r');
  try {
    const first = request.exact ? request.from : lineStartAt(handle, request.from, fileBytes);
    let start = request.exact ? first : -1;
    let lineBase = 0; // lines before the start
    let end = -1;
    let lines = 0;
    let last: RawLine | null = null;
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
        last = line;
      },
      { byteOffset: first, lineNo: 1 },
    );
    let position = first;
    while (end === -1 && position < fileBytes) {
      const length = readSync(handle, chunk, 0, Math.min(READ_BYTES, fileBytes - position), position);
      if (length === 0) break;
      position += length;
      splitter.push(chunk.subarray(0, length));
    }
    let reopen: SegmentResult['reopen'] = null;
    if (end === -1) {
      splitter.end();
      const held = parser.resumePoint();
      const lastLine = last as RawLine | null;
      reopen =
        held.byteOffset < position ? held : lastLine && { byteOffset: lastLine.byteOffset, lineNo: lastLine.lineNo };
      lines = (lastLine?.lineNo ?? lineBase) - lineBase;
      end = position;
      parser.end();
      if (start === -1) start = position;
    }
    packer.handOver();
    const taken = batches;
    batches = [];
    const { number } = request;
    const definitions = packer.dictionary.take();
    return { number, start, end, lines, lineBase, reopen, parts: sink.parts, batches: taken, definitions, unparsed };
  } finally {
    closeSync(handle);
  }
}

/** The first line start at or behind `from`. */
function lineStartAt(handle: number, from: number, fileBytes: number): number {
  let position = from - 1;
  while (position < fileBytes) {
    const length = readSync(handle, chunk, 0, READ_BYTES, position);
    if (length === 0) break;
    const at = chunk.subarray(0, length).indexOf(0x0a);
    if (at !== -1) return position + at + 1;
    position += length;
  }
  return fileBytes;
}
