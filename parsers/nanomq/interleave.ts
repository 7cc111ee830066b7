/** Whose message is this? For console lines that two threads wrote into (see nanomq-parser.ts). */
import { prefixFit } from './catalogue-search.ts';
import type { NanomqHeader } from './header.ts';

/** A prefix that may own a text. */
export interface Claimant {
  readonly header: NanomqHeader | null;
}

/** Texts longer than this are not looked through for a seam. */
const MAX_SPLIT_CHARS = 1_024;

/** The first of those whose statements print `text` best, or null if none prints it. */
export function bestOwner<T extends Claimant>(claimants: readonly T[], text: string): T | null {
  let best: T | null = null;
  let bestFit = 0;
  for (const claimant of claimants) {
    const fit = fitOf(claimant, text);
    if (fit > bestFit) {
      best = claimant;
      bestFit = fit;
    }
  }
  return best;
}

export interface Split<T> {
  readonly first: T;
  readonly second: T;
  /** Characters of the first message. */
  readonly at: number;
}

/** Two messages without a line end between them: whose they are and where the seam is; null if the text is not that. */
export function splitMessage<T extends Claimant>(claimants: readonly T[], text: string): Split<T> | null {
  if (text.length > MAX_SPLIT_CHARS) return null;
  let best: Split<T> | null = null;
  let bestFit = 0;
  for (let at = 1; at < text.length; at++) {
    const first = text.slice(0, at);
    for (const owner of claimants) {
      const firstFit = fitOf(owner, first);
      if (firstFit === 0) continue;
      for (const other of claimants) {
        if (other === owner) continue;
        const secondFit = fitOf(other, text.slice(at));
        if (secondFit === 0 || firstFit + secondFit <= bestFit) continue;
        best = { first: owner, second: other, at };
        bestFit = firstFit + secondFit;
      }
    }
  }
  return best;
}

function fitOf(claimant: Claimant, text: string): number {
  const { header } = claimant;
  return header === null || text.trim() === '' ? 0 : prefixFit(header.file, header.func, text);
}
