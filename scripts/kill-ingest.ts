/**
 * Proof that a killed ingest loses nothing: `npm run kill-test -- [--times 100] [--seed S] [--size 30MB] [--corpus DIR]`.
 * Kills `bridgetrace ingest` with SIGKILL at random moments and starts it again until it has come through; then every table
 * must hold what an undisturbed ingest puts there. Exit code 1 if one does not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeDebugLog, parseSize } from '../bench/make-logs.ts';
import { createRng } from '../engine/index.ts';
import { killUntilDone } from '../test/queries/kill.ts';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '100' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      size: { type: 'string', default: '30MB' },
      corpus: { type: 'string' },
    },
  });
  const seed = Number(values.seed);
  const bytes = parseSize(values.size);
  process.stdout.write(`seed ${seed}: ${values.times} kills over ${values.size} of logs\n`);
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-kill-'));
  let failed = false;
  try {
    // Both products: the derived tables need both, and a kill may come between the two files.
    const paths = (['nanomq', 'emqx'] as const).map((product) => {
      const log = path.join(folder, `${product}.log`);
      makeDebugLog(log, product, bytes / 2, { seed, corpus: values.corpus });
      return log;
    });
    const trips = await killUntilDone({
      paths,
      folder,
      rng: createRng(seed, 'kills'),
      kills: Number(values.times),
      onTrip: ({ killsMs, differences }) => {
        failed ||= differences.length > 0;
        const result = differences.length === 0 ? 'the same database' : `DIFFERENT\n  ${differences.join('\n  ')}`;
        process.stdout.write(`${killsMs.length} kills (${killsMs.join(', ')} ms): ${result}\n`);
      },
    });
    const kills = trips.reduce((sum, trip) => sum + trip.killsMs.length, 0);
    process.stdout.write(
      `${kills} kills, ${trips.length} ingests completed: ${failed ? 'FAILED' : 'passed'}, seed ${seed}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return failed ? 1 : 0;
}

process.exitCode = await main();
