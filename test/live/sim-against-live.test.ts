import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compare } from '../../bench/sim-against-live/compare.ts';
import { SCENARIOS } from '../../bench/sim-against-live/scenarios.ts';
import { quicAvailable } from '../../engine/live/quic-library.ts';
import { skipReason } from './support.ts';

const skip = skipReason(await quicAvailable());

/** A part of `bench/sim-against-live`: what happens and in which number, not when. */
const SHORT: readonly [name: string, durationS: number, disconnects: number, finding: string][] = [
  ['keepalive-receive-reset', 60, 2, 'keepalive-receive-reset'],
  ['kick-every-9s', 40, 4, 'kicked'],
  ['restart-4s', 40, 1, 'broker-restart'],
];

describe('the simulator and real sockets', { skip, concurrency: true }, () => {
  for (const [name, durationS, disconnects, finding] of SHORT) {
    it(`tell the same of ${name}`, async () => {
      const scenario = { ...SCENARIOS.find((one) => one.name === name)!, durationS };
      const { simulated, live, apartS } = await compare(scenario, 1, 5);
      assert.ok(live.findings.includes(finding), String(live.findings));
      assert.deepEqual(live.findings, simulated.findings);
      assert.equal(live.cycles, disconnects);
      assert.equal(simulated.cycles, disconnects);
      assert.notEqual(apartS, null, 'as many connects, disconnects and closes by the broker');
      const { up, down } = live.delivered;
      assert.ok(up + down > 0);
    });
  }
});
