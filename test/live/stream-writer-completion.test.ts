import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SEND_BUFFER_BYTES, StreamWriter } from '../../engine/live/stream-writer.ts';

const takeAll = (bytes: Uint8Array): number => bytes.length;

describe('stream writer', () => {
  it('completes a write at once while less than the send buffer is unacknowledged, and the next when it falls below', () => {
    const writer = new StreamWriter();
    const completed: string[] = [];
    const complete = (): void => {
      for (const onTaken of writer.takeCompleted()) onTaken(0);
    };
    writer.write(new Uint8Array(SEND_BUFFER_BYTES), () => completed.push('first'));
    writer.write(new Uint8Array(1), () => completed.push('second'));
    writer.flush(takeAll, 0);
    complete();
    assert.deepEqual(completed, ['first']);
    writer.noteAnswer(100, 10);
    complete();
    assert.deepEqual(completed, ['first', 'second']);
  });

  it('takes an answer that comes before half a round trip for that of something earlier, until nothing is owed', () => {
    const writer = new StreamWriter();
    writer.write(new Uint8Array(SEND_BUFFER_BYTES + 1), () => {});
    writer.flush(takeAll, 100);
    writer.noteAnswer(104, 10);
    assert.equal(writer.takeCompleted().length, 0);
    assert.equal(writer.isWaiting, true);
    writer.noteAllAnswered();
    assert.equal(writer.takeCompleted().length, 1);
    assert.equal(writer.isWaiting, false);
  });
});
