/**
 * Finds the bridges of every NanoMQ in a run: name, address, client id and settings, from the configuration it prints at boot;
 * where that is cut off or hidden by the level, from the lines that name an address, else from the fact that it logs a bridge.
 */
import { type Database, readSql } from '../database.ts';

export interface Bridge {
  readonly endpointId: bigint;
  readonly bridgeId: string;
  readonly address: string | null;
  readonly clientId: string | null;
  readonly clientKnownBy: string | null;
  readonly transport: 'quic' | 'tcp' | null;
  readonly keepaliveS: number | null;
  /** As printed at boot: keys of nanomq.conf, `parallel`, and the lists `subscription` and `forwards`. */
  readonly settings: { readonly [key: string]: unknown };
}

interface ConfRow {
  endpoint_id: bigint | number;
  bridge_id: string | null;
  event: string;
  attributes: string;
}

/** Needs the temporary tables of record-kinds.sql and bridge-lines.sql. */
export async function findBridges(database: Database): Promise<Bridge[]> {
  const rows = await database.all<ConfRow>(readSql('derive', 'bridge-settings.sql'));
  const found = new Map<string, { endpointId: bigint; bridgeId: string; settings: Record<string, unknown> }>();
  const general = new Map<string, Record<string, unknown>>();
  for (const row of rows) {
    const endpointId = BigInt(row.endpoint_id);
    const values = JSON.parse(row.attributes) as {
      key: string;
      value: string | number | null;
      section?: string;
      index?: number;
    };
    if (row.event === 'conf_value') {
      const settings = general.get(String(endpointId)) ?? {};
      settings[values.key] = values.value;
      general.set(String(endpointId), settings);
      continue;
    }
    if (row.bridge_id === null) continue;
    const key = `${endpointId} ${row.bridge_id}`;
    const bridge = found.get(key) ?? { endpointId, bridgeId: row.bridge_id, settings: {} };
    found.set(key, bridge);
    if (row.event === 'conf_bridge') bridge.settings[values.key] = values.value;
    else addItem(bridge.settings, values);
  }
  const seen = await observedBridges(database);
  for (const one of seen) {
    if (![...found.values()].some((bridge) => bridge.endpointId === one.endpointId)) {
      found.set(`${one.endpointId} ${one.bridgeId}`, { ...one, settings: { address: one.address } });
    }
  }
  return [...found.values()]
    .filter((bridge) => !['0', 'false', 0, false].includes(bridge.settings.enable as string))
    .map((bridge) => describe(bridge, general.get(String(bridge.endpointId)) ?? {}, seen));
}

interface Observed {
  endpointId: bigint;
  bridgeId: string;
  address: string | null;
  transport: 'quic' | 'tcp' | null;
  keepaliveS: number | null;
}

/** What the ordinary lines tell: addresses they name, QUIC or TCP, and the keepalive in force. */
async function observedBridges(database: Database): Promise<Observed[]> {
  const rows = await database.all<{
    endpoint_id: bigint | number;
    address: string | null;
    quic: boolean;
    keepalive_s: number | null;
  }>(readSql('derive', 'bridge-signs.sql'));
  const byEndpoint = new Map<string, Observed[]>();
  for (const row of rows) {
    const endpointId = BigInt(row.endpoint_id);
    const list = byEndpoint.get(String(endpointId)) ?? [];
    byEndpoint.set(String(endpointId), list);
    if (row.address !== null) {
      list.push({
        endpointId,
        bridgeId: row.address,
        address: row.address,
        transport: schemeTransport(row.address),
        keepaliveS: null,
      });
      continue;
    }
    if (list.length === 0)
      list.push({
        endpointId,
        bridgeId: 'bridge',
        address: null,
        transport: row.quic ? 'quic' : 'tcp',
        keepaliveS: null,
      });
    for (const one of list) one.keepaliveS = row.keepalive_s;
  }
  return [...byEndpoint.values()].flat();
}

function describe(
  bridge: { endpointId: bigint; bridgeId: string; settings: Record<string, unknown> },
  general: Record<string, unknown>,
  seen: readonly Observed[],
): Bridge {
  const address = text(bridge.settings.address);
  const clientId = text(bridge.settings.clientid);
  const here = seen.filter((one) => one.endpointId === bridge.endpointId);
  const match = here.find((one) => one.address === address) ?? here[0];
  return {
    endpointId: bridge.endpointId,
    bridgeId: bridge.bridgeId,
    address,
    clientId: clientId === '(null)' ? null : clientId,
    clientKnownBy: clientId === null || clientId === '(null)' ? null : 'boot-dump',
    transport: (address === null ? null : schemeTransport(address)) ?? match?.transport ?? null,
    keepaliveS: number(bridge.settings.keepalive) ?? match?.keepaliveS ?? null,
    settings: { ...bridge.settings, ...('parallel' in general ? { parallel: general.parallel } : {}) },
  };
}

function addItem(
  settings: Record<string, unknown>,
  item: { section?: string; index?: number; key: string; value: unknown },
): void {
  const section = item.section ?? 'items';
  const list = (settings[section] as Record<string, unknown>[] | undefined) ?? [];
  settings[section] = list;
  // The dump numbers the entries of one list from 0 or 1; a repeated first key opens a new entry.
  let entry = list.find((one) => one.index === item.index);
  if (entry === undefined) {
    entry = { index: item.index };
    list.push(entry);
  }
  entry[item.key] = item.value;
}

function schemeTransport(address: string): 'quic' | 'tcp' | null {
  if (/^mqtt-quic:/i.test(address)) return 'quic';
  if (/^(tls\+)?mqtt-tcp:|^(tls\+)?nmq-tcp:|^mqtt:|^mqtts:/i.test(address)) return 'tcp';
  return null;
}

function text(value: unknown): string | null {
  return value === undefined || value === null || value === '' ? null : String(value);
}

function number(value: unknown): number | null {
  const parsed = Number(value);
  return value === undefined || value === null || value === '' || Number.isNaN(parsed) ? null : parsed;
}
