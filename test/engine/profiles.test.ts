import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bridgeDefaults, bridgeProfile, brokerProfile } from '../../engine/index.ts';

describe('release profiles', () => {
  it('compares releases as numbers: 0.23.10 is newer than 0.23.9', () => {
    assert.equal(bridgeProfile('0.23.9', 'quic').range, '0.23.7–0.23.9');
    assert.equal(bridgeProfile('v0.23.10', 'quic').range, '0.23.10–0.24.0');
    assert.equal(bridgeProfile('0.25.6', 'quic').range, '0.24.14–0.25.6');
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
    assert.equal(old.range, '0.22.10–0.23.0');
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
