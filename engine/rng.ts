/** Seeded randomness: small fast counter generator (sfc32), 32-bit integer arithmetic only, so every platform agrees. */

import type { Rng } from './types.ts';

const WARM_UP_ROUNDS = 15;
const UINT32 = 0x1_0000_0000;

/**
 * A stream of uniform integers. The same `seed` and `stream` give the same numbers; different `stream` names of one seed
 * are independent, so that a change in one component never shifts the draws of another.
 */
export function createRng(seed: number, stream: string): Rng {
  let a = fnv1a32(stream, 0x811c9dc5);
  let b = seed | 0;
  let c = Math.floor(seed / UINT32) | 0;
  let counter = 1;

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  }

  for (let round = 0; round < WARM_UP_ROUNDS; round++) next();

  return {
    int(lo: number, hi: number): number {
      const span = hi - lo + 1;
      if (!Number.isSafeInteger(span) || span < 1 || span > UINT32) throw new RangeError(`no integers in ${lo}..${hi}`);
      // Rejection keeps the draw uniform: a plain remainder would favour small numbers.
      const limit = UINT32 - (UINT32 % span);
      let draw = next();
      while (draw >= limit) draw = next();
      return lo + (draw % span);
    },
  };
}

function fnv1a32(text: string, start: number): number {
  let hash = start | 0;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}
