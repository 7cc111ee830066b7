/** Defects of a release that this bridge is open to (nanomq-bridge-model §7). Without a release they are left out. */

import type { BridgeRule } from '../rule.ts';
import type { BridgeScope } from '../scope.ts';
import { scalarAt, spanAt } from '../scope.ts';

const forwardsTo = (bridge: BridgeScope) => spanAt(bridge, 'forwards');
const acks = ({ forwards }: BridgeScope): boolean =>
  forwards.some((item) => item.kind === 'group' && Number(scalarAt(item, 'qos')?.value ?? 1) > 0);

export const releaseRules: readonly BridgeRule[] = [
  {
    id: 'release-receive-reset',
    title: 'The release lets received messages postpone PINGREQ (D1)',
    level: 'error',
    scope: 'bridge',
    leadsTo: 'keepalive-receive-reset',
    source: 'nanomq-bridge-model D1; measured 01a–01f',
    to: '0.23.1',
    needsRelease: true,
    advice: 'nanomq=0.23.10. Until then let something go up more often than the keepalive.',
    check: (bridge) =>
      bridge.transport === 'quic' && bridge.profile.pingTimerResetOnReceive === 'any' && bridge.subscriptions.length > 0
        ? [
            {
              span: spanAt(bridge, 'subscription'),
              message:
                'Messages that come down postpone PINGREQ for ever: without traffic upward the broker ends the connection after 1.5 to 2 keepalives.',
            },
          ]
        : [],
  },
  {
    id: 'tcp-receive-reset',
    title: 'Over TCP received messages postpone PINGREQ (D1b)',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'keepalive-receive-reset',
    source: 'nanomq-bridge-model D1b: all releases; measured 11b',
    needsRelease: true,
    advice: 'Let something go up more often than the keepalive, or subscribe with QoS 1.',
    check: (bridge) =>
      bridge.transport === 'tcp' && bridge.profile.pingTimerResetOnReceive === 'any' && bridge.subscriptions.length > 0
        ? [
            {
              span: spanAt(bridge, 'subscription'),
              message:
                'Messages that come down postpone PINGREQ: without traffic upward the broker ends the connection.',
            },
          ]
        : [],
  },
  {
    id: 'release-stuck-busy',
    title: 'The release can leave the send path busy for good (D3)',
    level: 'error',
    scope: 'bridge',
    leadsTo: 'stuck-busy',
    source: 'nanomq-bridge-model D3; measured 03a–03n',
    from: '0.23.2',
    to: '0.23.6',
    needsRelease: true,
    advice: 'nanomq=0.23.10. Neither keepalive, resend_wait, parallel nor quic_qos_priority help (measured 03g, 23).',
    check: (bridge) =>
      bridge.transport === 'quic' &&
      bridge.profile.offlineSend === 'park-all' &&
      !bridge.profile.clearBusyBeforeParked &&
      bridge.forwards.length > 0
        ? [
            {
              span: forwardsTo(bridge),
              message:
                'What is published before the bridge is connected is parked; after the connect the send path stays busy, and nothing ordinary goes out.',
            },
          ]
        : [],
  },
  {
    id: 'release-parks-qos0',
    title: 'The release parks QoS 0 while the bridge is down (D3b)',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'parked-before-connect',
    source: 'nanomq-bridge-model D3b; measured 03j: 228 of 1080 lost',
    from: '0.23.2',
    to: '0.23.9',
    needsRelease: true,
    advice: 'nanomq=0.23.10.',
    check: (bridge) =>
      bridge.transport === 'quic' && bridge.profile.offlineSend === 'park-all' && bridge.forwards.length > 0
        ? [
            {
              span: forwardsTo(bridge),
              message:
                'Messages published before the bridge is connected, with QoS 0 too, hold their contexts until it is.',
            },
          ]
        : [],
  },
  {
    id: 'release-receiver-dead',
    title: 'The release does not arm its receiver again after a stream died (D4)',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'receiver-dead',
    source: 'nanomq-bridge-model D4; measured 2.4, 2.5 (03l, 17)',
    to: '0.23.9',
    needsRelease: true,
    advice: 'nanomq=0.23.10.',
    check: (bridge) =>
      bridge.transport === 'quic' && !bridge.profile.rearmReceiveOnCancel
        ? [
            {
              span: spanAt(bridge, 'server'),
              message: 'After a stream was aborted no acknowledgement and no message is received any more.',
            },
          ]
        : [],
  },
  {
    id: 'release-send-error-stuck',
    title: 'The release stays busy after a message that the broker does not take (D7)',
    level: 'note',
    scope: 'bridge',
    leadsTo: 'send-error-stuck',
    source: 'nanomq-bridge-model D7; measured 2.6 (18, 18b)',
    from: '0.23.10',
    needsRelease: true,
    advice: 'Keep messages below the broker’s maximum packet size: mqtt.max_packet_size at most that of EMQX.',
    check: (bridge) =>
      bridge.transport === 'quic' &&
      bridge.settings.protocol === 5 &&
      bridge.profile.otherSendError === 'stuck-busy' &&
      bridge.forwards.length > 0
        ? [
            {
              span: forwardsTo(bridge),
              message:
                'A message above the broker’s maximum packet size leaves the send path busy until the broker disconnects.',
            },
          ]
        : [],
  },
  {
    id: 'release-offline-loop',
    title: 'The release resends cached messages at full speed while offline (D8)',
    level: 'note',
    scope: 'bridge',
    leadsTo: 'offline-resend-loop',
    source: 'nanomq-bridge-model D8; measured 2.10 (25b)',
    from: '0.24.3',
    to: '0.24.13',
    needsRelease: true,
    advice: 'nanomq=0.24.14.',
    check: (bridge) =>
      bridge.transport === 'quic' &&
      bridge.profile.offlineSend === 'to-ctx-msgs' &&
      !bridge.profile.connectedGuard &&
      acks(bridge)
        ? [
            {
              span: forwardsTo(bridge),
              message:
                'While the broker is away messages with QoS 1 or 2 circle between two queues and take a processor.',
            },
          ]
        : [],
  },
  {
    id: 'old-broker-counts-control-stream',
    title: 'Brokers up to EMQX 5.8.1 count the control stream only (D2)',
    level: 'note',
    scope: 'bridge',
    leadsTo: 'keepalive-control-stream',
    source: 'nanomq-bridge-model D2; measured 02a–02f',
    needsRelease: true,
    advice: 'emqx=5.8.2. quic_qos_priority=true helps messages with QoS 1 and 2 only.',
    check: (bridge) =>
      bridge.transport === 'quic' && bridge.profile.pingTimerResetOnSend !== 'never' && bridge.forwards.length > 0
        ? [
            {
              span: forwardsTo(bridge),
              message:
                'What goes up postpones PINGREQ; an EMQX of 5.8.1 or older does not count it, and ends the connection.',
            },
          ]
        : [],
  },
];
