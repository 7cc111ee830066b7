/** Measures of one simulated run of an incident. */
import {
  type BridgeProcess,
  type Choices,
  checkedBridge,
  checkTrace,
  type SimRecord,
  type SimSummary,
  simulate,
} from '../../engine/index.ts';
import { add, type Cycle, eventKey, type Measures } from './measures.ts';
import type { Scenario, ScenarioBridge } from './scenario.ts';

export interface Simulated {
  readonly measures: Measures;
  readonly records: readonly SimRecord[];
}

/** The bridges draw apart from each other. */
const SEEDS_APART = 10_000;

/**
 * Each bridge has a run of its own. What the bridges of one NanoMQ share is whether an earlier one is connected (D9), and the first
 * stays so from its start in the one incident with two.
 *
 * @throws TraceCheckError if the run breaks a rule that every trace must keep.
 */
export function measureSimulated(scenario: Scenario, seed: number, choices: Choices = {}): Simulated {
  const process: BridgeProcess = { execone: 0, bridges: 0 };
  const runs = scenario.bridges.map((bridge, index) => runBridge(bridge, process, seed + index * SEEDS_APART, choices));
  const [first] = runs;
  const { clientId } = scenario.bridges[0].options.bridge.settings;
  const records = runs.flatMap((run) => run.records);
  // The order within a run is kept.
  if (runs.length > 1) records.sort((left, right) => left.at - right.at);
  return {
    measures: {
      cycles: cyclesOf(first!.records, scenario),
      messages: messagesOf(runs.map(({ summary }) => summary)),
      events: eventsOf(records, clientId),
    },
    records,
  };
}

function runBridge({ options, stimuliOf }: ScenarioBridge, process: BridgeProcess, seed: number, choices: Choices) {
  const records: SimRecord[] = [];
  const { settings } = options.bridge;
  const summary = simulate(
    {
      ...options,
      bridge: { ...options.bridge, process },
      stimuli: stimuliOf(seed),
      seed,
      choices,
      wrapBridge: (machine) => checkedBridge(machine, settings.transport === 'quic' && settings.quicQosPriority),
    },
    (record) => records.push(record),
  );
  checkTrace(records, summary);
  return { records, summary };
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
  const { bridge } = scenario.bridges[0].options;
  const bridgeUser = bridge.settings.username;
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
  stopBefore(scenario.bridges[0].options.durationUs);
  return cycles;
}

function messagesOf(summaries: readonly SimSummary[]): Map<string, number> {
  const messages = new Map<string, number>();
  for (const summary of summaries) {
    for (const name of ['up', 'down'] as const) {
      const { offered, delivered } = summary[name];
      const arrived = delivered[0] + delivered[1] + delivered[2];
      add(messages, `${name} delivered`, arrived);
      add(messages, `${name} lost`, offered[0] + offered[1] + offered[2] - arrived);
    }
  }
  return messages;
}

/** The broker's of one client, the bridge's all. */
function eventsOf(records: readonly SimRecord[], clientId: string): Map<string, number> {
  const events = new Map<string, number>();
  for (const record of records) {
    const product = record.endpoint === 'bridge' ? 'nanomq' : 'emqx';
    // As the parsers have it: a line without metadata can name the client in its fields.
    if (product === 'emqx' && (record.clientId ?? record.fields?.client_id) !== clientId) continue;
    add(events, `${record.severity} ${eventKey(product, record.event, record.fields)}`, 1);
  }
  return events;
}
