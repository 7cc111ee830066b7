/** EMQX's keepalive and session side, a row a release range (emqx-keepalive-model §1.2, §2.6, §4, §5, §7). */

import type { BrokerSettings } from '../types.ts';
import type { BrokerProfile, Chosen } from './profile.ts';
import { chooseRow, type ReleaseRow } from './release.ts';

const V4_0: BrokerProfile = {
  generation: 'A1',
  keepaliveRule: 'repeat', // emqx_keepalive:check/2@v4.4.19
  counterScope: 'connection-bytes', // recv_oct of the socket
  storedAtConnect: 'zero', // §1.2
  quicWaitOnCloseMs: 0, // no QUIC in 4.x
  closesQuicAfterWait: false, // §7: 5.0.26, 5.3.2
  discardWaitMs: 0, // §2.6: from 5.6.0
  kickWaitMs: 0, // §2.6: from 5.6.0
  dataStreams: false, // §2.1
  idleTimeoutFromKeepalive: false, // §2.4-5: from 5.8.2
  advertisesReceiveMaximum: false, // §3: from 5.6.0
  retryIntervalS: 30, // §3
  takeoverReason: 'takeovered', // §4: 4.x spells it so
  authorizationLog: null, // measured: no line in 4.4.19, 5.0.26, 5.3.2
};

const V5_0_0: BrokerProfile = {
  ...V4_0,
  generation: 'A2',
  storedAtConnect: 'current', // §1.2: bytes of the whole connection
  takeoverReason: 'takenover', // §4
};

const V5_0_5: BrokerProfile = {
  ...V5_0_0,
  generation: 'A3',
  counterScope: 'control-packets', // 01b9115fd8
  storedAtConnect: 'never-equal', // packets compared with stored bytes
};

const V5_0_18: BrokerProfile = { ...V5_0_5, dataStreams: true }; // §2.1: multi-stream from 5.0.18

const V5_0_26: BrokerProfile = {
  ...V5_0_18,
  generation: 'B',
  keepaliveRule: 'multiplier', // e26ce5816e
  storedAtConnect: 'current', // §1.2
};

const V5_5_0: BrokerProfile = {
  ...V5_0_26,
  quicWaitOnCloseMs: 3000, // §2.6; §7: 5.3.2 does not close QUIC, 5.5.1 does after 3 s
  closesQuicAfterWait: true, // §7: 5.5.1
  authorizationLog: 'info', // measured: 5.5.1 to 5.8.2
};

const V5_6_0: BrokerProfile = {
  ...V5_5_0,
  discardWaitMs: 5000, // §2.6, §4; measured §1: 5.002–5.013 s
  kickWaitMs: 5000, // §2.6
  advertisesReceiveMaximum: true, // cf22692c74
};

const V5_7_2: BrokerProfile = { ...V5_6_0, generation: 'C', keepaliveRule: 'idle' }; // 4942f6f75a

const V5_8_0: BrokerProfile = { ...V5_7_2, retryIntervalS: null }; // §3: schema@v5.8.0

const V5_8_2: BrokerProfile = {
  ...V5_8_0,
  generation: 'D', // 2a209a84b3
  counterScope: 'connection-packets', // 472f2b7201
  idleTimeoutFromKeepalive: true, // §2.4-5: the same commit
};

const V5_8_3: BrokerProfile = { ...V5_8_2, discardWaitMs: 3000, kickWaitMs: 1000 }; // 07508d6628

const V5_8_5: BrokerProfile = {
  ...V5_8_3,
  discardWaitMs: 0, // §2.6: asynchronous abort of the read side; the new CONNACK no longer waits noticeably
  kickWaitMs: 0, // §2.6: the same
  authorizationLog: 'debug', // measured: 5.8.9, 6.2.0; of 5.8.3 to 5.8.8 nothing is known
};

const ROWS: readonly ReleaseRow<BrokerProfile>[] = [
  { from: '4.0.0', to: '4.4.99', profile: V4_0 },
  { from: '5.0.0', to: '5.0.4', profile: V5_0_0 },
  { from: '5.0.5', to: '5.0.17', profile: V5_0_5 },
  { from: '5.0.18', to: '5.0.25', profile: V5_0_18 },
  { from: '5.0.26', to: '5.4.99', profile: V5_0_26 },
  { from: '5.5.0', to: '5.5.99', profile: V5_5_0 },
  { from: '5.6.0', to: '5.7.1', profile: V5_6_0 },
  { from: '5.7.2', to: '5.7.99', profile: V5_7_2 },
  { from: '5.8.0', to: '5.8.1', profile: V5_8_0 },
  { from: '5.8.2', to: '5.8.2', profile: V5_8_2 },
  { from: '5.8.3', to: '5.8.4', profile: V5_8_3 },
  { from: '5.8.5', to: '6.2.2', profile: V5_8_5 },
];

/** Rules of one EMQX release (`5.8.2`, `v5.8.2`, `e5.10.3`); a release outside the table gets the nearest row and a note. */
export function brokerProfile(release: string): Chosen<BrokerProfile> {
  return chooseRow(ROWS, release, 'EMQX');
}

/** Defaults of emqx.conf (emqx-keepalive-model §1.2, §2.7, §3). */
export const DEFAULT_BROKER_SETTINGS: BrokerSettings = {
  keepaliveMultiplier: 1.5,
  keepaliveBackoff: 0.75,
  keepaliveCheckIntervalMs: 30_000,
  serverKeepaliveS: null,
  maxPacketSize: 1_048_576,
  maxInflight: 32,
  quicIdleTimeoutS: 0,
};
