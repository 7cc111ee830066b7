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

/**
 * Defect D11: up to 0.24.8 the value is read in seconds, with `m` for minutes, and the number is used as milliseconds: `800ms` gives
 * 48000 ms and `1s` gives 1 ms (incident 26 repeats its Initial after 3, 6, 12 … ms, and connects 1.54 or 3.08 s after a dial).
 */
export function readMilliseconds(text: string, key: string, release: string, absent: number): number {
  const match = /^(\d+)(ms|s)?$/.exec(readText(text, key) ?? '');
  if (!match) return absent;
  const count = Number(match[1]);
  const misread = compareReleases(release, '0.24.9') < 0;
  if (match[2] === 's') return misread ? count : count * 1000;
  return misread ? count * 60 : count;
}
