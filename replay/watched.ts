/** Lets a watch see what goes into a run and when the two ends cannot reach each other. */
import type { BridgeSettings, Stimulus } from '../engine/index.ts';
import type { Surroundings } from './surroundings.ts';
import type { SymptomWatch } from './symptoms.ts';

/** How long nothing may arrive. The incident's own settings, not a variant's: a change must not move the mark it is judged by. */
export function stallUs(incident: Partial<BridgeSettings>): number {
  const keepaliveS = incident.keepaliveS || 10;
  return (3 * keepaliveS + (incident.quicHandshakeTimeoutS ?? 20) + (incident.backoffMaxS ?? 5) + 5) * 1e6;
}

export function* watched(
  source: Iterable<Stimulus>,
  watch: SymptomWatch,
  surroundings: Surroundings,
): Generator<Stimulus> {
  for (const stimulus of source) {
    if (stimulus.kind === 'publish') watch.offered(stimulus.at, 'up', stimulus.message);
    else if (stimulus.kind === 'downlink') watch.offered(stimulus.at, 'down', stimulus.message);
    else {
      const { reachable } = surroundings;
      surroundings.apply(stimulus);
      if (surroundings.reachable !== reachable) watch.reachable(stimulus.at, surroundings.reachable);
    }
    yield stimulus;
  }
}
