import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fifo } from '../../engine/live/fifo.ts';
import { StreamWriter } from '../../engine/live/stream-writer.ts';
import { createRng } from '../../engine/rng.ts';

describe('writes of a stream', () => {
  it('come out byte for byte however much the library takes at a time, and few writes make few calls', () => {
    const rng = createRng(7, 'writes');
    const writer = new StreamWriter();
    const expected: number[] = [];
    const taken: number[] = [];
    let completed = 0;
    let fins = 0;
    for (let index = 0; index < 2_000; index++) {
      const bytes = Buffer.alloc(rng.int(0, 40), index);
      expected.push(...bytes);
      writer.write(bytes, () => completed++);
    }
    writer.write(Buffer.alloc(100_000, 1), () => completed++);
    expected.push(...Buffer.alloc(100_000, 1));
    writer.finish();
    const take = (bytes: Uint8Array, fin: boolean): number => {
      if (fin) fins++;
      const length = Math.min(bytes.length, rng.int(0, 5_000));
      for (const byte of bytes.subarray(0, length)) taken.push(byte);
      return length;
    };
    for (let turn = 0; fins === 0 && turn < 1_000; turn++) {
      writer.flush(take, turn);
      writer.noteAnswer(turn, 0);
      for (const onTaken of writer.takeCompleted()) onTaken(0);
    }
    assert.deepEqual(Buffer.from(taken), Buffer.from(expected));
    assert.deepEqual([completed, fins, writer.pendingBytes], [2_001, 1, 0]);
  });

  it('go to the library together', () => {
    const writer = new StreamWriter();
    for (let index = 0; index < 1_000; index++) writer.write(Buffer.alloc(60), () => {});
    let calls = 0;
    const take = (bytes: Uint8Array): number => {
      calls++;
      return bytes.length;
    };
    writer.flush(take, 0);
    assert.equal(calls, 1);
  });
});

describe('a queue', () => {
  it('gives what was put in, in order, however it grows and shrinks', () => {
    const rng = createRng(3, 'queue');
    const fifo = new Fifo<number>();
    let put = 0;
    let got = 0;
    for (let step = 0; step < 20_000; step++) {
      if (rng.int(0, 9) < (step < 10_000 ? 7 : 3)) fifo.push(put++);
      else if (got < put) assert.equal(fifo.shift(), got++);
      else assert.equal(fifo.shift(), undefined);
      assert.equal(fifo.length, put - got);
      assert.equal(fifo.at(0), got < put ? got : undefined);
    }
    assert.deepEqual(
      [...fifo],
      Array.from({ length: put - got }, (_, index) => got + index),
    );
  });
});
