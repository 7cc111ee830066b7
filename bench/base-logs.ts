/** The real logs that the made ones repeat: debug logs of the corpus where it lies at hand, else the bundled incident. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createRng } from '../engine/index.ts';
import type { Product } from '../parsers/index.ts';
import { packageRoot } from '../queries/index.ts';

/** Larger logs (two of the corpus) would crowd out all others, and what is repeated is held in memory. */
const MAX_LOG_BYTES = 6_000_000;
const MAX_BASE_BYTES = 32_000_000;
const DEBUG_WORD: { readonly [product in Product]: string } = { nanomq: '] DEBUG ', emqx: ' [debug] ' };

export interface BaseLog {
  readonly name: string;
  /** Latin-1, so that every byte is one character and comes out again as it was. */
  readonly lines: readonly string[];
}

/** The corpus beside the repository, as the corpus tests expect it. */
export const CORPUS = path.join(packageRoot(), '..', 'shared', 'corpus');

/**
 * Debug-level text logs of one product, in an order that the seed decides.
 * @param corpus folder that holds `incidents/`; the bundled incident is taken if it does not
 */
export function debugLogs(product: Product, seed: number, corpus = CORPUS): BaseLog[] {
  const files = logFiles(product, corpus);
  shuffle(files, seed);
  const logs: BaseLog[] = [];
  let bytes = 0;
  for (const file of files) {
    const text = readLog(file);
    if (text.length > MAX_LOG_BYTES) continue;
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    const debug = lines.filter((line) => line.includes(DEBUG_WORD[product])).length;
    if (debug * 2 < lines.length) continue;
    logs.push({ name: path.basename(path.dirname(file)), lines });
    bytes += text.length;
    if (bytes >= MAX_BASE_BYTES) break;
  }
  if (logs.length === 0) throw new Error(`no debug log of ${product} below ${corpus}`);
  return logs;
}

function logFiles(product: Product, corpus: string): string[] {
  const incidents = path.join(corpus, 'incidents');
  const name = `${product}.log.gz`;
  if (existsSync(incidents)) {
    return readdirSync(incidents)
      .sort()
      .map((folder) => path.join(incidents, folder, name))
      .filter((file) => existsSync(file));
  }
  const example = path.join(packageRoot(), 'examples', 'stuck-busy');
  return [name, `${product}.log`].map((file) => path.join(example, file)).filter((file) => existsSync(file));
}

/** Text of a log, gzipped or not, as Latin-1. */
export function readLog(file: string): string {
  const bytes = readFileSync(file);
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
}

function shuffle<T>(list: T[], seed: number): void {
  const rng = createRng(seed, 'base-logs');
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = rng.int(0, last);
    [list[last], list[other]] = [list[other]!, list[last]!];
  }
}
