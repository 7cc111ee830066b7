/** Keys that NanoMQ reads and that then do nothing, each with the condition (nanomq-logs §3.2, nanomq-bridge-model §1–§3). */
import type { BridgeScope } from './scope.ts';

export interface EffectRow {
  readonly key: string;
  /** First and last release; absent: the oldest or newest known. */
  readonly from?: string;
  readonly to?: string;
  readonly when: (bridge: BridgeScope) => boolean;
  readonly why: string;
  readonly source: string;
}

const always = (): boolean => true;
const overQuic = ({ transport }: BridgeScope): boolean => transport === 'quic';
const overTcp = ({ transport }: BridgeScope): boolean => transport === 'tcp';

export const WITHOUT_EFFECT: readonly EffectRow[] = [
  {
    key: 'quic_multi_stream',
    when: always,
    why: 'sub-streams are always on from 0.22.10, whatever it says',
    source: 'nanomq-logs §3.2',
  },
  {
    key: 'quic_0rtt',
    when: overQuic,
    why: 'it decides only whether a ticket is kept, and no connection ever uses one',
    source: 'nanomq-bridge-model §6',
  },
  {
    key: 'congestion_control',
    when: always,
    why: 'the key is not read; the congestion control is CUBIC',
    source: 'nanomq-bridge-model §6, conf_ver2.c',
  },
  {
    key: 'quic_congestion_control',
    when: always,
    why: 'its value is never passed on; the congestion control is CUBIC',
    source: 'nanomq-bridge-model §6',
  },
  {
    key: 'resend_interval',
    when: ({ transport, profile }) => transport === 'quic' && profile.tickMs !== 'resend_interval',
    to: '0.24.2',
    why: 'over QUIC the tick is fixed at 5000 ms',
    source: 'nanomq-bridge-model §3.1',
  },
  {
    key: 'resend_wait',
    when: ({ transport, profile }) => transport === 'quic' && profile.resendWaitMs !== 'resend_wait',
    to: '0.24.2',
    why: 'over QUIC the wait is fixed at 3000 ms',
    source: 'nanomq-bridge-model §3.2',
  },
  {
    key: 'cancel_timeout',
    when: ({ transport, settings }) => transport === 'quic' && settings.quicQosPriority,
    why: 'with quic_qos_priority=true no cancel timer is armed',
    source: 'nanomq-bridge-model §2.4-3',
  },
  {
    key: 'max_recv_queue_len',
    when: overTcp,
    why: 'over TCP the downlink queue holds 64 messages whatever it says',
    source: 'nanomq-bridge-model §1',
  },
  {
    key: 'bridge_mode',
    to: '0.23.2',
    when: always,
    why: 'a bridge is always on before 0.23.3',
    source: 'nanomq-logs §3.2',
  },
];
