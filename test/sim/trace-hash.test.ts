import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fields, SimRecord } from '../../engine/index.ts';
import { TraceHash } from '../../engine/sim/trace-hash.ts';

const RECORD: SimRecord = {
  at: 1,
  endpoint: 'bridge',
  severity: 'info',
  event: 'ping_sent',
  clientId: null,
  peer: null,
  fields: { a: 1, b: 'x' },
};

function hashOf(...changes: readonly Partial<SimRecord>[]): string {
  const hash = new TraceHash();
  for (const change of changes) hash.add({ ...RECORD, ...change });
  return hash.digest();
}

describe('the hash of a trace', () => {
  it('is the same on every platform', () => {
    assert.equal(hashOf({}), EXPECTED);
  });

  it('differs when anything in a record differs, or their order', () => {
    const fields: Fields[] = [
      { a: 2, b: 'x' },
      { a: '1', b: 'x' },
      { a: 1, b: 'y' },
      { b: 'x', a: 1 },
      { a: 1, b: 'x', c: null },
      { a: 1.5, b: 'x' },
      { a: true, b: 'x' },
      { a: 2 ** 32 + 1, b: 'x' },
      { a: 1, b: [1, 2] },
      { ab: 1, '': 'x' },
    ];
    const hashes = [
      hashOf({}),
      hashOf({ at: 2 }),
      hashOf({ at: 1 + 2 ** 32 }),
      hashOf({ endpoint: 'broker' }),
      hashOf({ severity: 'warn' }),
      hashOf({ event: 'ping_sen' }),
      hashOf({ clientId: 'x' }),
      hashOf({ peer: 'x' }),
      hashOf({ fields: null }),
      ...fields.map((one) => hashOf({ fields: one })),
      hashOf({}, {}),
      hashOf({}, { at: 2 }),
      hashOf({ at: 2 }, {}),
    ];
    assert.equal(new Set(hashes).size, hashes.length);
  });
});

const EXPECTED = '416ab09386a6d3e7';
