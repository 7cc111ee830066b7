import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { type BridgeProfile, bridgeDefaults, bridgeProfile, brokerProfile } from '../../engine/index.ts';

/** Columns of nanomq-bridge-model §8.2 by first and last release. */
const COLUMNS: readonly (readonly [string, string])[] = [
  ['0.22.10', '0.23.0'],
  ['0.23.1', '0.23.1'],
  ['0.23.2', '0.23.6'],
  ['0.23.7', '0.23.9'],
  ['0.23.10', '0.24.1'],
  ['0.24.2', '0.24.2'],
  ['0.24.3', '0.24.13'],
  ['0.24.14', '0.25.6'],
];

/** Rows of §8.2, a cell a column; a shorter row repeats its last cell. */
const TABLE: { readonly [Cell in keyof BridgeProfile]?: readonly BridgeProfile[Cell][] } = {
  tickMs: [5000, 5000, 5000, 5000, 5000, 5000, 'resend_interval'],
  resendWaitMs: [3000, 3000, 3000, 3000, 3000, 3000, 'resend_wait'],
  pingTimerResetOnReceive: ['any', 'any', 'pingresp'],
  pingTimerResetOnSend: ['any-result', 'any-result', 'any-result', 'any-result', 'success'],
  pingCountResetOn: ['any', 'any', 'pingresp'],
  pingLimit: [1, 1, 1, 1, 1, 1, 'backoff_max'],
  offlineSend: ['drop-silent', 'drop-silent', 'park-all', 'park-all', 'park-qos', 'park-qos', 'to-ctx-msgs'],
  clearBusyBeforeParked: [false, false, false, true],
  otherSendError: ['continue', 'continue', 'continue', 'continue', 'stuck-busy'],
  rearmReceiveOnCancel: [false, false, false, false, true],
  sendQueueCap: [64, 64, 64, 64, 'max_send_queue_len'],
  busyQos0: ['queue', 'queue', 'queue', 'queue', 'drop', 'drop', 'queue-if-retry_qos_0'],
  busySubscribe: ['queue', 'queue', 'queue', 'queue', 'queue', 'queue', 'like-qos0'],
  dupOnWire: [false, false, false, false, false, false, true],
  watchdogMs: [null, 5000, 5000, 5000, 5000, 5000, null],
  ctxMsgs: ['none', 'drop-new', 'drop-new', 'drop-new', 'drop-new', 'drop-oldest'],
  connectedGuard: [false, false, false, false, false, false, false, true],
  cancelTimer: ['unless-priority'],
  receiveQueue: ['grows', 'grows', 'grows', 'grows', 'max_recv_queue_len'],
};

describe('release profiles', () => {
  it('compares releases as numbers: 0.23.10 is newer than 0.23.9', () => {
    assert.equal(bridgeProfile('0.23.9', 'quic').range, '0.23.7–0.23.9');
    assert.equal(bridgeProfile('v0.23.10', 'quic').range, '0.23.10–0.24.0');
    assert.equal(bridgeProfile('0.25.6', 'quic').range, '0.24.14–0.25.6');
  });

  for (const [cell, cells] of Object.entries(TABLE)) {
    it(`${cell} is that of the table in every column`, () => {
      for (const [index, column] of COLUMNS.entries()) {
        const expected = cells[index] ?? cells[cells.length - 1];
        for (const release of column) {
          const { profile } = bridgeProfile(release, 'quic');
          assert.equal(profile[cell as keyof BridgeProfile], expected, release);
        }
      }
    });
  }

  it('TCP: parks one, any received packet counts, one stream, a send error closes', () => {
    for (const release of ['0.22.10', '0.23.6', '0.24.4', '0.24.5', '0.25.6']) {
      const { profile } = bridgeProfile(release, 'tcp');
      assert.deepEqual(
        [profile.offlineSend, profile.pingTimerResetOnReceive, profile.pingTimerResetOnSend, profile.otherSendError],
        ['park-one', 'any', 'never', 'close'],
      );
      assert.deepEqual([profile.sendQueueCap, profile.cancelTimer, profile.tickMs], [64, 'always', 'resend_interval']);
    }
    const limits = ['0.24.4', '0.24.5'].map((release) => bridgeProfile(release, 'tcp').profile.pingLimit);
    assert.deepEqual(limits, [1, 0]);
    const overflow = ['0.25.0', '0.25.1'].map((release) => bridgeProfile(release, 'tcp').profile.queueOverflow);
    assert.deepEqual(overflow, ['drop-oldest', 'drop-oldest-unless-qos0']);
  });

  it('every cell names its source', () => {
    for (const file of ['nanomq', 'emqx']) {
      const text = readFileSync(resolve(process.cwd(), `engine/profiles/${file}.ts`), 'utf8');
      const tables = text.split(/^const [A-Z0-9_]+: BridgeProfile = |^const [A-Z0-9_]+: BrokerProfile = /m).slice(1);
      assert.ok(tables.length >= 8);
      for (const table of tables) {
        const body = table.slice(0, table.search(/^\}?;|;$/m));
        const unsourced = body
          .split('\n')
          .filter((line) => /^ +\w+: .*,$/.test(line) && !/^ +(transport|generation):/.test(line));
        assert.deepEqual(unsourced, [], file);
      }
    }
  });

  it('no machine asks for a release', () => {
    for (const file of ['bridge/machine', 'bridge/send', 'bridge/timer', 'broker/machine', 'broker/keepalive']) {
      const text = readFileSync(resolve(process.cwd(), `engine/${file}.ts`), 'utf8');
      assert.doesNotMatch(text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, ''), /compareReleases|parseRelease|'\d+\.\d+\.\d+'/);
    }
  });

  it('covers every release from 0.22.10 on without a note', () => {
    const releases = [
      '0.22.10',
      '0.23.0',
      '0.23.1',
      '0.23.2',
      '0.23.6',
      '0.23.7',
      '0.24.1',
      '0.24.2',
      '0.24.13',
      '0.25.1',
    ];
    for (const release of releases) {
      for (const transport of ['quic', 'tcp'] as const) assert.equal(bridgeProfile(release, transport).note, null);
    }
  });

  it('takes the nearest rules for a release outside the table and says so', () => {
    const old = bridgeProfile('0.21.0', 'quic');
    assert.equal(old.range, '0.22.10');
    assert.match(old.note!, /0\.21\.0/);
    assert.match(bridgeProfile('custom', 'quic').note!, /not known.*0\.24\.14–0\.25\.6, the newest/);
    assert.match(brokerProfile('3.9.1').note!, /3\.9\.1 is older.*4\.0\.0–4\.4\.x, the oldest/);
    assert.match(brokerProfile('7.0.0').note!, /7\.0\.0 is newer.*5\.8\.5–6\.2\.2, the newest/);
    const between = brokerProfile('4.9.0');
    assert.match(between.note!, /between two/);
    assert.equal(between.range, '4.0.0–4.4.x');
  });

  it('puts the boundary of connection-wide counting at EMQX 5.8.2', () => {
    assert.equal(brokerProfile('5.8.1').profile.generation, 'C');
    assert.equal(brokerProfile('5.8.2').profile.generation, 'D');
    assert.equal(brokerProfile('e5.10.3').profile.generation, 'D');
    assert.equal(brokerProfile('5.0.26').profile.generation, 'B');
    assert.equal(brokerProfile('4.4.19').profile.generation, 'A1');
  });

  it('changes the QUIC defaults with 0.24.10', () => {
    assert.deepEqual(timeouts('0.24.9'), [30, 60]);
    assert.deepEqual(timeouts('0.24.10'), [120, 120]);
  });

  function timeouts(release: string): readonly number[] {
    const { quicKeepaliveS, quicIdleTimeoutS } = bridgeDefaults(release, 'quic');
    return [quicKeepaliveS, quicIdleTimeoutS];
  }
});
