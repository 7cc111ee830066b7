/** How sure a share is that was seen in few runs. */

export interface Interval {
  readonly low: number; // share, 0 to 1
  readonly high: number;
}

/** The normal deviate of 95 % confidence. */
const Z = 1.959963984540054;

/**
 * Wilson's score interval, 95 %, for k of n (Wilson 1927). Unlike the normal approximation it says something at 0 of n: 0 of 10 is
 * a share of at most 28 %. Without runs everything is possible.
 */
export function wilson(k: number, n: number): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const share = k / n;
  const scale = 1 + (Z * Z) / n;
  const centre = share + (Z * Z) / (2 * n);
  const spread = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n));
  return {
    low: k === 0 ? 0 : Math.max(0, (centre - spread) / scale),
    high: k === n ? 1 : Math.min(1, (centre + spread) / scale),
  };
}
