/** Lines of the real logs, where the corpus lies beside the repository: more shapes than the bundled incident has. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { detectLayout, MAX_DETECT_LINES } from '../../parsers/index.ts';
import { packageRoot } from '../../queries/index.ts';
import { addLines, type LinePool, splitLines } from '../../test/property/line-pool.ts';

export const CORPUS = path.join(packageRoot(), '..', 'shared', 'corpus');
const LOG_NAME = /\.log(?:\.\d+)?\.gz$/;
/** The largest logs say nothing that the others do not. */
const MAX_GZIPPED_BYTES = 400_000;

export function addCorpusLines(pool: LinePool, folder: string): void {
  if (!existsSync(folder)) return;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => LOG_NAME.test(name));
  for (const file of files.sort()) {
    const whole = path.join(folder, file);
    if (statSync(whole).size > MAX_GZIPPED_BYTES) continue;
    const lines = splitLines(gunzipSync(readFileSync(whole)));
    const detected = detectLayout(lines.slice(0, MAX_DETECT_LINES).map((line) => line.toString('utf8')));
    if (detected !== null) addLines(pool, detected.layout, lines);
  }
}
