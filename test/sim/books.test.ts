import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message, Qos } from '../../engine/index.ts';
import { Books, SETTLED_MAX } from '../../engine/sim/books.ts';

const message = (seq: number, qos: Qos = 0): Message => ({ seq, topic: 't', qos, size: 1 });

describe('the books', () => {
  it('a delivery outweighs a loss that was noted earlier, a loss does not undo a delivery', () => {
    const books = new Books();
    books.offered(message(1));
    books.lost(message(1), 'offline');
    books.delivered(message(1));
    books.offered(message(2, 1));
    books.delivered(message(2, 1));
    books.lost(message(2, 1), 'offline');
    const { delivered, lost, lostByReason, held } = books.summary();
    assert.deepEqual(
      { delivered, lost, lostByReason, held },
      {
        delivered: { 0: 1, 1: 1, 2: 0 },
        lost: { 0: 0, 1: 0, 2: 0 },
        lostByReason: {},
        held: 0,
      },
    );
  });

  it('only counts messages that were settled long ago, and takes what comes of them for duplicates', () => {
    const books = new Books();
    books.offered(message(0, 1));
    for (let seq = 1; seq <= SETTLED_MAX + 1; seq++) {
      books.offered(message(seq));
      books.delivered(message(seq));
    }
    books.delivered(message(1));
    books.lost(message(1), 'offline');
    const { offered, delivered, duplicates, held } = books.summary();
    assert.equal(offered[0], SETTLED_MAX + 1);
    assert.equal(delivered[0], SETTLED_MAX + 1);
    assert.equal(duplicates, 1);
    assert.equal(held, 1);
    assert.deepEqual(books.held(), [0], 'one that is not settled is never forgotten');
  });

  it('refuses what was never offered', () => {
    assert.throws(() => new Books().delivered(message(1)), /never offered/);
    assert.throws(() => new Books().lost(message(1), 'offline'), /never offered/);
  });
});
