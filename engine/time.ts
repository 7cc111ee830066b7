/** Units. Everything inside the engine is integer microseconds. */

import type { Micros } from './types.ts';

export const MILLISECOND: Micros = 1_000;
export const SECOND: Micros = 1_000_000;

export function milliseconds(count: number): Micros {
  return Math.round(count * MILLISECOND);
}

export function seconds(count: number): Micros {
  return Math.round(count * SECOND);
}
