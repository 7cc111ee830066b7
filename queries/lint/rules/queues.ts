/** Queues and contexts (nanomq-bridge-model §1, §2). */

import type { BridgeRule } from '../rule.ts';
import { scalarAt, spanAt } from '../scope.ts';

/** The default. More is what people set who want to send faster. */
const DOWNLINK_CONTEXTS = 2;

export const queueRules: readonly BridgeRule[] = [
  {
    id: 'send-queue-absent',
    title: 'Without max_send_queue_len nothing can be queued',
    level: 'error',
    scope: 'bridge',
    leadsTo: 'queue-capacity-zero',
    source: 'nanomq-bridge-model D12; measured 2.7 (19, 19b): 76 % of QoS 1 lost without it, none with 128',
    from: '0.23.1',
    advice: 'max_send_queue_len = 128.',
    check: (bridge) => {
      const { profile, settings, forwards } = bridge;
      const used = profile.ctxMsgs !== 'none' || profile.sendQueueCap === 'max_send_queue_len';
      return used && settings.maxSendQueueLen === 0 && forwards.length > 0
        ? [
            {
              span: spanAt(bridge, 'max_send_queue_len'),
              message: `The bridge ${bridge.name} has no max_send_queue_len above 0: the capacity is 0, and what cannot be sent at once is lost.`,
            },
          ]
        : [];
    },
  },
  {
    id: 'receive-queue-absent',
    title: 'Without max_recv_queue_len nothing waits for a context',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'queue-capacity-zero',
    source: 'nanomq-bridge-model §1, D12',
    from: '0.23.10',
    advice: 'max_recv_queue_len = 128.',
    check: (bridge) =>
      bridge.transport === 'quic' &&
      bridge.profile.receiveQueue === 'max_recv_queue_len' &&
      bridge.settings.maxRecvQueueLen === 0 &&
      bridge.subscriptions.length > 0
        ? [
            {
              span: spanAt(bridge, 'max_recv_queue_len'),
              message: `The bridge ${bridge.name} has no max_recv_queue_len above 0: a message from the broker that finds no free context is lost.`,
            },
          ]
        : [],
  },
  {
    id: 'parallel-misbelief',
    title: 'max_parallel_processes does not raise what can be sent at a time',
    level: 'note',
    scope: 'bridge',
    leadsTo: 'aio-load',
    source: 'nanomq-bridge-model §1; measured 23: 8 did not help',
    advice: 'For more messages in flight upward raise system.parallel.',
    check: (bridge) =>
      bridge.settings.maxParallelProcesses > DOWNLINK_CONTEXTS
        ? [
            {
              span: spanAt(bridge, 'max_parallel_processes'),
              message:
                'It counts contexts for messages from the broker; upward there is one message with QoS 1 or 2 in flight for each context of system.parallel.',
            },
          ]
        : [],
  },
  {
    id: 'parallel-one',
    title: 'One context sends one acknowledged message at a time',
    level: 'warning',
    scope: 'bridge',
    leadsTo: 'aio-load',
    source: 'nanomq-bridge-model §1',
    advice: 'system.parallel = 8 or more.',
    check: (bridge, { root }) => {
      const parallel = root.entries.get('system')?.value;
      const scalar = parallel?.kind === 'group' ? scalarAt(parallel, 'parallel') : null;
      return scalar?.value === 1 && bridge.forwards.length > 0
        ? [
            {
              span: scalar.span,
              message: `With system.parallel = 1 the bridge ${bridge.name} waits for each acknowledgement before the next message.`,
            },
          ]
        : [];
    },
  },
  {
    id: 'qos0-retry-without-effect',
    title: 'retry_qos_0 needs the offline cache',
    level: 'warning',
    scope: 'bridge',
    leadsTo: null,
    source: 'nanomq-logs §3.2: SQLite only until 0.24.2 (QUIC), 0.24.4 (TCP)',
    from: '0.23.10',
    to: '0.24.4',
    advice: 'Configure bridges.mqtt.cache in a build with SQLite, or upgrade.',
    check: (bridge, { root }) => {
      const mqtt = root.entries.get('bridges')?.value;
      const group = mqtt?.kind === 'group' ? mqtt.entries.get('mqtt')?.value : undefined;
      const cached = group?.kind === 'group' && group.entries.has('cache');
      return bridge.settings.retryQos0 && !cached && bridge.profile.busyQos0 !== 'queue-if-retry_qos_0'
        ? [
            {
              span: spanAt(bridge, 'retry_qos_0'),
              message: 'In this release retry_qos_0 keeps messages only in the SQLite cache, and there is none.',
            },
          ]
        : [];
    },
  },
];
