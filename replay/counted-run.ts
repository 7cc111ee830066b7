/**
 * A run of which only counters are kept: a sweep makes thousands. What counts as a symptom is the same as for a run that is written
 * down; a change that a sweep proposes is verified with such runs afterwards.
 */
import { type SimRecord, simulate } from '../engine/index.ts';
import type { Cassette } from './cassette.ts';
import { withNetwork } from './network-change.ts';
import { MAX_SIMULATED_US } from './run.ts';
import { linkSettings, stimuli } from './stimuli.ts';
import { Surroundings } from './surroundings.ts';
import { type FlowSummary, SymptomWatch } from './symptoms.ts';
import type { Setup } from './variant.ts';
import { stallUs, watched } from './watched.ts';

export interface CountedRun {
  /** Disconnects that nothing from outside provoked. */
  readonly unprovoked: number;
  readonly disconnects: number;
  readonly flows: readonly FlowSummary[];
}

export interface CountJob {
  readonly setup: Setup;
  readonly seed: number;
  readonly loops: number;
}

export function countRun(given: Cassette, { setup, seed, loops }: CountJob): CountedRun {
  const cassette = withNetwork(given, setup.network);
  const { header } = cassette;
  const watch = new SymptomWatch({ stallUs: stallUs(header.bridge.settings) });
  const surroundings = new Surroundings();
  const ends = new Ends(surroundings, setup.bridge.settings.keepaliveS, watch);
  const summary = simulate(
    {
      bridge: setup.bridge,
      broker: setup.broker,
      stimuli: watched(stimuli(cassette, loops), watch, surroundings),
      durationUs: Math.min(header.duration_us * loops, MAX_SIMULATED_US),
      seed,
      link: header.link === undefined ? undefined : linkSettings(header.link),
      onDelivery: (direction, message) => watch.delivered(direction, message),
    },
    (record) => ends.see(record),
  );
  return {
    unprovoked: ends.unprovoked,
    disconnects: ends.disconnects,
    flows: watch.summary({ up: summary.up.held, down: summary.down.held }),
  };
}

/** Lines with which the bridge gives up a connection that is dead: a keepalive timeout of the broker is a consequence then. */
const DEAD_LINK: ReadonlySet<string> = new Set(['quic_connection_timeout', 'quic_idle_timeout', 'bridge_ping_timeout']);

/** Watches how connections end, by the lines that the views look at. */
class Ends {
  unprovoked = 0;
  disconnects = 0;
  readonly #surroundings: Surroundings;
  readonly #reachUs: number;
  readonly #watch: SymptomWatch;
  #dead = false;
  #keepalive = false;

  constructor(surroundings: Surroundings, keepaliveS: number, watch: SymptomWatch) {
    this.#surroundings = surroundings;
    this.#reachUs = (3 * (keepaliveS || 10) + 25) * 1e6;
    this.#watch = watch;
  }

  see({ endpoint, event, at, fields }: SimRecord): void {
    if (endpoint === 'broker') {
      if (fields?.reason === 'keepalive_timeout') this.#keepalive = true;
      return;
    }
    if (DEAD_LINK.has(event)) this.#dead = true;
    else if (event === 'bridge_connected') {
      this.#dead = false;
      this.#keepalive = false;
      this.#watch.bridge(true);
    } else if (event === 'bridge_disconnected') {
      this.#watch.bridge(false);
      this.#end(at);
    }
  }

  #end(at: number): void {
    this.disconnects += 1;
    const { outages } = this.#surroundings;
    const afterOutage = outages.some((outage) => outage.from <= at && outage.to >= at - this.#reachUs);
    if (this.#keepalive ? !this.#dead : !afterOutage) this.unprovoked += 1;
  }
}
