/**
 * What one line of a cassette after the header may be, and the check of it. Field names are those of the file (docs/CASSETTE.md);
 * the engine's own names of the same things are in `stimuli.ts`.
 */
import type { Qos } from '../engine/index.ts';

/** Durations and sizes beyond this are mistakes, and µs of them would not be exact any more. */
const MAX_AMOUNT = 4_294_967_295;
/** [MQTT-2.1.4] the largest remaining length. */
const MAX_PAYLOAD_BYTES = 268_435_455;
const MAX_BYTE = 255;

export type Origin = 'observed' | 'inferred' | 'assumed';
export const ORIGINS: readonly Origin[] = ['observed', 'inferred', 'assumed'];

export interface EntryBase {
  readonly at: number; // µs from the start of the cassette
  readonly origin: Origin;
  readonly source?: string;
  readonly line?: number;
  readonly why?: string; // the rule of an inferred or assumed entry
}

/** What of the network becomes different; what is absent stays. */
export interface NetworkFields {
  /** Only what this end sends; absent: both directions. */
  readonly from?: 'bridge' | 'broker';
  readonly down?: boolean;
  readonly delay_ms?: number;
  readonly jitter_ms?: number;
  readonly loss?: number; // share, 0 to 1
  readonly rate_bytes_per_s?: number; // 0: unlimited
  readonly queue_bytes?: number;
  /** TCP: a proxy accepts and keeps everything until this is false again. */
  readonly hold?: boolean;
}

/** Events that are said with their name alone. */
export const PLAIN_EVENTS = [
  'broker-stop',
  'broker-kill',
  'broker-start',
  'broker-pause',
  'broker-resume',
  'nat-rebind',
  'rival-connect',
  'kick',
] as const;
export type PlainEvent = (typeof PLAIN_EVENTS)[number];

export type Entry = EntryBase &
  (
    | { readonly type: 'publish'; readonly topic: string; readonly qos: Qos; readonly size: number }
    | { readonly type: 'downlink'; readonly topic: string; readonly qos: Qos; readonly size: number }
    | ({ readonly type: 'network' } & NetworkFields)
    | { readonly type: PlainEvent }
    /** The broker refuses the bridge's CONNECT with this reason code from here on; null: it accepts again. */
    | { readonly type: 'refuse'; readonly reason_code: number | null }
    | { readonly type: 'choice'; readonly what: 'redial'; readonly ms: number }
    | { readonly type: 'choice'; readonly what: 'receive-lost'; readonly lost: boolean }
  );

/** Types in the order in which entries of one instant happen: the surroundings change before messages are offered. */
export const ENTRY_TYPES: readonly Entry['type'][] = [
  'network',
  'nat-rebind',
  'broker-stop',
  'broker-kill',
  'broker-start',
  'broker-pause',
  'broker-resume',
  'refuse',
  'kick',
  'rival-connect',
  'choice',
  'publish',
  'downlink',
];

/** Order of the entries of a cassette. */
export function inOrder(left: Entry, right: Entry): number {
  return left.at - right.at || ENTRY_TYPES.indexOf(left.type) - ENTRY_TYPES.indexOf(right.type);
}

/** What traffic there is and what the bridge drew; everything else comes from outside and can be replaced by a network script. */
const OF_THE_BRIDGE: ReadonlySet<Entry['type']> = new Set(['choice', 'publish', 'downlink']);

export function isFromOutside(entry: Entry): boolean {
  return !OF_THE_BRIDGE.has(entry.type);
}

/** What is wrong with a line, as a sentence; null: it is an entry. */
export function entryProblem(entry: Record<string, unknown>): string | null {
  if (!isCount(entry.at)) return 'An entry needs at: µs from the start, a whole number of 0 or more.';
  if (!ORIGINS.includes(entry.origin as Origin)) return 'An entry needs origin: observed, inferred or assumed.';
  switch (entry.type) {
    case 'publish':
    case 'downlink':
      return messageProblem(entry);
    case 'network':
      return networkProblem(entry);
    case 'refuse':
      return refuseProblem(entry);
    case 'choice':
      return choiceProblem(entry);
    default:
      if ((PLAIN_EVENTS as readonly unknown[]).includes(entry.type)) return null;
      return `The type ${JSON.stringify(entry.type)} is not known: ${ENTRY_TYPES.join(', ')}.`;
  }
}

function messageProblem(entry: Record<string, unknown>): string | null {
  if (typeof entry.topic !== 'string' || entry.topic === '') return 'A message needs a topic.';
  if (!isQos(entry.qos)) return 'A message needs qos 0, 1 or 2.';
  if (isCount(entry.size) && (entry.size as number) <= MAX_PAYLOAD_BYTES) return null;
  return `A message needs size: payload bytes, 0 to ${MAX_PAYLOAD_BYTES}.`;
}

type FieldCheck = { readonly fits: (value: unknown) => boolean; readonly wanted: string };

const FLAG: FieldCheck = { fits: (value) => typeof value === 'boolean', wanted: 'true or false' };
const AMOUNT: FieldCheck = { fits: isAmount, wanted: 'a number of 0 or more' };
const BYTES: FieldCheck = {
  fits: (value) => isCount(value) && isAmount(value),
  wanted: 'a whole number of bytes, 0 or more',
};

const NETWORK: Readonly<Record<keyof NetworkFields, FieldCheck>> = {
  from: { fits: (value) => value === 'bridge' || value === 'broker', wanted: '"bridge" or "broker"' },
  down: FLAG,
  delay_ms: AMOUNT,
  jitter_ms: AMOUNT,
  loss: { fits: (value) => isAmount(value) && (value as number) <= 1, wanted: 'a share from 0 to 1' },
  rate_bytes_per_s: BYTES,
  queue_bytes: BYTES,
  hold: FLAG,
};
const OF_EVERY_ENTRY: ReadonlySet<string> = new Set(['at', 'type', 'origin', 'source', 'line', 'why']);

/** A field that is not known is a mistake here: the network would silently stay as it was. */
function networkProblem(entry: Record<string, unknown>): string | null {
  for (const [key, value] of Object.entries(entry)) {
    if (OF_EVERY_ENTRY.has(key)) continue;
    if (!Object.hasOwn(NETWORK, key))
      return `The ${key} of a network is not known: ${Object.keys(NETWORK).join(', ')}.`;
    const { fits, wanted } = NETWORK[key as keyof NetworkFields];
    if (!fits(value)) return `The ${key} of a network must be ${wanted}.`;
  }
  return null;
}

/** The state of the network at the start, in the header; null: as it should be. */
export function linkProblem(link: unknown): string | null {
  if (link === undefined) return null;
  if (!isObject(link)) return 'The link of the header must be an object.';
  for (const [key, value] of Object.entries(link)) {
    if (key === 'broker_down') {
      if (value === 'silent' || value === 'refused') continue;
      return 'link.broker_down must be "silent" or "refused".';
    }
    if (key !== 'delay_ms' && key !== 'jitter_ms' && key !== 'loss')
      return `link.${key} is not known: delay_ms, jitter_ms, loss, broker_down.`;
    if (!NETWORK[key].fits(value)) return `link.${key} must be ${NETWORK[key].wanted}.`;
  }
  return null;
}

function refuseProblem({ reason_code: code }: Record<string, unknown>): string | null {
  // [MQTT-3.2.2.2] codes below 0x80 are no refusal; MQTT 3.1.1 gets the code that stands for it.
  if (code === null || (isCount(code) && (code as number) >= 128 && (code as number) <= MAX_BYTE)) return null;
  return `A refuse needs reason_code: 128 to ${MAX_BYTE}, or null when the broker accepts again.`;
}

function choiceProblem(entry: Record<string, unknown>): string | null {
  if (entry.what === 'redial' && isAmount(entry.ms)) return null;
  if (entry.what === 'receive-lost' && typeof entry.lost === 'boolean') return null;
  return 'A choice needs what: "redial" and ms of 0 or more, or what: "receive-lost" and lost: true or false.';
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isQos(value: unknown): boolean {
  return value === 0 || value === 1 || value === 2;
}

export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Milliseconds or seconds that stay whole microseconds in a double. */
export function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= MAX_AMOUNT;
}
