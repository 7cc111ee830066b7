/** Keepalive, ticks, resends and time-outs against each other (nanomq-bridge-model §3, §6). */

import type { BridgeRule } from '../rule.ts';
import type { BridgeScope } from '../scope.ts';
import { spanAt } from '../scope.ts';

/** EMQX ends a connection at 1.5 keepalives at the earliest. */
const BROKER_LIMIT = 1.5;
/** Room for a lost packet and its repetition; the finding keepalive-too-short has the same bound. */
const MIN_MARGIN_S = 3;
/** More unanswered PINGREQs than this, and a dead connection stays unnoticed for minutes. */
const MANY_PINGS = 10;

export const timerRules: readonly BridgeRule[] = [
  {
    id: 'quic-keepalive-not-below-idle',
    title: 'The QUIC keepalive is not below the idle time-out',
    level: 'error',
    scope: 'bridge',
    leadsTo: 'quic-idle-timeout',
    source: 'RFC 9000 §10.1; measured 09, 09b: 5 s against 15 s cures it',
    advice: 'quic_keepalive at most half of quic_idle_timeout.',
    check: (bridge) => {
      const { quicKeepaliveS, quicIdleTimeoutS } = bridge.settings;
      if (bridge.transport !== 'quic' || quicIdleTimeoutS === 0) return [];
      if (quicKeepaliveS > 0 && quicKeepaliveS < quicIdleTimeoutS) return [];
      const why =
        quicKeepaliveS === 0
          ? `without a QUIC keepalive a quiet connection ends after quic_idle_timeout, ${quicIdleTimeoutS} s`
          : `quic_keepalive is ${quicKeepaliveS} s and quic_idle_timeout ${quicIdleTimeoutS} s: a quiet connection may end before the first QUIC PING`;
      return [
        {
          span: spanAt(bridge, bridge.group.entries.has('quic_keepalive') ? 'quic_keepalive' : 'quic_idle_timeout'),
          message: `In force: ${why}.`,
        },
      ];
    },
  },
  {
    id: 'quic-keepalive-tight',
    title: 'The QUIC keepalive leaves no second try before the idle time-out',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'quic-idle-timeout',
    source: 'RFC 9000 §10.1.1',
    advice: 'quic_keepalive at most half of quic_idle_timeout.',
    check: (bridge) => {
      const { quicKeepaliveS, quicIdleTimeoutS } = bridge.settings;
      return bridge.transport === 'quic' && quicKeepaliveS < quicIdleTimeoutS && quicKeepaliveS * 2 > quicIdleTimeoutS
        ? [
            {
              span: spanAt(bridge, 'quic_keepalive'),
              message: `quic_keepalive ${quicKeepaliveS} s is more than half of quic_idle_timeout, ${quicIdleTimeoutS} s: one lost PING ends a quiet connection.`,
            },
          ]
        : [];
    },
  },
  {
    id: 'keepalive-zero',
    title: 'Keepalive 0 turns the watch off',
    level: 'error',
    scope: 'bridge',
    leadsTo: 'broker-unresponsive',
    source: 'nanomq-bridge-model §3.1; MQTT 5.0 §3.1.2.10',
    advice: 'keepalive = 30s.',
    check: (bridge) =>
      bridge.settings.keepaliveS === 0
        ? [
            {
              span: spanAt(bridge, 'keepalive'),
              message: `Keepalive is 0: the broker never notices a dead bridge, and the bridge sends a PINGREQ at every tick (${tickS(bridge)} s).`,
            },
          ]
        : [],
  },
  {
    id: 'keepalive-no-margin',
    title: 'The keepalive leaves no margin over the timer tick',
    level: 'error',
    scope: 'bridge',
    leadsTo: 'keepalive-too-short',
    source: 'nanomq-bridge-model §3.1 (ping period = keepalive rounded up to ticks), D15; NanoMQ sources, not measured',
    advice: 'keepalive = 30s and resend_interval at most a third of it.',
    check: (bridge) => {
      const { keepaliveS } = bridge.settings;
      if (keepaliveS === 0) return [];
      const tick = tickS(bridge);
      const margin = BROKER_LIMIT * keepaliveS - Math.ceil(keepaliveS / tick) * tick;
      return margin < MIN_MARGIN_S
        ? [
            {
              span: spanAt(bridge, 'keepalive'),
              message: `Keepalive ${keepaliveS} s with a tick of ${tick} s: a PINGREQ goes out after ${Math.ceil(keepaliveS / tick) * tick} s, the broker waits ${BROKER_LIMIT * keepaliveS} s. ${margin < 0 ? 'It comes too late.' : 'One lost packet ends the connection.'}`,
            },
          ]
        : [];
    },
  },
  {
    id: 'resend-after-keepalive',
    title: 'A lost message is resent later than the broker waits',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'subscribe-competition',
    source: 'nanomq-bridge-model §3.2, §4',
    advice: 'resend_wait and resend_interval together below one keepalive.',
    check: (bridge) => {
      const { keepaliveS } = bridge.settings;
      const wait = waitS(bridge) + tickS(bridge);
      return keepaliveS > 0 && wait > BROKER_LIMIT * keepaliveS
        ? [
            {
              span: spanAt(bridge, bridge.group.entries.has('resend_wait') ? 'resend_wait' : 'keepalive'),
              message: `A lost SUBSCRIBE or PUBLISH is resent after up to ${wait} s; the broker ends the connection after ${BROKER_LIMIT * keepaliveS} s of silence.`,
            },
          ]
        : [];
    },
  },
  {
    id: 'resend-slow',
    title: 'One resend a tick, and the tick is long',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'resend-starved',
    source: 'nanomq-bridge-model §3.2: one message a tick',
    advice: 'resend_interval = 1000 to 5000.',
    check: (bridge) =>
      bridge.group.entries.has('resend_interval') && tickS(bridge) > 5
        ? [
            {
              span: spanAt(bridge, 'resend_interval'),
              message: `One unacknowledged message is resent each ${tickS(bridge)} s: after an outage they hold their contexts for long.`,
            },
          ]
        : [],
  },
  {
    id: 'cancel-before-resend',
    title: 'A message is given up before it is resent',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'transport-loss',
    source: 'nanomq-bridge-model §2.5, §3.2',
    advice: 'cancel_timeout above resend_wait + resend_interval.',
    check: (bridge) => {
      const { settings, transport, profile } = bridge;
      const armed = transport === 'tcp' || profile.cancelTimer === 'always' || !settings.quicQosPriority;
      return transport !== null && armed && settings.cancelTimeoutMs <= waitS(bridge) * 1000
        ? [
            {
              span: spanAt(bridge, 'cancel_timeout'),
              message: `cancel_timeout ${settings.cancelTimeoutMs} ms is not above the resend wait, ${waitS(bridge) * 1000} ms: a QoS 1 or 2 message whose acknowledgement is late is lost, never resent.`,
            },
          ]
        : [];
    },
  },
  {
    id: 'ping-limit-is-backoff',
    title: 'backoff_max is the number of pings that may go unanswered',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'broker-unresponsive',
    source: 'nanomq-bridge-model D14: QUIC from 0.24.3; none fixes it',
    from: '0.24.3',
    advice: 'backoff_max = 5s.',
    check: (bridge) => {
      const { profile, settings, transport } = bridge;
      if (transport !== 'quic' || profile.pingLimit !== 'backoff_max' || settings.backoffMaxS < MANY_PINGS) return [];
      const seconds = settings.backoffMaxS * settings.keepaliveS + tickS(bridge);
      return [
        {
          span: spanAt(bridge, 'backoff_max'),
          message: `${settings.backoffMaxS} PINGREQs may go unanswered before the bridge gives a dead connection up: ${seconds} s.`,
        },
      ];
    },
  },
  {
    id: 'discon-timeout-zero',
    title: 'quic_discon_timeout 0',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'transport-loss',
    source: 'nanomq-logs §3.2; QUIC DisconnectTimeoutMs',
    advice: 'quic_discon_timeout = 20s.',
    check: (bridge) =>
      bridge.transport === 'quic' && bridge.settings.quicDisconnectTimeoutS === 0
        ? [
            {
              span: spanAt(bridge, 'quic_discon_timeout'),
              message: 'A packet that is not acknowledged at once ends the connection.',
            },
          ]
        : [],
  },
  {
    id: 'handshake-before-rtt',
    title: 'The handshake time-out is not above the initial round trip',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'transport-loss',
    source: 'measured 2.14: one Initial, then the handshake time-out; RFC 9002 §6.2.2',
    advice: 'Leave quic_initial_rtt_ms out, or write it so that the release reads it as 800 ms.',
    check: (bridge) => {
      const { quicInitialRttMs, quicHandshakeTimeoutS } = bridge.settings;
      return bridge.transport === 'quic' && quicInitialRttMs >= quicHandshakeTimeoutS * 1000
        ? [
            {
              span: spanAt(bridge, 'quic_initial_rtt_ms'),
              message: `In force: an initial round trip of ${quicInitialRttMs} ms and a handshake time-out of ${quicHandshakeTimeoutS} s. A dial whose first packet is lost is not repeated in time.`,
            },
          ]
        : [];
    },
  },
];

function tickS({ profile, settings }: BridgeScope): number {
  return (profile.tickMs === 'resend_interval' ? settings.resendIntervalMs : profile.tickMs) / 1000;
}

function waitS({ profile, settings }: BridgeScope): number {
  return (profile.resendWaitMs === 'resend_wait' ? settings.resendWaitMs : profile.resendWaitMs) / 1000;
}
