import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { quicAvailable } from '../../engine/live/quic-library.ts';
import { runLive } from '../../engine/live/run-live.ts';
import type { SimRecord } from '../../engine/types.ts';
import { live, optionsOf, publishes, type Setup } from './run-setup.ts';
import { skipReason, until } from './support.ts';

const skip = skipReason(await quicAvailable());
const setup: Setup = { nanomq: '0.23.10', emqx: '5.8.2', stimuli: [], seconds: 60 };

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('UDP')).length;
}

/** However a run ends, nothing of it stays. */
describe('end of a live run', { skip }, () => {
  afterEach(() => until(() => openSockets() === 0, 'the sockets to close', 1_000));

  it('comes with the signal and its reason', async () => {
    const controller = new AbortController();
    const stop = new Error('enough');
    setTimeout(() => controller.abort(stop), 300);
    await assert.rejects(live({ ...setup, live: { signal: controller.signal } }), stop);
  });

  it('comes at once with a signal that was given before', async () => {
    await assert.rejects(live({ ...setup, live: { signal: AbortSignal.abort() } }), { name: 'AbortError' });
  });

  it('comes with what the sink throws', async () => {
    const sink = (record: SimRecord): void => {
      if (record.event === 'bridge_connected') throw new Error('disk full');
    };
    await assert.rejects(runLive(optionsOf(setup), sink), /disk full/);
  });

  it('comes with stimuli out of order or too large', async () => {
    const unordered = [...publishes(1, 20_000, 0, () => 0), ...publishes(1, 10_000, 0, () => 0)];
    await assert.rejects(live({ ...setup, stimuli: unordered }), RangeError);
    const message = { seq: 1, topic: 't', qos: 0 as const, size: 10 ** 9 };
    await assert.rejects(live({ ...setup, stimuli: [{ at: 0, kind: 'publish', message }] }), {
      code: 'message-too-large',
    });
  });

  it('comes after maxEvents', async () => {
    const { summary } = await live({ ...setup, live: { maxEvents: 5 } });
    assert.deepEqual([summary.stoppedBy, summary.events], ['max-events', 5]);
  });

  it('comes after its duration, with progress on the way', async () => {
    const progress: number[] = [];
    const { summary } = await live({
      ...setup,
      seconds: 4,
      live: { speed: 4, onProgress: ({ at }) => progress.push(at) },
    });
    assert.deepEqual([summary.stoppedBy, summary.endedAt], ['duration', 4_000_000]);
    assert.ok(progress.length >= 1);
  });
});
