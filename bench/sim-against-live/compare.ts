/** One incident in the simulator and on sockets: what both say, and how far their instants are apart. */

import { type SimRecord, type SimSummary, simulate } from '../../engine/index.ts';
import { runLive } from '../../engine/live/run-live.ts';
import { findingsOfRecords } from '../printed-logs.ts';
import { optionsOf, type Scenario } from './scenarios.ts';

/** µs since the epoch of the printed logs' start; a round number. */
const START = Date.UTC(2026, 0, 1) * 1000;
/** What a reader of either log would set a watch by. */
const INSTANTS = ['bridge_connected', 'bridge_disconnected', 'socket_force_closed'] as const;

/** What is compared of one run. */
export interface Told {
  /** Names, sorted. */
  readonly findings: readonly string[];
  /** Ends of connections, by the bridge. */
  readonly cycles: number;
  /** Seconds, by event, in order. */
  readonly instants: Readonly<Record<(typeof INSTANTS)[number], readonly number[]>>;
  /** Distinct messages. */
  readonly delivered: Readonly<Record<'up' | 'down', number>>;
}

export interface Comparison {
  readonly scenario: Scenario;
  readonly simulated: Told;
  readonly live: Told;
  /** Largest distance of two instants of the same number, s; null: their numbers differ. */
  readonly apartS: number | null;
  /** Largest allowed. */
  readonly allowedS: number;
}

export const isMet = ({ simulated, live, apartS, allowedS }: Comparison): boolean =>
  String(simulated.findings) === String(live.findings) &&
  simulated.cycles === live.cycles &&
  apartS !== null &&
  apartS <= allowedS;

/** @param speed machine seconds per real second */
export async function compare(scenario: Scenario, seed: number, speed: number): Promise<Comparison> {
  const simulated = await told(scenario, (sink) => simulate(optionsOf(scenario, seed), sink));
  const live = await told(scenario, (sink) => runLive({ ...optionsOf(scenario, seed), speed }, sink));
  return {
    scenario,
    simulated,
    live,
    apartS: apart(simulated, live),
    allowedS: Math.max(0.3, scenario.durationS / 100),
  };
}

async function told(
  scenario: Scenario,
  run: (sink: (record: SimRecord) => void) => SimSummary | Promise<SimSummary>,
): Promise<Told> {
  const records: SimRecord[] = [];
  const { up, down } = await run((record) => records.push(record));
  const { nanomq, emqx } = scenario;
  const findings = await findingsOfRecords(records, { nanomq, emqx, clientId: 'nano-bridge', start: START });
  const times = (event: string): number[] =>
    records.filter((record) => record.event === event).map(({ at }) => at / 1e6);
  const sum = ({ delivered }: SimSummary['up']): number => delivered[0] + delivered[1] + delivered[2];
  return {
    findings: [...new Set(findings.map(({ id }) => id))].sort(),
    cycles: times('bridge_disconnected').length,
    instants: {
      bridge_connected: times('bridge_connected'),
      bridge_disconnected: times('bridge_disconnected'),
      socket_force_closed: times('socket_force_closed'),
    },
    delivered: { up: sum(up), down: sum(down) },
  };
}

function apart(one: Told, other: Told): number | null {
  let most = 0;
  for (const event of INSTANTS) {
    const [left, right] = [one.instants[event], other.instants[event]];
    if (left.length !== right.length) return null;
    left.forEach((at, index) => {
      most = Math.max(most, Math.abs(at - right[index]!));
    });
  }
  return most;
}
