/**
 * What the logs of an incident could show. A baseline replay is compared through the same eyes: its records that the logs would not
 * have held are left out first, so that the same rules name the same cause and a hidden number is unknown on both sides.
 */
import type { SimRecord } from '../engine/index.ts';
import { SEVERITY_RANK } from '../engine/severity.ts';
import type { BridgeStory, Database } from '../queries/index.ts';

export type LogLevel = 'debug' | 'info' | 'warn';

export interface Visibility {
  /** The lowest level of the log; null: there is none. */
  readonly bridge: LogLevel | null;
  readonly broker: LogLevel | null;
  /** The broker's packets of the bridge, and the messages it routed: from a debug log or a trace. */
  readonly packets: boolean;
  readonly routed: boolean;
}

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn'];
export const EVERYTHING: Visibility = { bridge: 'debug', broker: 'debug', packets: true, routed: true };

/** Needs the temporary tables that `loadStories` makes of the same run. */
export async function visibilityOf(database: Database, { levels }: BridgeStory): Promise<Visibility> {
  const [row] = await database.all<{ info: boolean | null }>(
    "SELECT bool_or(severity IN ('info', 'notice')) AS info FROM run_broker_events",
  );
  const brokerInfo = row?.info ?? false;
  const bridge = levels.clientDebug ? 'debug' : levels.clientInfo ? 'info' : 'warn';
  const broker = levels.brokerPackets || levels.brokerRouted ? 'debug' : brokerInfo ? 'info' : 'warn';
  return {
    bridge: levels.client ? bridge : null,
    broker: levels.broker ? broker : null,
    packets: levels.brokerPackets,
    routed: levels.brokerRouted,
  };
}

export function showsEverything(visibility: Visibility): boolean {
  return visibility.bridge === 'debug' && visibility.broker === 'debug' && visibility.packets && visibility.routed;
}

/** True for a record that logs of this kind would hold. */
export function isVisible(record: SimRecord, visibility: Visibility): boolean {
  const level = visibility[record.endpoint];
  if (level === null || SEVERITY_RANK[record.severity] < SEVERITY_RANK[level]) return false;
  if (record.endpoint === 'bridge') return true;
  if (record.event === 'publish_routed') return visibility.routed;
  return visibility.packets || !record.event.startsWith('mqtt_packet');
}
