/** The network of a variant: named scripts of the engine in the place of what the cassette says came from outside. */
import { NETWORK_SCRIPTS, type NetworkStimulus, networkStimuli } from '../engine/index.ts';
import { UsageError } from '../queries/index.ts';
import type { Cassette, Header } from './cassette.ts';
import { type Entry, inOrder, isFromOutside } from './entry.ts';
import { networkFields } from './stimuli.ts';

/** By then a bridge that can connect has done so. */
const USUAL_START_S = 30;
/** Scripts joined by `+`. */
const SCRIPTS_MAX = 16;

export const NETWORK_SYNTAX = 'NAME or NAME@30s, several joined by +';

/**
 * Entries of the scripts that `text` names: `restart-4s`, `flapping@60s`, `slow-4kB/s@0+kick-every-9s@1m`. Without a time a script
 * starts 30 s into the cassette. Steps after the end of the cassette are left out.
 * @throws UsageError for an unknown name, a time outside the cassette, or a script of the other transport
 */
export function networkEntries(text: string, header: Header, transport: 'quic' | 'tcp'): Entry[] {
  const parts = text.split('+').map((part) => part.trim());
  if (parts.length > SCRIPTS_MAX) throw bad(text, `has more than ${SCRIPTS_MAX} scripts`);
  return parts.flatMap((part) => entriesOf(part, header, transport)).sort(inOrder);
}

function entriesOf(text: string, header: Header, transport: 'quic' | 'tcp'): Entry[] {
  const match = /^([^@]+?)(?:@(\d{1,6})(s|m|h)?)?$/.exec(text);
  if (match === null) throw bad(text, `is not ${NETWORK_SYNTAX}`);
  const [, name, amount, unit] = match;
  const script = NETWORK_SCRIPTS.find((one) => one.name === name);
  if (script === undefined) throw bad(text, 'names no network script');
  if (script.transport !== undefined && script.transport !== transport)
    throw bad(text, `is for ${script.transport}, and this bridge uses ${transport}`);
  const at = (amount === undefined ? USUAL_START_S : Number(amount) * SECONDS[unit ?? 's']!) * 1_000_000;
  if (at >= header.duration_us && script.steps.length > 0)
    throw bad(text, `starts at ${at / 1e6} s, after the end of the cassette (${header.duration_us / 1e6} s)`);
  return networkStimuli(script.name, at)
    .filter((stimulus) => stimulus.at <= header.duration_us)
    .map((stimulus) => toEntry(stimulus, `network script ${text}`));
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

function toEntry(stimulus: NetworkStimulus, why: string): Entry {
  const base = { at: stimulus.at, origin: 'assumed', why } as const;
  if (stimulus.kind === 'network') return { ...base, type: 'network', ...networkFields(stimulus) };
  return { ...base, type: stimulus.kind };
}

function bad(text: string, why: string): UsageError {
  return new UsageError('bad-network', `network=${text}: ${why}.`, {
    hint: `Scripts: ${NETWORK_SCRIPTS.map((script) => script.name).join(', ')}.`,
  });
}

/** The cassette with what came from outside replaced; null: as it is. */
export function withNetwork(cassette: Cassette, entries: readonly Entry[] | null): Cassette {
  if (entries === null) return cassette;
  const kept = cassette.entries.filter((entry) => !isFromOutside(entry));
  return {
    ...cassette,
    entries: [...kept, ...entries].sort(inOrder),
  };
}
