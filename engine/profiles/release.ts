/** Numeric comparison of release names and the choice of a row in a table of release ranges. */

import type { Chosen } from './profile.ts';

export interface ReleaseRow<Profile> {
  /** First and last release of the range, both included. A last part of 99 stands for the last of its series. */
  readonly from: string;
  readonly to: string;
  readonly profile: Profile;
}

/** `v5.8.2`, `e5.10.3`, `0.23.10-rc.1` → `[5, 8, 2]`…; null if there is no `number.number` in it. */
export function parseRelease(release: string): readonly number[] | null {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(release);
  if (!match) return null;
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

export function compareReleases(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * The row whose range holds `release`; else the nearest one below it (or the first, or the last), with a note that says why.
 *
 * @param product for the note
 */
export function chooseRow<Profile>(
  rows: readonly ReleaseRow<Profile>[],
  release: string,
  product: 'NanoMQ' | 'EMQX',
): Chosen<Profile> {
  const wanted = parseRelease(release);
  const first = rows[0]!;
  const last = rows[rows.length - 1]!;
  if (!wanted) return substitute(last, `${product} release '${release}' is not known`, 'the newest');
  if (compareReleases(wanted, parseRelease(first.from)!) < 0) {
    return substitute(first, `${product} ${release} is older than all releases that are known`, 'the oldest');
  }
  let nearest = first;
  for (const row of rows) {
    if (compareReleases(wanted, parseRelease(row.from)!) < 0) {
      return substitute(nearest, `${product} ${release} lies between two releases that are known`, 'the older one');
    }
    if (compareReleases(wanted, parseRelease(row.to)!) <= 0) return chosen(row, null);
    nearest = row;
  }
  return substitute(last, `${product} ${release} is newer than all releases that are known`, 'the newest');
}

function substitute<Profile>(row: ReleaseRow<Profile>, why: string, which: string): Chosen<Profile> {
  return chosen(row, `${why}; the rules of ${rangeName(row)}, ${which}, are used`);
}

function chosen<Profile>(row: ReleaseRow<Profile>, note: string | null): Chosen<Profile> {
  return { profile: row.profile, range: rangeName(row), note };
}

function rangeName(row: ReleaseRow<unknown>): string {
  return row.from === row.to ? row.from : `${row.from}–${row.to.replace(/\.99$/, '.x')}`;
}
