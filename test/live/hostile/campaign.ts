/** Runs attacks against one broker, a few at a time, and looks after each tenth whether it still serves and how much memory it has. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Quiche } from '../../../engine/live/quic-library.ts';
import { createRng } from '../../../engine/rng.ts';
import { ATTACKS, type Attack } from './attacks.ts';
import { Peer } from './peer.ts';
import { startTarget, type Target, type Way } from './target.ts';

/** Some ends take the broker's 3 s of waiting for the peer, so many run beside each other. */
const TOGETHER = 100;
const PARTS = 10;
const FAILURES_MAX = 20;
/** QoS 1, topic `a`, packet id 1, no properties. */
const GOOD_PUBLISH = Buffer.from('32060001610001 00'.replace(' ', ''), 'hex');

export interface MemorySample {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export interface CampaignReport {
  readonly failures: readonly string[];
  /** Attacks by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** After each tenth, after a garbage collection. */
  readonly memory: readonly MemorySample[];
}

/** The same seed attacks in the same way. Failures name the attack's number. */
export async function attack(quiche: Quiche, count: number, seed: number): Promise<CampaignReport> {
  const target = await startTarget(quiche);
  const failures: string[] = [];
  const counts: Record<string, number> = {};
  const memory: MemorySample[] = [];
  let next = 0;
  const note = (what: string): void => {
    if (failures.length < FAILURES_MAX) failures.push(what);
  };
  async function attackUntil(end: number): Promise<void> {
    while (next < end && failures.length < FAILURES_MAX) {
      const number = next++;
      const rng = createRng(seed, `attack ${number}`);
      const chosen = choose(rng.int(0, TOTAL_WEIGHT - 1));
      counts[chosen.name] = (counts[chosen.name] ?? 0) + 1;
      await chosen.run(target, rng, `hostile-${number}`).catch((error: unknown) => {
        note(`attack ${number}, ${chosen.name}: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
  }
  try {
    for (let part = 1; part <= PARTS; part++) {
      const end = Math.floor((count * part) / PARTS);
      await Promise.all(Array.from({ length: TOGETHER }, () => attackUntil(end)));
      for (const way of ['quic', 'tcp', 'tls'] as const) {
        await serves(target, way).catch((error: unknown) => note(`a good client over ${way}: ${String(error)}`));
      }
      memory.push(sampleMemory());
    }
  } finally {
    await target.server.stop();
  }
  for (const crash of target.crashes) note(`the broker: ${crash instanceof Error ? crash.stack : String(crash)}`);
  return { failures, counts, memory };
}

const TOTAL_WEIGHT = ATTACKS.reduce((sum, { weight }) => sum + weight, 0);

function choose(ticket: number): Attack {
  let left = ticket;
  for (const candidate of ATTACKS) {
    left -= candidate.weight;
    if (left < 0) return candidate;
  }
  throw new RangeError(`no attack ${ticket}`);
}

/** A client that does nothing wrong gets its acknowledgement. */
async function serves(target: Target, way: Way): Promise<void> {
  const peer = new Peer(target.dials[way], 5);
  try {
    await peer.connect('good', 5);
    peer.send(GOOD_PUBLISH);
    const { packetId } = await peer.answer('puback');
    if (packetId !== 1) throw new Error(`PUBACK for ${packetId}`);
  } finally {
    peer.leave();
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function sampleMemory(): MemorySample {
  collectGarbage();
  return { heapBytes: process.memoryUsage().heapUsed, rssBytes: process.memoryUsage.rss() };
}
