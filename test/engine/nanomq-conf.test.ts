import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type BridgeConf,
  type BridgeSettings,
  bridgeDefaults,
  bridgeSettings,
  SHIPPED_SAMPLE,
} from '../../engine/index.ts';

function read(release: string, conf: BridgeConf): BridgeSettings {
  return bridgeSettings(release, 'quic', conf).settings;
}

describe('keys of nanomq.conf', () => {
  it('an empty section gives the defaults of the release', () => {
    for (const release of ['0.22.10', '0.24.9', '0.24.10', '0.25.6']) {
      assert.deepEqual(read(release, {}), bridgeDefaults(release, 'quic'));
    }
    assert.deepEqual([read('0.24.9', {}).quicKeepaliveS, read('0.24.10', {}).quicKeepaliveS], [30, 120]);
  });

  it('every key has its field', () => {
    const conf: BridgeConf = {
      server: 'mqtt-quic://10.0.0.1:14567',
      proto_ver: 5,
      clientid: 'gateway',
      username: 'u',
      keepalive: '2m',
      backoff_max: '1h',
      clean_start: false,
      max_parallel_processes: 3,
      max_send_queue_len: 4,
      max_recv_queue_len: 5,
      resend_interval: 6,
      resend_wait: 7,
      cancel_timeout: 8,
      retry_qos_0: true,
      hybrid_bridging: true,
      'conn_properties.session_expiry_interval': 9,
      'conn_properties.receive_maximum': 10,
      quic_keepalive: '11s',
      quic_idle_timeout: '12s',
      quic_discon_timeout: '13s',
      quic_handshake_timeout: '14s',
      quic_initial_rtt_ms: '15ms',
      quic_max_ack_delay_ms: '20s',
      quic_qos_priority: true,
      'system.parallel': 16,
      'log.level': 'info',
      subscription: [{ remote_topic: 'a', qos: 2 }, { remote_topic: 'b' }],
    };
    const { settings, ignored } = bridgeSettings('0.25.6', 'quic', conf);
    assert.deepEqual(ignored, []);
    assert.deepEqual(settings, {
      transport: 'quic',
      address: 'mqtt-quic://10.0.0.1:14567',
      protocol: 5,
      clientId: 'gateway',
      username: 'u',
      keepaliveS: 120,
      backoffMaxS: 3600,
      cleanStart: false,
      maxParallelProcesses: 3,
      maxSendQueueLen: 4,
      maxRecvQueueLen: 5,
      resendIntervalMs: 6,
      resendWaitMs: 7,
      cancelTimeoutMs: 8,
      retryQos0: true,
      hybrid: true,
      sessionExpiryS: 9,
      receiveMaximum: 10,
      quicKeepaliveS: 11,
      quicIdleTimeoutS: 12,
      quicDisconnectTimeoutS: 13,
      quicHandshakeTimeoutS: 14,
      quicInitialRttMs: 15,
      quicMaxAckDelayMs: 16_000,
      quicQosPriority: true,
      parallel: 16,
      logLevel: 'info',
      subscriptions: [
        { topic: 'a', qos: 2 },
        { topic: 'b', qos: 0 },
      ],
    });
  });

  const durations: readonly (readonly [string, string, number])[] = [
    // The boot line of 0.23.1 shows 48000 for the sample's value and 1 for `1s` (incidents 01a and 26).
    ['0.23.1', '800ms', 48_000],
    ['0.23.1', '1s', 1],
    ['0.23.1', '800s', 800],
    ['0.24.8', '100ms', 6_000],
    ['0.24.9', '800ms', 800],
    ['0.24.9', '1s', 1_000],
    ['0.24.9', '2m', 0],
    ['0.25.6', '100ms', 100],
  ];
  for (const [release, text, ms] of durations) {
    it(`${release} reads quic_initial_rtt_ms = ${text} as ${ms} ms (D11)`, () => {
      assert.equal(read(release, { quic_initial_rtt_ms: text }).quicInitialRttMs, ms);
    });
  }

  it('a duration without a unit is 0, a bare number is ignored', () => {
    assert.equal(read('0.23.6', { keepalive: '30' }).keepaliveS, 0);
    const { settings, ignored } = bridgeSettings('0.23.6', 'quic', { keepalive: 30 });
    assert.equal(settings.keepaliveS, 60);
    assert.match(ignored[0]!.why, /not read as a time/);
  });

  it('numbers must be above 0 and no strings', () => {
    for (const value of [0, -1, '32']) {
      assert.equal(read('0.23.6', { max_send_queue_len: value }).maxSendQueueLen, 0);
    }
  });

  it('a key is ignored before its release, an unknown one always; both are told', () => {
    const conf = { retry_qos_0: true, quic_multi_stream: true, max_que_len: 5 };
    const { settings, ignored } = bridgeSettings('0.23.9', 'quic', conf);
    assert.equal(settings.retryQos0, false);
    assert.deepEqual(
      ignored.map(({ key }) => key),
      ['retry_qos_0', 'quic_multi_stream', 'max_que_len'],
    );
    assert.equal(bridgeSettings('0.23.10', 'quic', conf).settings.retryQos0, true);
  });

  it('proto_ver 3 over QUIC becomes a CONNECT of the transport’s own', () => {
    const conf = { proto_ver: 3, keepalive: '10s', clean_start: false, username: 'u' };
    const { protocol, keepaliveS, cleanStart, username } = read('0.23.6', conf);
    assert.deepEqual([protocol, keepaliveS, cleanStart, username], [4, 60, true, null]);
    assert.equal(bridgeSettings('0.23.6', 'tcp', conf).settings.keepaliveS, 10);
  });

  it('the shipped sample is read in full', () => {
    const { settings, ignored } = bridgeSettings('0.23.6', 'quic', SHIPPED_SAMPLE);
    assert.deepEqual(ignored, []);
    assert.equal(settings.quicMaxAckDelayMs, 6_000);
    assert.equal(settings.backoffMaxS, 60);
    assert.equal(settings.quicQosPriority, true);
  });
});
