/** A cassette's entries as stimuli of the engine, looped as often as a run needs. */
import type { Choices, Stimulus } from '../engine/index.ts';
import type { Cassette, Entry } from './cassette.ts';

/** Lazily yields the entries `loops` times, each time shifted by the cassette's length; seq numbers are never reused. */
export function* stimuli(cassette: Cassette, loops: number): Generator<Stimulus> {
  let seq = 1;
  let linkDown = false;
  let brokerDown = false;
  for (let loop = 0; loop < loops; loop += 1) {
    const shift = loop * cassette.header.duration_us;
    // A cassette that was cut inside an outage must not leave the next round without a network or a broker.
    if (linkDown) yield { at: shift, kind: 'network', down: false };
    if (brokerDown) yield { at: shift, kind: 'broker-start' };
    linkDown = false;
    brokerDown = false;
    for (const entry of cassette.entries) {
      const stimulus = toStimulus(entry, entry.at + shift, seq);
      if (stimulus === null) continue;
      if (entry.type === 'publish' || entry.type === 'downlink') seq += 1;
      if (entry.type === 'network' && entry.down !== undefined) linkDown = entry.down;
      if (entry.type === 'broker-stop' || entry.type === 'broker-start') brokerDown = entry.type === 'broker-stop';
      yield stimulus;
    }
  }
}

function toStimulus(entry: Entry, at: number, seq: number): Stimulus | null {
  switch (entry.type) {
    case 'publish':
    case 'downlink':
      return { at, kind: entry.type, message: { seq, topic: entry.topic, qos: entry.qos, size: entry.size } };
    case 'network':
      return {
        at,
        kind: 'network',
        ...(entry.down === undefined ? {} : { down: entry.down }),
        ...(entry.delay_ms === undefined ? {} : { delayMs: entry.delay_ms }),
        ...(entry.jitter_ms === undefined ? {} : { jitterMs: entry.jitter_ms }),
        ...(entry.loss === undefined ? {} : { loss: entry.loss }),
      };
    case 'choice':
      return null;
    default:
      return { at, kind: entry.type };
  }
}

/** Races whose outcome the log shows; only the baseline is held to them. */
export function choices(cassette: Cassette): Choices {
  const made = cassette.entries.filter((entry) => entry.type === 'choice');
  return {
    redialMs: made.flatMap((entry) => (entry.what === 'redial' ? [entry.ms] : [])),
    receiveLost: made.flatMap((entry) => (entry.what === 'receive-lost' ? [entry.lost] : [])),
  };
}
