/** Cassettes spoilt at random: a verdict on one may be undecided, but must not be wrong. */
import { createRng } from '../engine/index.ts';
import type { Cassette, Entry } from '../replay/index.ts';

interface Mutation {
  readonly what: string;
  readonly apply: (cassette: Cassette, draw: () => number) => Cassette;
}

/** Seed → cassette and the names of what was done to it: one to three mutations. Draws come from the seed alone. */
export function mutated(cassette: Cassette, seed: number): { readonly cassette: Cassette; readonly what: string } {
  const rng = createRng(seed, 'mutation');
  const draw = () => rng.int(0, 999_999) / 1_000_000;
  let spoilt = cassette;
  const names: string[] = [];
  for (let count = 1 + Math.floor(3 * draw()); count > 0; count -= 1) {
    const mutation = MUTATIONS[Math.floor(MUTATIONS.length * draw())]!;
    spoilt = mutation.apply(spoilt, draw);
    names.push(mutation.what);
  }
  return { cassette: spoilt, what: names.join(', ') };
}

const isMessage = (entry: Entry): boolean => entry.type === 'publish' || entry.type === 'downlink';

function messages(change: (entry: Entry, draw: () => number) => Entry[]): Mutation['apply'] {
  return (cassette, draw) => ({
    ...cassette,
    entries: cassette.entries.flatMap((entry) => (isMessage(entry) ? change(entry, draw) : [entry])),
  });
}

const without =
  (type: Entry['type']): Mutation['apply'] =>
  (cassette) => ({
    ...cassette,
    entries: cassette.entries.filter((entry) => entry.type !== type),
  });

const MUTATIONS: readonly Mutation[] = [
  { what: 'half of the messages left out', apply: messages((entry, draw) => (draw() < 0.5 ? [entry] : [])) },
  { what: 'a tenth of the messages left out', apply: messages((entry, draw) => (draw() < 0.1 ? [] : [entry])) },
  { what: 'messages twice', apply: messages((entry) => [entry, entry]) },
  {
    what: 'QoS 1 instead of 0',
    apply: messages((entry) => ('qos' in entry ? [{ ...entry, qos: 1 } as Entry] : [entry])),
  },
  { what: 'no publishes', apply: without('publish') },
  { what: 'no downlinks', apply: without('downlink') },
  { what: 'no network entries', apply: without('network') },
  { what: 'no choices', apply: without('choice') },
  {
    what: 'messages a second later',
    apply: (cassette) => shifted(cassette, (entry) => (isMessage(entry) ? 1_000_000 : 0)),
  },
  {
    what: 'the network some seconds later',
    apply: (cassette, draw) => {
      const by = Math.floor(10e6 * draw());
      return shifted(cassette, (entry) => (isMessage(entry) || entry.type === 'choice' ? 0 : by));
    },
  },
  {
    what: 'cut in half',
    apply: ({ header, entries }) => {
      const end = Math.floor(header.duration_us / 2);
      return { header: { ...header, duration_us: end }, entries: entries.filter((entry) => entry.at <= end) };
    },
  },
  {
    what: 'another number of contexts',
    apply: (cassette, draw) => withSettings(cassette, { parallel: 2 + Math.floor(14 * draw()) }),
  },
  {
    what: 'the other quic_qos_priority',
    apply: (cassette) =>
      withSettings(cassette, { quicQosPriority: !(cassette.header.bridge.settings.quicQosPriority ?? true) }),
  },
];

function withSettings(cassette: Cassette, changes: Cassette['header']['bridge']['settings']): Cassette {
  const { header } = cassette;
  const bridge = { ...header.bridge, settings: { ...header.bridge.settings, ...changes } };
  return { ...cassette, header: { ...header, bridge } };
}

function shifted(cassette: Cassette, by: (entry: Entry) => number): Cassette {
  const entries = cassette.entries
    .map((entry) => ({ ...entry, at: entry.at + by(entry) }))
    .filter((entry) => entry.at <= cassette.header.duration_us)
    .sort((left, right) => left.at - right.at);
  return { ...cassette, entries };
}
