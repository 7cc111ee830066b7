/**
 * Which releases have which defect. Data with its source; no rule compares versions itself. Ranges are inclusive; `to: '99'`: no
 * release is known to cure it.
 */
import { releaseIs } from './conditions.ts';
import type { BridgeStory } from './story.ts';

interface Defect {
  readonly product: 'nanomq' | 'emqx';
  readonly from: string;
  readonly to: string;
  readonly source: string;
}

export const DEFECTS = {
  'keepalive-receive-reset': {
    product: 'nanomq',
    from: '0.22.10',
    to: '0.23.1',
    source:
      'NanoNNG b0cb1443e and 36522cdaf (nanomq#1958), released in 0.23.2; measured: 0.23.1 cycles, 0.23.10 does not',
  },
  'keepalive-control-stream': {
    product: 'emqx',
    from: '5.0.5',
    to: '5.8.1',
    source: 'EMQX 472f2b7201, in 5.8.2 (not 5.8.3); measured: 5.8.1 cycles, 5.8.2 does not',
  },
  'stuck-busy': {
    product: 'nanomq',
    from: '0.23.2',
    to: '0.23.6',
    source: 'NanoNNG c86a8064e (PR #1189, nanomq#2011), released in 0.23.7; measured: 0.23.6 stalls, 0.23.7 does not',
  },
  'parked-before-connect': {
    product: 'nanomq',
    from: '0.23.2',
    to: '0.23.9',
    source: 'NanoNNG e0a11d239, released in 0.23.10',
  },
  'receiver-dead': {
    product: 'nanomq',
    from: '0.22.10',
    to: '0.23.9',
    source: 'NanoNNG e0a11d239, released in 0.23.10; measured: 0.23.6 dies, 0.23.10 goes on',
  },
  'send-error-stuck': {
    product: 'nanomq',
    from: '0.23.10',
    to: '99',
    source: 'measured: 0.23.10, 0.24.11 and 0.25.3 stall, 0.23.6 loses the large message only',
  },
  'offline-resend-loop': {
    product: 'nanomq',
    from: '0.24.3',
    to: '99',
    source: 'nanomq f2305fb3 mitigates it; measured: 0.24.11 spins at 80 to 96 % of a CPU',
  },
  'queue-capacity-zero': {
    product: 'nanomq',
    from: '0.23.10',
    to: '99',
    source: 'NanoMQ sources: the send queue takes max_send_queue_len, 0 if the key is absent; measured: 0.23.10',
  },
} as const satisfies { readonly [id: string]: Defect };

/** Whether the product of this story has the defect: `inside`, `outside`, or `unknown` where the logs leave it open. */
export function hasDefect(story: BridgeStory, id: keyof typeof DEFECTS): 'inside' | 'outside' | 'unknown' {
  const { product, from, to } = DEFECTS[id];
  return releaseIs(product === 'nanomq' ? story.nanomqReleases : story.emqxReleases, from, to);
}

/** What to say in `missing` where a rule needs the release and does not know it. */
export function releaseMissing(story: BridgeStory, id: keyof typeof DEFECTS): string[] {
  if (hasDefect(story, id) !== 'unknown') return [];
  const { product, from, to } = DEFECTS[id];
  const range = to === '99' ? `${from} and later` : `${from} to ${to}`;
  return [
    product === 'nanomq'
      ? `the NanoMQ release (${range} have this defect): nanomq --version, or its log from the start of the process at level info`
      : `the EMQX release (${range} have this defect): emqx ctl broker, or its log from the start of the node`,
  ];
}
