/** A cassette's entries as stimuli of the engine, looped as often as a run needs. */
import { type Choices, LINK_AT_START, type LinkSettings, type NetworkChange, type Stimulus } from '../engine/index.ts';
import type { Cassette, LinkHeader } from './cassette.ts';
import type { Entry, NetworkFields } from './entry.ts';

/** Lazily yields the entries `loops` times, each time shifted by the cassette's length; seq numbers are never reused. */
export function* stimuli(cassette: Cassette, loops: number): Generator<Stimulus> {
  let seq = 1;
  for (let loop = 0; loop < loops; loop += 1) {
    const shift = loop * cassette.header.duration_us;
    if (loop > 0) for (const change of asAtStart(cassette)) yield { at: shift, ...change };
    for (const entry of cassette.entries) {
      const stimulus = toStimulus(entry, entry.at + shift, seq);
      if (stimulus === null) continue;
      if (entry.type === 'publish' || entry.type === 'downlink') seq += 1;
      yield stimulus;
    }
  }
}

type Untimed = { [Kind in Stimulus['kind']]: Omit<Extract<Stimulus, { kind: Kind }>, 'at'> }[Stimulus['kind']];

/** A cassette that was cut inside an outage must not leave the next round without a network or a broker. */
function asAtStart(cassette: Cassette): Untimed[] {
  let broker: Untimed | null = null;
  let frozen = false;
  let refuses = false;
  let networkChanged = false;
  for (const entry of cassette.entries) {
    if (entry.type === 'network') networkChanged = true;
    else if (entry.type === 'broker-stop' || entry.type === 'broker-kill') broker = { kind: 'broker-start' };
    else if (entry.type === 'broker-start') broker = null;
    else if (entry.type === 'broker-pause') frozen = true;
    else if (entry.type === 'broker-resume') frozen = false;
    else if (entry.type === 'refuse') refuses = entry.reason_code !== null;
    // A killed process is frozen no longer.
    if (entry.type === 'broker-kill') frozen = false;
  }
  return [
    ...(networkChanged ? [{ kind: 'network' as const, ...LINK_AT_START, ...linkOf(cassette.header.link) }] : []),
    ...(frozen ? [{ kind: 'broker-resume' as const }] : []),
    ...(broker === null ? [] : [broker]),
    ...(refuses ? [{ kind: 'refuse' as const, reasonCode: null }] : []),
  ];
}

function toStimulus(entry: Entry, at: number, seq: number): Stimulus | null {
  switch (entry.type) {
    case 'publish':
    case 'downlink':
      return { at, kind: entry.type, message: { seq, topic: entry.topic, qos: entry.qos, size: entry.size } };
    case 'network':
      return { at, kind: 'network', ...networkChange(entry) };
    case 'refuse':
      return { at, kind: 'refuse', reasonCode: entry.reason_code };
    case 'choice':
      return null;
    default:
      return { at, kind: entry.type };
  }
}

/** The file's names of what a network may change, and the engine's. */
const NETWORK_NAMES: readonly (readonly [keyof NetworkFields, keyof NetworkChange])[] = [
  ['from', 'from'],
  ['down', 'down'],
  ['delay_ms', 'delayMs'],
  ['jitter_ms', 'jitterMs'],
  ['loss', 'loss'],
  ['rate_bytes_per_s', 'rateBytesPerS'],
  ['queue_bytes', 'queueBytes'],
  ['hold', 'hold'],
];

function networkChange(fields: NetworkFields): NetworkChange {
  return Object.fromEntries(
    NETWORK_NAMES.flatMap(([file, engine]) => (fields[file] === undefined ? [] : [[engine, fields[file]]])),
  );
}

/** The other way round: a change as it stands in a cassette. */
export function networkFields(change: NetworkChange): NetworkFields {
  return Object.fromEntries(
    NETWORK_NAMES.flatMap(([file, engine]) => (change[engine] === undefined ? [] : [[file, change[engine]]])),
  );
}

/** The network that a run starts with. */
export function linkSettings(header: LinkHeader | undefined): LinkSettings {
  return { ...LINK_AT_START, ...linkOf(header), brokerDown: header?.broker_down };
}

function linkOf(header: LinkHeader | undefined): NetworkChange {
  const { broker_down: _, ...fields } = header ?? {};
  return networkChange(fields);
}

/** Races whose outcome the log shows; only the baseline is held to them. */
export function choices(cassette: Cassette): Choices {
  const made = cassette.entries.filter((entry) => entry.type === 'choice');
  return {
    redialMs: made.flatMap((entry) => (entry.what === 'redial' ? [entry.ms] : [])),
    receiveLost: made.flatMap((entry) => (entry.what === 'receive-lost' ? [entry.lost] : [])),
  };
}
