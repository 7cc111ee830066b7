/**
 * The cassette: an incident's traffic, settings and outside events, as NDJSON that can be read, compared and edited by eye.
 *
 * First line a header, then one entry a stimulus in time order. Every entry says where it comes from: `observed` (a log line shows
 * it; `source` and `line` name it), `inferred` (it follows from lines by a stated rule) or `assumed`. Payload bytes are not kept:
 * size and order stand in. For people the format is in docs/CASSETTE.md.
 */
import {
  type BridgeSettings,
  type BrokerSettings,
  DEFAULT_BRIDGE_SETTINGS,
  DEFAULT_BROKER_SETTINGS,
} from '../engine/index.ts';
import { CassetteError } from '../queries/index.ts';
import { type Entry, entryProblem, isAmount, isCount, isObject, isQos, linkProblem, type Origin } from './entry.ts';
import type { Incident } from './incident.ts';
import { LOG_LEVELS, type Visibility } from './visibility.ts';

export const CASSETTE_SCHEMA = 1;
/** A cassette is read into memory as a whole; this bounds it (a day at 35 messages a second is 3 million). */
export const MAX_ENTRIES = 5_000_000;

export interface Header {
  readonly type: 'header';
  readonly schema: number;
  readonly start: string; // ISO 8601, the instant at = 0
  readonly duration_us: number;
  readonly bridge: {
    readonly id: string;
    readonly release: string;
    readonly release_known_by: string;
    readonly settings: Partial<BridgeSettings>;
    readonly origins: Readonly<Record<string, Origin>>;
  };
  readonly broker: {
    readonly release: string;
    readonly release_known_by: string;
    readonly settings: Partial<BrokerSettings>;
    readonly origins: Readonly<Record<string, Origin>>;
  };
  /** The network at the start; absent: loopback. */
  readonly link?: LinkHeader;
  readonly incident: Incident;
  /** What the logs could show; absent: everything. */
  readonly visible?: Visibility;
  /** Whether the lines show what was offered upward: all, only some of it, or nothing. Absent: all. */
  readonly uplink?: UplinkKnown;
}

export type UplinkKnown = 'shown' | 'partly' | 'hidden';
const UPLINK_KNOWN: readonly UplinkKnown[] = ['shown', 'partly', 'hidden'];

export interface LinkHeader {
  readonly delay_ms?: number; // one way
  readonly jitter_ms?: number;
  readonly loss?: number; // share, 0 to 1
  /** What a dial meets while the broker is stopped: nothing, or an ICMP error or RST at once. Absent: nothing over QUIC, RST over TCP. */
  readonly broker_down?: 'silent' | 'refused';
}

export interface Cassette {
  readonly header: Header;
  readonly entries: readonly Entry[];
}

export function printCassette(cassette: Cassette): string {
  return `${[cassette.header, ...cassette.entries].map((line) => JSON.stringify(line)).join('\n')}\n`;
}

/** Shares of the entries by origin (choices not counted), each 0 to 1. */
export function fidelity(cassette: Cassette): Record<Origin, number> {
  const counts: Record<Origin, number> = { observed: 0, inferred: 0, assumed: 0 };
  for (const entry of cassette.entries) if (entry.type !== 'choice') counts[entry.origin] += 1;
  const all = counts.observed + counts.inferred + counts.assumed;
  if (all === 0) return counts;
  return { observed: counts.observed / all, inferred: counts.inferred / all, assumed: counts.assumed / all };
}

/** Reads NDJSON. Throws CassetteError with file and line for anything that breaks the format. */
export function parseCassette(text: string, file: string): Cassette {
  const lines = text.split('\n');
  const fail = (index: number, message: string): never => {
    throw new CassetteError(message, {
      file,
      line: index + 1,
      excerpt: lines[index]?.slice(0, 200) ?? null,
      hint: 'Rebuild it with bridgetrace rebuild, or mend that line.',
    });
  };
  const read = (index: number): Record<string, unknown> => {
    try {
      const value: unknown = JSON.parse(lines[index] ?? '');
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    } catch {
      // falls through to the same message: the reader needs the line, not the parser's words
    }
    return fail(index, 'This line is not a JSON object.');
  };
  const header = read(0);
  if (header.type !== 'header') fail(0, 'The first line of a cassette is its header ({"type":"header",…}).');
  if (header.schema !== CASSETTE_SCHEMA)
    fail(0, `This cassette has schema ${String(header.schema)}; this bridgetrace reads schema ${CASSETTE_SCHEMA}.`);
  const problem = headerProblem(header);
  if (problem !== null) fail(0, problem);
  const entries: Entry[] = [];
  let previous = 0;
  for (let index = 1; index < lines.length; index += 1) {
    if (lines[index]?.trim() === '') continue;
    if (entries.length >= MAX_ENTRIES) fail(index, `A cassette may have ${MAX_ENTRIES} entries at most.`);
    const entry = read(index);
    const wrong = entryProblem(entry);
    if (wrong !== null) fail(index, wrong);
    if ((entry.at as number) < previous)
      fail(index, 'Entries must be in order of time: this one lies before the one above it.');
    if ((entry.at as number) > (header.duration_us as number))
      fail(index, `This entry lies after the end of the cassette (duration_us ${header.duration_us}).`);
    previous = entry.at as number;
    entries.push(entry as unknown as Entry);
  }
  return { header: header as unknown as Header, entries };
}

function headerProblem(header: Record<string, unknown>): string | null {
  if (!Number.isSafeInteger(header.duration_us) || (header.duration_us as number) <= 0)
    return 'The header needs duration_us, a positive whole number.';
  for (const side of ['bridge', 'broker'] as const) {
    const part = header[side];
    if (!isObject(part)) return `The header needs ${side}.`;
    if (typeof part.release !== 'string' || !/\d+\.\d+/.test(part.release))
      return `The header needs ${side}.release, such as "0.23.6".`;
    if (!isObject(part.settings)) return `The header needs ${side}.settings.`;
    const defaults = side === 'bridge' ? DEFAULT_BRIDGE_SETTINGS : DEFAULT_BROKER_SETTINGS;
    const wrong = settingProblem(`${side}.settings`, part.settings, defaults as unknown as Record<string, unknown>);
    if (wrong !== null) return wrong;
  }
  if (typeof (header.bridge as Record<string, unknown>).id !== 'string')
    return "The header needs bridge.id, the bridge's name.";
  return (
    linkProblem(header.link) ??
    incidentProblem(header.incident) ??
    visibleProblem(header.visible) ??
    (header.uplink === undefined || UPLINK_KNOWN.includes(header.uplink as UplinkKnown)
      ? null
      : `uplink must be one of ${UPLINK_KNOWN.join(', ')}.`)
  );
}

/** The baseline is compared with these: a number that is missing would be equal to anything. */
function incidentProblem(incident: unknown): string | null {
  if (!isObject(incident)) return 'The header needs incident: what the logs showed.';
  if (incident.cause !== null && typeof incident.cause !== 'string')
    return 'The header needs incident.cause, a finding or null.';
  for (const key of ['keepalive_disconnects', 'disconnects'] as const)
    if (!isCount(incident[key])) return `The header needs incident.${key}, a whole number of 0 or more.`;
  for (const key of ['period_s', 'dwell_s'] as const)
    if (incident[key] !== null && !isAmount(incident[key])) return `The header needs incident.${key}, seconds or null.`;
  for (const key of ['busy_lines', 'lost_lines', 'lost_up', 'delivered_up', 'delivered_down'] as const)
    if (incident[key] !== undefined && incident[key] !== null && !isAmount(incident[key]))
      return `incident.${key} must be a number of 0 or more, or null where the logs cannot show it.`;
  return null;
}

function visibleProblem(visible: unknown): string | null {
  if (visible === undefined) return null;
  if (!isObject(visible)) return 'The visible of the header must be an object.';
  for (const end of ['bridge', 'broker'])
    if (visible[end] !== null && !LOG_LEVELS.includes(visible[end] as never))
      return `visible.${end} must be ${LOG_LEVELS.join(', ')} or null.`;
  for (const key of ['packets', 'routed'])
    if (typeof visible[key] !== 'boolean') return `visible.${key} must be true or false.`;
  return null;
}

/** Settings have the type of the default; those that no default has (a newer bridgetrace's, a typo's) are left alone. */
function settingProblem(
  where: string,
  settings: Record<string, unknown>,
  defaults: Readonly<Record<string, unknown>>,
): string | null {
  for (const [key, value] of Object.entries(settings)) {
    const example = defaults[key];
    if (typeof example === 'number' && !isAmount(value)) return `${where}.${key} must be a number of 0 or more.`;
    if (typeof example === 'boolean' && typeof value !== 'boolean') return `${where}.${key} must be true or false.`;
    if (typeof example === 'string' && typeof value !== 'string') return `${where}.${key} must be a text.`;
    if (key === 'serverKeepaliveS' && value !== null && !isAmount(value))
      return `${where}.${key} must be a number of 0 or more, or null.`;
    if (key === 'transport' && value !== 'quic' && value !== 'tcp') return `${where}.${key} must be "quic" or "tcp".`;
    if (key === 'protocol' && value !== 4 && value !== 5) return `${where}.${key} must be 4 or 5.`;
    if ((key === 'parallel' || key === 'maxParallelProcesses') && (!isCount(value) || value === 0))
      return `${where}.${key} must be a whole number of 1 or more.`;
    if (key === 'subscriptions' && !(Array.isArray(value) && value.every(isSubscription)))
      return `${where}.${key} must be a list of {"topic":…,"qos":…}.`;
  }
  return null;
}

function isSubscription(value: unknown): boolean {
  return isObject(value) && typeof value.topic === 'string' && value.topic !== '' && isQos(value.qos);
}
