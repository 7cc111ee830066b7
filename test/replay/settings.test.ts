import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rebuildSettings } from '../../replay/settings.ts';

const FACTS = {
  release: '0.23.6',
  transport: 'quic',
  clientId: null,
  keepaliveS: null,
  protocol: null,
  cleanStart: null,
  subscribesOnControl: null,
  contexts: null,
  subscriptions: null,
} as const;

const withRtt = (release: string, dump: Record<string, unknown>) => rebuildSettings({ ...FACTS, release, dump });

describe('settings of a replay', () => {
  it('a boot dump with the initial RTT of the sample has the ack delay of the sample, as the release reads both', () => {
    // 800ms and 100ms: minutes up to 0.24.8 (D11), 48,000 and 6,000 ms in force (measured.md, "Config trap").
    for (const [release, printed, ackDelay] of [
      ['0.23.1', '48000', 6_000],
      ['0.24.8', 48_000, 6_000],
      ['0.24.11', 800, 100],
    ] as const) {
      const { settings, origins } = withRtt(release, { qinitial_rtt_ms: printed });
      assert.equal(settings.quicInitialRttMs, Number(printed));
      assert.equal(origins.quicInitialRttMs, 'observed');
      assert.equal(settings.quicMaxAckDelayMs, ackDelay, release);
      assert.equal(origins.quicMaxAckDelayMs, 'inferred', release);
    }
  });

  it('another initial RTT, or no dump, says nothing about the ack delay', () => {
    for (const dump of [{}, { qinitial_rtt_ms: 1_000 }, { qinitial_rtt_ms: 800 }])
      assert.equal(withRtt('0.23.6', dump).settings.quicMaxAckDelayMs, undefined, JSON.stringify(dump));
  });

  it('what no dump prints is as in the sample, and assumed', () => {
    const { settings, origins } = withRtt('0.23.6', {});
    assert.deepEqual([settings.maxSendQueueLen, settings.maxRecvQueueLen], [32, 128]);
    assert.deepEqual([origins.maxSendQueueLen, origins.maxRecvQueueLen], ['assumed', 'assumed']);
  });
});
