/** Measures of one simulated run of an incident. */
import {
  type Choices,
  checkedBridge,
  checkTrace,
  type SimRecord,
  type SimSummary,
  simulate,
} from '../../engine/index.ts';
import { add, type Cycle, eventKey, type Measures } from './measures.ts';
import type { Scenario } from './scenario.ts';

export interface Simulated {
  readonly measures: Measures;
  readonly records: readonly SimRecord[];
  readonly summary: SimSummary;
}

/** @throws TraceCheckError if the run breaks a rule that every trace must keep. */
export function measureSimulated(scenario: Scenario, seed: number, choices: Choices = {}): Simulated {
  const records: SimRecord[] = [];
  const { settings } = scenario.options.bridge;
  const summary = simulate(
    {
      ...scenario.options,
      stimuli: scenario.stimuliOf(seed),
      seed,
      choices,
      wrapBridge: (machine) => checkedBridge(machine, settings.transport === 'quic' && settings.quicQosPriority),
    },
    (record) => records.push(record),
  );
  checkTrace(records, summary);
  return {
    measures: {
      cycles: cyclesOf(records, scenario),
      messages: messagesOf(summary),
      events: eventsOf(records, scenario),
    },
    records,
    summary,
  };
}

const REPLACED: ReadonlyMap<number, string> = new Map([
  [142, 'discarded'],
  [152, 'kicked'],
]);

/** Sessions of the bridge: CONNACK to the terminate line; a broker that stops writes none. */
function cyclesOf(records: readonly SimRecord[], scenario: Scenario): Cycle[] {
  const connectedAt = new Map<string, number>();
  const cycles: Cycle[] = [];
  const stops = [...scenario.brokerStops];
  const bridgeUser = scenario.options.bridge.settings.username;
  const rivals = new Set<string>();
  const end = (peer: string, at: number, reason: string): void => {
    const from = connectedAt.get(peer);
    if (from === undefined) return;
    connectedAt.delete(peer);
    cycles.push({ reason, connectedS: (at - from) / 1e6, endS: at / 1e6 });
  };
  const stopBefore = (at: number): void => {
    while (stops[0] !== undefined && stops[0] <= at) {
      const stop = stops.shift()!;
      for (const [peer, from] of connectedAt) if (from < stop) end(peer, stop, 'broker_stopped');
    }
  };
  for (const { endpoint, event, at, peer, fields } of records) {
    if (endpoint !== 'broker' || peer === null) continue;
    stopBefore(at);
    if (fields?.packet === 'CONNECT' && fields.username !== bridgeUser) rivals.add(peer);
    if (rivals.has(peer)) continue;
    const accepted = fields?.packet === 'CONNACK' && fields.reason_code === 0;
    if (event === 'mqtt_packet_sent' && accepted) connectedAt.set(peer, at);
    // The broker's hook runs when a session is taken over or kicked, and for others when its process ends.
    const replaced = event === 'mqtt_packet_sent' ? REPLACED.get(Number(fields?.reason_code)) : undefined;
    if (fields?.packet === 'DISCONNECT' && replaced !== undefined) end(peer, at, replaced);
    if (event === 'connection_terminate_info') end(peer, at, String(fields?.reason));
  }
  stopBefore(scenario.options.durationUs);
  return cycles;
}

function messagesOf(summary: SimSummary): Map<string, number> {
  const messages = new Map<string, number>();
  for (const name of ['up', 'down'] as const) {
    const { offered, delivered } = summary[name];
    const arrived = delivered[0] + delivered[1] + delivered[2];
    messages.set(`${name} delivered`, arrived);
    messages.set(`${name} lost`, offered[0] + offered[1] + offered[2] - arrived);
  }
  return messages;
}

function eventsOf(records: readonly SimRecord[], scenario: Scenario): Map<string, number> {
  const events = new Map<string, number>();
  const { clientId } = scenario.options.bridge.settings;
  for (const record of records) {
    const product = record.endpoint === 'bridge' ? 'nanomq' : 'emqx';
    if (product === 'emqx' && record.clientId !== clientId) continue;
    add(events, `${record.severity} ${eventKey(product, record.event, record.fields)}`, 1);
  }
  return events;
}
