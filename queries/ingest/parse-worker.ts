/** A worker thread: parses segments of files and posts packed rows. It never touches the database (see segments.ts). */
import { parentPort, type Transferable } from 'node:worker_threads';
import { buffersOf } from './record-batch.ts';
import type { SegmentRequest, WorkerAnswer } from './segment.ts';
import { SegmentParser } from './segment-parser.ts';

const parser = new SegmentParser();

parentPort!.on('message', (request: SegmentRequest) => {
  let answer: WorkerAnswer;
  const moved: Transferable[] = [];
  try {
    const result = parser.parse(request);
    answer = { kind: 'segment', result };
    for (const batch of result.batches) moved.push(...buffersOf(batch));
  } catch (error) {
    answer = { kind: 'error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort!.postMessage(answer, moved);
});
