/** Cassettes as material: a part of one, several as one, more or less traffic, without names. Origins stay what they were. */
import { UsageError } from '../queries/index.ts';
import { type Cassette, MAX_ENTRIES } from './cassette.ts';
import { type Entry, inOrder } from './entry.ts';

const MAX_FACTOR = 1000;

/**
 * The part from `fromUs` to `toUs`, its time beginning at 0. What of network and broker was changed before and still holds stands at
 * its beginning. What the logs showed was of the whole: the numbers of the incident are taken as unknown where a part cannot have them.
 * @throws UsageError for a part that is empty or reaches beyond the cassette
 */
export function cutCassette(cassette: Cassette, fromUs: number, toUs: number): Cassette {
  const { header, entries } = cassette;
  if (fromUs < 0 || toUs > header.duration_us || fromUs >= toUs)
    throw new UsageError('bad-range', `A cut from ${fromUs / 1e6} s to ${toUs / 1e6} s does not lie in the cassette.`, {
      hint: `It is ${header.duration_us / 1e6} s long.`,
    });
  const before = lasting(entries.filter((entry) => entry.at < fromUs));
  const inside = entries.filter((entry) => entry.at >= fromUs && entry.at <= toUs);
  const start = Date.parse(header.start);
  const share = (toUs - fromUs) / header.duration_us;
  const part = (count: number) => Math.round(count * share);
  const { incident } = header;
  return {
    header: {
      ...header,
      start: Number.isNaN(start) ? header.start : new Date(start + fromUs / 1000).toISOString(),
      duration_us: toUs - fromUs,
      incident: {
        ...incident,
        keepalive_disconnects: part(incident.keepalive_disconnects),
        disconnects: part(incident.disconnects),
        lost_lines: null,
        lost_up: null,
        delivered_up: null,
        delivered_down: null,
      },
    },
    entries: [
      ...before.map((entry) => ({ ...entry, at: 0 })),
      ...inside.map((entry) => ({ ...entry, at: entry.at - fromUs })),
    ],
  };
}

/** The changes of network and broker that still hold at the end of these entries. */
function lasting(entries: readonly Entry[]): Entry[] {
  const network = entries.filter((entry) => entry.type === 'network');
  let broker: Entry | null = null;
  let frozen: Entry | null = null;
  let refuse: Entry | null = null;
  for (const entry of entries) {
    if (entry.type === 'broker-stop' || entry.type === 'broker-kill') broker = entry;
    else if (entry.type === 'broker-start') broker = null;
    else if (entry.type === 'broker-pause') frozen = entry;
    else if (entry.type === 'broker-resume') frozen = null;
    else if (entry.type === 'refuse') refuse = entry.reason_code === null ? null : entry;
  }
  return [...network, broker, frozen, refuse].filter((entry) => entry !== null).sort(inOrder);
}

/**
 * One after the other, each beginning where the one before ended; bridge, broker and link of the first. The incident is that of the
 * first too, with the disconnects of all.
 */
export function mergeCassettes(cassettes: readonly Cassette[]): Cassette {
  const [first] = cassettes;
  if (first === undefined) throw new UsageError('no-cassette', 'There is no cassette to merge.');
  let end = 0;
  const entries: Entry[] = [];
  for (const { header, entries: own } of cassettes) {
    if (entries.length + own.length > MAX_ENTRIES) throw tooMany(entries.length + own.length);
    for (const entry of own) entries.push({ ...entry, at: entry.at + end });
    end += header.duration_us;
  }
  const sum = (key: 'keepalive_disconnects' | 'disconnects') =>
    cassettes.reduce((total, { header }) => total + header.incident[key], 0);
  return {
    header: {
      ...first.header,
      duration_us: end,
      incident: {
        ...first.header.incident,
        keepalive_disconnects: sum('keepalive_disconnects'),
        disconnects: sum('disconnects'),
        lost_lines: null,
        lost_up: null,
        delivered_up: null,
        delivered_down: null,
      },
    },
    entries,
  };
}

/**
 * `factor` times the messages: the whole part of it copies each, the rest copies evenly chosen ones. Copies follow their original at
 * equal distances and are `assumed`.
 * @throws UsageError for a factor that is not above 0 and up to 1000
 */
export function scaleCassette(cassette: Cassette, factor: number): Cassette {
  if (!(factor > 0 && factor <= MAX_FACTOR))
    throw new UsageError('bad-factor', `${factor} is no factor above 0 and up to ${MAX_FACTOR}.`);
  const { header } = cassette;
  let due = 0;
  const entries = cassette.entries.flatMap((entry, index): Entry[] => {
    if (entry.type !== 'publish' && entry.type !== 'downlink') return [entry];
    due += factor;
    const count = Math.floor(due + 1e-9);
    due -= count;
    const next = cassette.entries.slice(index + 1, index + 1 + NEAR).find((later) => later.type === entry.type);
    const gap = Math.min((next?.at ?? header.duration_us) - entry.at, header.duration_us - entry.at);
    return Array.from({ length: count }, (_, copy): Entry => {
      if (copy === 0) return entry;
      const at = entry.at + Math.floor((gap * copy) / count);
      return { ...entry, at, origin: 'assumed', why: `a copy, for ${factor} times the messages` };
    });
  });
  if (entries.length > MAX_ENTRIES) throw tooMany(entries.length);
  return { header, entries: entries.sort(inOrder) };
}

/** Where the next message of the same direction is looked for. */
const NEAR = 64;

/**
 * Without names: client id, bridge, address, user, topics and log files become numbered words, the same for the same name. The levels
 * of a topic stay levels and wildcards stay wildcards, so that subscriptions match what they matched.
 */
export function anonymiseCassette(cassette: Cassette): Cassette {
  const words = new Map<string, string>();
  const word = (kind: string, name: string): string => {
    const key = `${kind} ${name}`;
    const known =
      words.get(key) ?? `${kind}${[...words.keys()].filter((one) => one.startsWith(`${kind} `)).length + 1}`;
    words.set(key, known);
    return known;
  };
  const level = (name: string) => (name === '' || name === '+' || name === '#' ? name : word('t', name));
  const topic = (name: string) =>
    name
      .split('/')
      .map((part, index) => (index === 0 && part.startsWith('$') ? part : level(part)))
      .join('/');
  const { header } = cassette;
  const { settings } = header.bridge;
  return {
    header: {
      ...header,
      bridge: {
        ...header.bridge,
        id: word('bridge', header.bridge.id),
        settings: {
          ...settings,
          ...(settings.clientId === undefined ? {} : { clientId: word('client', settings.clientId) }),
          ...(settings.username ? { username: word('user', settings.username) } : {}),
          ...(settings.address ? { address: 'broker.invalid:14567' } : {}),
          ...(settings.subscriptions === undefined
            ? {}
            : { subscriptions: settings.subscriptions.map((one) => ({ ...one, topic: topic(one.topic) })) }),
        },
      },
    },
    entries: cassette.entries.map((entry) => ({
      ...entry,
      ...('topic' in entry ? { topic: topic(entry.topic) } : {}),
      ...(entry.source === undefined ? {} : { source: word('log', entry.source) }),
    })),
  };
}

function tooMany(count: number): UsageError {
  return new UsageError('too-many-entries', `${count} entries are more than a cassette may have (${MAX_ENTRIES}).`);
}
