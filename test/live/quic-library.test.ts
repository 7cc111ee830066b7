import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadQuiche, quicAvailable } from '../../engine/live/quic-library.ts';

const absent = (): Promise<never> => Promise.reject(new Error('Failed to load binary\nRequire stack: …'));

describe('QUIC library', () => {
  it('says why it is absent and what works without it', async () => {
    await assert.rejects(loadQuiche(absent), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'quic-unavailable');
      assert.match(error.message, /Failed to load binary$/);
      assert.match(error.hint, /--mode sim/);
      return true;
    });
  });

  it('answers the question without throwing', async () => {
    assert.deepEqual(await quicAvailable(absent), { available: false, reason: 'Failed to load binary' });
  });
});
