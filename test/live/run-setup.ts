/** Set-ups for whole live runs and what is read from their records. */

import assert from 'node:assert/strict';
import { type LiveOptions, runLive } from '../../engine/live/run-live.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS } from '../../engine/profiles/emqx.ts';
import { bridgeDefaults, bridgeProfile } from '../../engine/profiles/nanomq.ts';
import type { SimSummary } from '../../engine/sim/options.ts';
import { simulate } from '../../engine/sim/simulate.ts';
import { SECOND } from '../../engine/time.ts';
import type { BridgeSettings, BrokerSettings, Qos, SimRecord, Stimulus } from '../../engine/types.ts';

export interface Setup {
  readonly nanomq: string;
  readonly emqx: string;
  readonly bridge?: Partial<BridgeSettings>;
  readonly broker?: Partial<BrokerSettings>;
  readonly stimuli: readonly Stimulus[];
  readonly seconds: number;
  readonly live?: Partial<LiveOptions>;
}

export function optionsOf({ nanomq, emqx, bridge, broker, stimuli, seconds, live }: Setup): LiveOptions {
  const transport = bridge?.transport ?? 'quic';
  return {
    bridge: {
      profile: bridgeProfile(nanomq, transport).profile,
      settings: {
        ...bridgeDefaults(nanomq, transport),
        protocol: 5,
        clientId: 'edge-1',
        maxSendQueueLen: 64,
        subscriptions: [{ topic: 'down/#', qos: 1 }],
        ...bridge,
      },
    },
    broker: { profile: brokerProfile(emqx).profile, settings: { ...DEFAULT_BROKER_SETTINGS, ...broker } },
    stimuli,
    durationUs: seconds * SECOND,
    seed: 7,
    ...live,
  };
}

export interface Outcome {
  readonly summary: SimSummary;
  readonly records: readonly SimRecord[];
}

export async function live(setup: Setup): Promise<Outcome> {
  const records: SimRecord[] = [];
  const summary = await runLive(optionsOf(setup), (record) => records.push(record));
  assertSound({ summary, records });
  return { summary, records };
}

export function simulated(setup: Setup): Outcome {
  const records: SimRecord[] = [];
  const summary = simulate(optionsOf(setup), (record) => records.push(record));
  return { summary, records };
}

/** Holds for every run: times in order and within the run, no message unaccounted for. */
export function assertSound({ summary, records }: Outcome): void {
  assert.equal(summary.records, records.length);
  assert.equal(summary.unaccounted, 0);
  let last = 0;
  for (const { at } of records) {
    assert.ok(Number.isInteger(at) && at >= last && at <= summary.endedAt, `record at ${at} after ${last}`);
    last = at;
  }
}

export const count = ({ records }: Outcome, event: string): number =>
  records.filter((record) => record.event === event).length;

/** Broker's trace: packets of one kind on control streams. */
export const packets = ({ records }: Outcome, event: string, packet: string): SimRecord[] =>
  records.filter((record) => record.event === event && record.fields?.packet === packet);

export const kinds = ({ records }: Outcome): Set<string> =>
  new Set(
    records.filter(({ event }) => !event.startsWith('live_')).map(({ endpoint, event }) => `${endpoint} ${event}`),
  );

export function publishes(count: number, fromUs: number, everyUs: number, qosOf: (index: number) => Qos): Stimulus[] {
  return Array.from({ length: count }, (_, index) => ({
    at: fromUs + index * everyUs,
    kind: 'publish' as const,
    message: { seq: index, topic: `up/${index % 3}`, qos: qosOf(index), size: index * 40 },
  }));
}

export function downlinks(count: number, fromUs: number, everyUs: number, qos: Qos): Stimulus[] {
  return Array.from({ length: count }, (_, index) => ({
    at: fromUs + index * everyUs,
    kind: 'downlink' as const,
    message: { seq: index, topic: 'down/x', qos, size: 50 },
  }));
}

export const inOrder = (...lists: readonly Stimulus[][]): Stimulus[] =>
  lists.flat().sort((left, right) => left.at - right.at);
