/**
 * NanoMQ's bridge client, a row a release range. Cells come from nanomq-bridge-model §8.2 (table) and §2–§3 (text),
 * corrected by measured.md; log cells from nanomq-logs §2.1–§2.3. A row is the row before it plus what changed.
 */

import type { BridgeSettings } from '../types.ts';
import type { BridgeProfile, Chosen } from './profile.ts';
import { chooseRow, compareReleases, parseRelease, type ReleaseRow } from './release.ts';

const QUIC_0_22_10: BridgeProfile = {
  transport: 'quic',
  tickMs: 5000, // §3.1: fixed up to 0.24.2
  resendWaitMs: 3000, // §3.2: fixed up to 0.24.2
  pingTimerResetOnReceive: 'any', // §3.1, defect D1
  pingTimerResetOnSend: 'any-result', // §3.1, defect D2
  pingCountResetOn: 'any', // §3.1
  pingLimit: 1, // §3.1
  offlineSend: 'drop-silent', // §2.3; measured 2.20: no log line
  clearBusyBeforeParked: false, // §2.6; unreachable here, nothing is parked
  otherSendError: 'continue', // §2.6
  rearmReceiveOnCancel: false, // D4
  sendQueueCap: 64, // measured.md head; NNG_MAX_SEND_LMQ
  busyQos0: 'queue', // §2.4-5
  busySubscribe: 'queue', // §2.4-5
  subscribeRetry: false, // §4: from 0.23.3
  queueOverflow: 'drop-oldest', // §2.4-5
  resendWhileBusy: 'skip', // §3.2
  cancelTimer: 'unless-priority', // §2.5
  subscribeCancel: 'cancel_timeout', // §2.5
  dupOnWire: false, // §3.2: from 0.24.3
  receiveQueue: 'grows', // §1: QC:mqtt_pipe_recv_msgq_putq
  transportQueueCap: 1024, // §1: QT:mqtt_quictran_pipe_init, rxlmq
  ackQueueCap: 1024, // §1: rslmq
  watchdogMs: null, // §3.4: disabled before 0.23.1
  ctxMsgs: 'none', // §2.1
  connectedGuard: false, // §2.1-2: from 0.24.14
  // 28 of 60 redials without any jitter in incidents 01d 02a 02b 13a 16 21 26 26b, none of 90 in those of later releases; a signed
  // remainder of a random number would do that.
  redialJitter: 'none-or-uniform', // measured: 0.23.1
  log: {
    pingSent: { severity: 'info', counters: false }, // logs 2.1.1 row 10
    aioBusy: 'info', // logs 2.3.2 row 2
    resendCounters: false, // logs 2.1.1 row 41
    queueOverflow: true, // row 25
    offlineQos0: false, // logs 2.1.1 row 60: from 0.23.10
    busyQos0: null, // logs 2.1.1 row 62: from 0.24.3
    alreadyParked: 'info', // row 51
    acked: { severity: 'debug', latency: false }, // row 34
    ctxCachePut: false, // logs 2.3.1 row 84: from 0.24.14
    connackDelivered: 'info', // logs 2.3.2 row 9
    receiveEnded: 'info', // logs 2.3.2 row 7
    dialResult: true, // logs 2.2.3 row 2
    receiveArmed: false, // logs 2.2.1 rows 44, 46: from 0.23.10
    receiveCancelled: 'debug', // logs 2.2.1 row 32
    timerAborted: null, // logs 2.1.1 row 8; measured: no line in 0.23.1 to 0.23.10, one a disconnect in 0.24.11 and 0.25.3
    sendOnClosed: false, // logs 2.1.1 row 54: from 0.23.7
    shutdownBug: true, // logs 2.2.2 row 61
    sendQos: 'debug', // logs 2.1.1 row 22
    resendTry: false, // logs 2.1.1 has no such row
    priorityPacketId: false, // logs 2.1.1 row 24
    substreamLostType: false, // logs 2.2.1 row 25
    unsubscribe: false, // logs 2.3.1 rows 68, 69: from 0.23.0
    commercialNotice: false, // logs 2.1.2 row 43: TCP only
    subscribeFailed: null, // logs 2.1.3 row 5: from 0.23.3
    backoffAddress: false, // logs 2.2.1 row 7
    clientOnline: false, // mqtt_parser.c: from 0.24.2
  },
};

const QUIC_0_23_0: BridgeProfile = {
  ...QUIC_0_22_10,
  log: { ...QUIC_0_22_10.log, unsubscribe: true }, // logs 2.3.1 rows 68, 69
};

const QUIC_0_23_1: BridgeProfile = {
  ...QUIC_0_23_0,
  watchdogMs: 5000, // §3.4, NanoNNG 530f5401d, 934a8f010
  ctxMsgs: 'drop-new', // §2.1-2
  log: { ...QUIC_0_23_0.log, aioBusy: 'warn' }, // logs 2.3.2 row 28
};

const QUIC_0_23_2: BridgeProfile = {
  ...QUIC_0_23_1,
  pingTimerResetOnReceive: 'pingresp', // NanoNNG b0cb1443e + 36522cdaf
  pingCountResetOn: 'pingresp', // the same two
  offlineSend: 'park-all', // 446d23100; D3b
  redialJitter: 'uniform', // measured: 0.23.6 and later
};

const QUIC_0_23_3: BridgeProfile = {
  ...QUIC_0_23_2,
  subscribeRetry: true, // §4, logs 2.1.3 row 6; measured 08b
  log: {
    ...QUIC_0_23_2.log,
    dialResult: false, // logs 2.2.3 row 4: trace from here on
    subscribeFailed: 'code', // logs 2.1.3 row 5; measured 03g
  },
};

const QUIC_0_23_7: BridgeProfile = {
  ...QUIC_0_23_3,
  subscribeRetry: false, // §4: the error of a closed pipe ends it; measured 08a (0.23.10)
  clearBusyBeforeParked: true, // c86a8064e
  log: {
    ...QUIC_0_23_3.log,
    sendOnClosed: true, // logs 2.1.1 row 54
    subscribeFailed: 'garbage', // logs 2.1.3 row 8
    sendQos: 'info', // row 53
  },
};

const QUIC_0_23_10: BridgeProfile = {
  ...QUIC_0_23_7,
  pingTimerResetOnSend: 'success', // §3.1
  offlineSend: 'park-qos', // e0a11d239
  otherSendError: 'stuck-busy', // D7
  rearmReceiveOnCancel: true, // e0a11d239
  sendQueueCap: 'max_send_queue_len', // §1
  busyQos0: 'drop', // §2.4-5: silently
  receiveQueue: 'max_recv_queue_len', // §1
  transportQueueCap: 64, // §1
  ackQueueCap: 64, // §1
  log: {
    ...QUIC_0_23_7.log,
    pingSent: { severity: 'info', counters: true }, // logs 2.1.1 row 58
    resendCounters: true, // row 59
    queueOverflow: false, // row 25: commented out
    offlineQos0: true, // row 60
    acked: { severity: 'info', latency: true }, // row 57
    receiveArmed: true, // logs 2.2.1 rows 44, 46
    substreamLostType: true, // logs 2.2.1 row 38
    receiveCancelled: 'warn', // logs 2.2.1 row 41
    sendQos: null, // row 53 ends with 0.23.9
  },
};

const QUIC_0_24_1: BridgeProfile = {
  ...QUIC_0_23_10,
  log: {
    ...QUIC_0_23_10.log,
    connackDelivered: 'debug', // logs 2.3.2 row 33
    receiveEnded: 'debug', // logs 2.3.2 row 32
  },
};

const QUIC_0_24_2: BridgeProfile = {
  ...QUIC_0_24_1,
  ctxMsgs: 'drop-oldest', // §2.1-2
  log: { ...QUIC_0_24_1.log, clientOnline: true }, // mqtt_parser.c, 0.24.2–0.25.6; measured 03h
};

const QUIC_0_24_3: BridgeProfile = {
  ...QUIC_0_24_2,
  tickMs: 'resend_interval', // §3.1
  resendWaitMs: 'resend_wait', // §3.2
  pingLimit: 'backoff_max', // D14
  offlineSend: 'to-ctx-msgs', // §2.3
  busyQos0: 'queue-if-retry_qos_0', // §2.4-5
  busySubscribe: 'like-qos0', // §2.4-5; the resend timer still sends it
  dupOnWire: true, // NanoNNG 300a6eccf, 171991577
  watchdogMs: null, // 144266649
  log: {
    ...QUIC_0_24_2.log,
    busyQos0: 'info', // logs 2.1.1 row 62
    priorityPacketId: true, // row 61
    shutdownBug: false, // logs 2.2.2 row 61 ends with 0.24.2
    timerAborted: 'warn', // measured 03h, 03i; first release not known, taken with the new timer
  },
};

const QUIC_0_24_14: BridgeProfile = {
  ...QUIC_0_24_3,
  connectedGuard: true, // f2305fb3
  log: { ...QUIC_0_24_3.log, ctxCachePut: true }, // logs 2.3.1 row 84
};

const QUIC_ROWS: readonly ReleaseRow<BridgeProfile>[] = [
  { from: '0.22.10', to: '0.22.10', profile: QUIC_0_22_10 },
  { from: '0.23.0', to: '0.23.0', profile: QUIC_0_23_0 },
  { from: '0.23.1', to: '0.23.1', profile: QUIC_0_23_1 },
  { from: '0.23.2', to: '0.23.2', profile: QUIC_0_23_2 },
  { from: '0.23.3', to: '0.23.6', profile: QUIC_0_23_3 },
  { from: '0.23.7', to: '0.23.9', profile: QUIC_0_23_7 },
  { from: '0.23.10', to: '0.24.0', profile: QUIC_0_23_10 },
  { from: '0.24.1', to: '0.24.1', profile: QUIC_0_24_1 },
  { from: '0.24.2', to: '0.24.2', profile: QUIC_0_24_2 },
  { from: '0.24.3', to: '0.24.13', profile: QUIC_0_24_3 },
  { from: '0.24.14', to: '0.25.6', profile: QUIC_0_24_14 },
];

const TCP_0_22_10: BridgeProfile = {
  transport: 'tcp',
  tickMs: 'resend_interval', // §3.1: in all releases
  resendWaitMs: 'resend_wait', // §3.2
  pingTimerResetOnReceive: 'any', // D1b
  pingTimerResetOnSend: 'never', // §3.1
  pingCountResetOn: 'any', // §3.1
  pingLimit: 1, // §3.1
  offlineSend: 'park-one', // §2.7
  clearBusyBeforeParked: true, // §2.7
  otherSendError: 'close', // §2.7
  rearmReceiveOnCancel: true, // one stream: nothing to cancel
  sendQueueCap: 64, // §1
  busyQos0: 'queue', // §2.7
  busySubscribe: 'queue', // §2.7
  subscribeRetry: false, // QUIC only: measured there
  queueOverflow: 'drop-oldest', // §2.7
  resendWhileBusy: 'queue', // §3.2
  cancelTimer: 'always', // §2.7
  subscribeCancel: 'uninitialised', // D13
  dupOnWire: false, // §3.2: from 0.24.3
  receiveQueue: 'fixed', // §1
  transportQueueCap: 1024, // one stream: never asked
  ackQueueCap: 1024, // §1 gives none for TCP
  watchdogMs: null, // §3.4: sub streams only
  ctxMsgs: 'none', // §2.1
  connectedGuard: false, // §2.1-2: from 0.24.14
  redialJitter: 'uniform', // measured: 0.23.6 and 0.23.10, incidents 11a 11b 24c
  log: {
    pingSent: { severity: 'info', counters: false }, // logs 2.1.2 row 8
    aioBusy: 'info', // logs 2.3.2 row 2
    resendCounters: false, // row 30
    queueOverflow: true, // row 27
    offlineQos0: false, // logs 2.1.2 has no such row
    busyQos0: null, // logs 2.1.2 row 50: from 0.25.1
    alreadyParked: 'info', // row 24
    acked: null, // logs 2.1.2 has no such row
    ctxCachePut: false, // logs 2.3.1 row 84: from 0.24.14
    connackDelivered: 'info', // logs 2.3.2 row 9
    receiveEnded: 'info', // logs 2.3.2 row 7
    dialResult: true, // logs 2.2.3 row 2
    receiveArmed: false, // a line of the QUIC transport
    receiveCancelled: 'debug', // a line of the QUIC transport
    timerAborted: 'info', // logs 2.1.2 row 6; measured 11b
    sendOnClosed: false, // logs 2.1.2 has no such row
    shutdownBug: false, // a line of the QUIC dialer
    sendQos: null, // logs 2.1.2 has no such row
    resendTry: true, // logs 2.1.2 row 29
    priorityPacketId: false, // QUIC only
    substreamLostType: false, // QUIC only
    unsubscribe: false, // logs 2.3.1 rows 68, 69: from 0.23.0
    commercialNotice: false, // logs 2.1.2 row 43: from 0.23.3
    subscribeFailed: null, // logs 2.1.3 row 5: from 0.23.3
    backoffAddress: false, // logs 2.2.4 row 17
    clientOnline: false, // mqtt_parser.c: from 0.24.2
  },
};

const TCP_0_23_0: BridgeProfile = {
  ...TCP_0_22_10,
  log: { ...TCP_0_22_10.log, unsubscribe: true }, // logs 2.3.1 rows 68, 69
};

const TCP_0_23_1: BridgeProfile = {
  ...TCP_0_23_0,
  ctxMsgs: 'drop-new', // §2.1-2: the broker part is the same for both transports
  log: { ...TCP_0_23_0.log, aioBusy: 'warn' }, // logs 2.3.2 row 28
};

const TCP_0_23_2: BridgeProfile = {
  ...TCP_0_23_1,
  log: { ...TCP_0_23_1.log, pingSent: { severity: 'debug', counters: false } }, // logs 2.1.2 row 38
};

const TCP_0_23_3: BridgeProfile = {
  ...TCP_0_23_2,
  subscribeCancel: 'cancel_timeout', // nanomq bb4847d9
  log: {
    ...TCP_0_23_2.log,
    alreadyParked: 'warn', // logs 2.1.2 row 42
    commercialNotice: true, // row 43; measured 11a
    dialResult: false, // logs 2.2.3 row 4
    subscribeFailed: 'code', // logs 2.1.3 row 5
  },
};

const TCP_0_23_5: BridgeProfile = {
  ...TCP_0_23_3,
  log: { ...TCP_0_23_3.log, backoffAddress: true }, // logs 2.2.4 row 27
};

const TCP_0_23_7: BridgeProfile = {
  ...TCP_0_23_5,
  log: { ...TCP_0_23_5.log, subscribeFailed: 'garbage' }, // logs 2.1.3 row 8
};

const TCP_0_24_1: BridgeProfile = {
  ...TCP_0_23_7,
  log: {
    ...TCP_0_23_7.log,
    connackDelivered: 'debug', // logs 2.3.2 row 33
    receiveEnded: 'debug', // logs 2.3.2 row 32
  },
};

const TCP_0_24_2: BridgeProfile = {
  ...TCP_0_24_1,
  ctxMsgs: 'drop-oldest', // §2.1-2
  log: { ...TCP_0_24_1.log, clientOnline: true }, // mqtt_parser.c, 0.24.2–0.25.6
};

const TCP_0_24_3: BridgeProfile = {
  ...TCP_0_24_2,
  busyQos0: 'queue-if-retry_qos_0', // §2.7
  dupOnWire: true, // §3.2
};

const TCP_0_24_5: BridgeProfile = {
  ...TCP_0_24_3,
  pingLimit: 0, // §3.1: close if one answer is outstanding at a tick
};

const TCP_0_24_14: BridgeProfile = {
  ...TCP_0_24_5,
  connectedGuard: true, // f2305fb3
  log: { ...TCP_0_24_5.log, ctxCachePut: true }, // logs 2.3.1 row 84
};

const TCP_0_25_1: BridgeProfile = {
  ...TCP_0_24_14,
  queueOverflow: 'drop-oldest-unless-qos0', // §2.7
  log: { ...TCP_0_24_14.log, busyQos0: 'warn' }, // logs 2.1.2 rows 49, 50
};

const TCP_ROWS: readonly ReleaseRow<BridgeProfile>[] = [
  { from: '0.22.10', to: '0.22.10', profile: TCP_0_22_10 },
  { from: '0.23.0', to: '0.23.0', profile: TCP_0_23_0 },
  { from: '0.23.1', to: '0.23.1', profile: TCP_0_23_1 },
  { from: '0.23.2', to: '0.23.2', profile: TCP_0_23_2 },
  { from: '0.23.3', to: '0.23.4', profile: TCP_0_23_3 },
  { from: '0.23.5', to: '0.23.6', profile: TCP_0_23_5 },
  { from: '0.23.7', to: '0.24.0', profile: TCP_0_23_7 },
  { from: '0.24.1', to: '0.24.1', profile: TCP_0_24_1 },
  { from: '0.24.2', to: '0.24.2', profile: TCP_0_24_2 },
  { from: '0.24.3', to: '0.24.4', profile: TCP_0_24_3 },
  { from: '0.24.5', to: '0.24.13', profile: TCP_0_24_5 },
  { from: '0.24.14', to: '0.25.0', profile: TCP_0_24_14 },
  { from: '0.25.1', to: '0.25.6', profile: TCP_0_25_1 },
];

/**
 * Rules of one release. Bare numbers, `v` prefixes and suffixes are accepted; a release outside the table gets the nearest
 * row, and `note` says so.
 */
export function bridgeProfile(release: string, transport: 'quic' | 'tcp'): Chosen<BridgeProfile> {
  return chooseRow(transport === 'quic' ? QUIC_ROWS : TCP_ROWS, release, 'NanoMQ');
}

/** Code defaults of nanomq.conf (nanomq-logs §3.2) up to 0.24.9; `subscriptions` and the client id are the user's. */
export const DEFAULT_BRIDGE_SETTINGS: BridgeSettings = {
  transport: 'quic',
  protocol: 4,
  clientId: 'bridge',
  username: null,
  cleanStart: true,
  keepaliveS: 60,
  parallel: 4, // 2 × CPUs; no host is known here
  maxParallelProcesses: 2,
  quicQosPriority: false,
  maxSendQueueLen: 0, // key absent: D12
  maxRecvQueueLen: 0,
  resendIntervalMs: 5000,
  resendWaitMs: 3000,
  cancelTimeoutMs: 10_000,
  backoffMaxS: 5,
  retryQos0: false,
  quicKeepaliveS: 30,
  quicIdleTimeoutS: 60,
  quicDisconnectTimeoutS: 20,
  quicHandshakeTimeoutS: 20,
  quicInitialRttMs: 800,
  subscriptions: [],
};

interface DefaultsRow {
  readonly from: string;
  readonly changed: Partial<BridgeSettings>;
}

const DEFAULTS_ROWS: readonly DefaultsRow[] = [
  { from: '0.24.10', changed: { quicKeepaliveS: 120, quicIdleTimeoutS: 120 } }, // nanomq-logs §3.2
];

/** Defaults of a release: {@link DEFAULT_BRIDGE_SETTINGS} with what changed up to it. An unknown release counts as newest. */
export function bridgeDefaults(release: string, transport: 'quic' | 'tcp'): BridgeSettings {
  const wanted = parseRelease(release);
  let settings: BridgeSettings = { ...DEFAULT_BRIDGE_SETTINGS, transport };
  for (const row of DEFAULTS_ROWS) {
    if (wanted && compareReleases(wanted, parseRelease(row.from)!) < 0) continue;
    settings = { ...settings, ...row.changed };
  }
  return settings;
}
