/** Times on paper: where the ticks of an axis stand and how an instant is written. All in ms. */

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
  2_592_000_000,
];

/** The step that leaves at least `room` px between two ticks. */
export function tickStep(msPerPx: number, room: number): number {
  return STEPS.find((step) => step / msPerPx >= room) ?? STEPS.at(-1)!;
}

/** 04:53:18, with ms where the step is below a second. */
export function clock(epochMs: number, step = 1000): string {
  const text = new Date(epochMs).toISOString();
  return step >= 60_000 ? text.slice(11, 16) : text.slice(11, step < 1000 ? 23 : 19);
}

export function day(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** 2026-11-22 04:53:18.344 */
export function instant(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').slice(0, 23);
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 2 : 1);
}

/** First index whose value is not below `wanted`. */
export function lowerBound(values: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
