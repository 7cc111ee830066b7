/**
 * When the cassette itself kept bridge and broker apart: a message cannot be expected to arrive then, and a disconnect shortly after
 * is no symptom.
 */
import type { Stimulus } from '../engine/index.ts';

export interface Outage {
  readonly what: 'link' | 'broker' | 'person';
  readonly from: number;
  to: number; // infinite while it lasts
}

/** What can keep them apart, each by itself: a broker that is stopped may also be cut off. */
type Obstacle =
  | 'down-bridge'
  | 'down-broker'
  | 'loss-bridge'
  | 'loss-broker'
  | 'hold'
  | 'stopped'
  | 'frozen'
  | 'refusing';

const OF_THE_BROKER: ReadonlySet<Obstacle> = new Set(['stopped', 'frozen', 'refusing']);
const EVERYTHING_LOST = 1;

export class Surroundings {
  readonly outages: Outage[] = [];
  readonly #lasting = new Map<Obstacle, Outage>();

  /** Nothing keeps them apart. */
  get reachable(): boolean {
    return this.#lasting.size === 0;
  }

  apply(stimulus: Stimulus): void {
    const { at } = stimulus;
    switch (stimulus.kind) {
      case 'network':
        for (const end of ['bridge', 'broker'] as const) {
          if (stimulus.from !== undefined && stimulus.from !== end) continue;
          this.#set(`down-${end}`, at, stimulus.down);
          this.#set(`loss-${end}`, at, stimulus.loss === undefined ? undefined : stimulus.loss >= EVERYTHING_LOST);
        }
        this.#set('hold', at, stimulus.hold);
        return;
      case 'broker-kill':
        this.#set('frozen', at, false);
        this.#set('stopped', at, true);
        return;
      case 'broker-stop':
      case 'broker-start':
        this.#set('stopped', at, stimulus.kind === 'broker-stop');
        return;
      case 'broker-pause':
      case 'broker-resume':
        this.#set('frozen', at, stimulus.kind === 'broker-pause');
        return;
      case 'refuse':
        this.#set('refusing', at, stimulus.reasonCode !== null);
        return;
      case 'kick':
      case 'rival-connect':
        this.outages.push({ what: 'person', from: at, to: at });
        return;
      case 'nat-rebind':
        this.outages.push({ what: 'link', from: at, to: at });
        return;
    }
  }

  #set(obstacle: Obstacle, at: number, wanted: boolean | undefined): void {
    const lasting = this.#lasting.get(obstacle);
    if (wanted === true && lasting === undefined) {
      const outage: Outage = {
        what: OF_THE_BROKER.has(obstacle) ? 'broker' : 'link',
        from: at,
        to: Number.POSITIVE_INFINITY,
      };
      this.outages.push(outage);
      this.#lasting.set(obstacle, outage);
    }
    if (wanted === false && lasting !== undefined) {
      lasting.to = at;
      this.#lasting.delete(obstacle);
    }
  }
}
