/**
 * No damage to the logs may turn into a wrong `must`: lines are dropped, files cut, clocks shifted, two incidents mixed. Skipped
 * without the corpus. BRIDGETRACE_MUTATIONS: how many mutations of each incident (default 1), BRIDGETRACE_SEED: where they start.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createRng } from '../../engine/index.ts';
import { analyze, Database, ingest, OBSERVED, packageRoot } from '../../queries/index.ts';
import { alsoHolds } from '../../scripts/accuracy.ts';
import { logsOf, readTruth } from '../../scripts/corpus-table.ts';

const ROOT = path.join(packageRoot(), '..', 'shared', 'corpus', 'incidents');
const ROUNDS = Number(process.env.BRIDGETRACE_MUTATIONS ?? 1);
const SEED = Number(process.env.BRIDGETRACE_SEED ?? 6);
const DAY_S = 86_400;
/** Logs of this size, packed, are small enough for a test that runs with every change. */
const MAX_PACKED = ROUNDS > 1 ? 2_000_000 : 120_000;

type Rng = ReturnType<typeof createRng>;
/** A number in [0, 1). */
const share = (rng: Rng) => rng.int(0, 999_999) / 1_000_000;
const uniform = (rng: Rng, below: number) => Math.floor(share(rng) * below);

function readLog(file: string): string[] {
  return gunzipSync(readFileSync(file)).toString('utf8').split('\n');
}

const MUTATIONS: { readonly [name: string]: (lines: string[], rng: Rng, isClient: boolean) => string[] } = {
  drop: (lines, rng) => {
    const lost = share(rng) * 0.3;
    return lines.filter(() => share(rng) >= lost);
  },
  cut: (lines, rng) => {
    const from = uniform(rng, Math.ceil(lines.length / 2));
    return lines.slice(from, from + 1 + uniform(rng, lines.length - from));
  },
  shift: (lines, rng, isClient) => {
    const shiftS = uniform(rng, 2 * DAY_S) - DAY_S;
    if (!isClient) return lines;
    return lines.map((line) => {
      const stamp = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.exec(line)?.[0];
      if (stamp === undefined) return line;
      const moved = new Date(Date.parse(`${stamp.replace(' ', 'T')}Z`) + shiftS * 1000).toISOString();
      return `${moved.slice(0, 10)} ${moved.slice(11, 19)}${line.slice(19)}`;
    });
  },
};

if (!existsSync(ROOT)) {
  test('mutated incidents', { skip: 'no corpus beside the repository' }, () => {});
} else {
  const names = readdirSync(ROOT)
    .sort()
    .filter(
      (name) => logsOf(path.join(ROOT, name)).reduce((sum, file) => sum + readFileSync(file).length, 0) < MAX_PACKED,
    );
  for (const name of names) {
    test(`${name}: damaged logs give no wrong must`, async (t) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const rng = createRng(SEED + round, name);
        const other = names[uniform(rng, names.length)]!;
        const mixed = share(rng) < 0.25 && other !== name;
        const incidents = mixed ? [name, other] : [name];
        const holds = new Set(incidents.flatMap((one) => trueOf(path.join(ROOT, one))));
        const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-mutated-'));
        const database = await Database.open(':memory:', 'write');
        const done: string[] = [];
        try {
          for (const one of incidents) {
            // each incident is of machines of its own
            const paths = logsOf(path.join(ROOT, one)).map((file) => {
              const isClient = path.basename(file).startsWith('nanomq');
              const kind = Object.keys(MUTATIONS)[uniform(rng, 3)]!;
              const lines = MUTATIONS[kind]!(readLog(file), rng, isClient);
              done.push(`${path.basename(file)} ${kind}`);
              const target = path.join(folder, `${one}-${path.basename(file).replace(/\.gz$/, '')}`);
              writeFileSync(target, lines.join('\n'));
              return target;
            });
            for (const file of paths)
              await ingest(database, {
                paths: [file],
                ...(mixed ? { node: `${one}-${path.basename(file).includes('nanomq') ? 'edge' : 'broker'}` } : {}),
              }).catch((error: unknown) => {
                // too little may be left to tell what log it is
                if (!/not-a-log|no-logs/.test((error as { code?: string }).code ?? '')) throw error;
              });
          }
          const { findings } = await analyze(database, { runId: OBSERVED });
          const wrong = findings.filter((finding) => finding.certainty === 'must' && !holds.has(finding.id));
          assert.deepEqual(
            wrong.map((finding) => `${finding.id}: ${finding.summary}`),
            [],
            `seed ${SEED + round}, ${incidents.join(' + ')}: ${done.join(', ')}`,
          );
        } finally {
          database.close();
          rmSync(folder, { recursive: true });
        }
        t.diagnostic(`${incidents.join(' + ')}: ${done.join(', ')}`);
      }
    });
  }
}

function trueOf(folder: string): string[] {
  const truth = readTruth(folder);
  return [...truth.expected_findings, ...truth.also_true, ...alsoHolds(truth)];
}
