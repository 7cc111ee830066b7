/** Order of release numbers: 0.23.9 < 0.23.10, 5.8.2 < 5.10.0. Missing parts count as 0, x is any patch release and sorts last, a leading v or e is ignored. */
export function compareReleases(a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function parts(release: string): number[] {
  return release
    .replace(/^[ve]/, '')
    .split('.')
    .map((part) => (part === 'x' ? 9_999 : Number.parseInt(part, 10) || 0));
}
