/** Values of a nanomq.conf, as the release reads them. */
import { compareReleases } from '../../queries/index.ts';

/** The first bridge; a second one is another client. */
export function bridgeBlock(conf: string): string {
  const start = conf.search(/^bridges\.mqtt\./m);
  const next = conf.slice(start + 1).search(/^bridges\.mqtt\./m);
  return next === -1 ? conf.slice(start) : conf.slice(start, start + 1 + next);
}

export function readText(text: string, key: string): string | null {
  return new RegExp(`^\\s*${key}\\s*=\\s*"?([^"\\n]*?)"?\\s*$`, 'm').exec(text)?.[1] ?? null;
}

export function readInteger(text: string, key: string, absent: number): number {
  const value = readText(text, key);
  return value === null ? absent : Number.parseInt(value, 10);
}

export function readSeconds(text: string, key: string, absent: number): number {
  return readInteger(text, key, absent);
}

/** Defect D11: up to 0.24.8 the `m` of `800ms` is read as minutes, and the seconds are used as milliseconds; `1s` is 1000 ms. */
export function readMilliseconds(text: string, key: string, release: string, absent: number): number {
  const match = /^(\d+)(ms|s)?$/.exec(readText(text, key) ?? '');
  if (!match) return absent;
  const count = Number(match[1]);
  if (match[2] === 's') return count * 1000;
  return compareReleases(release, '0.24.9') < 0 ? count * 60 : count;
}
