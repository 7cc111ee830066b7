/**
 * Verdicts against what real brokers showed. Runs where the corpus lies beside the repository, else says so.
 *
 * Only changes that were tried on the same workload decide (`basis` same-workload); the others may come out undecided, but no change
 * that did not help may ever be called `fixed`.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Database, ingest, OBSERVED, packageRoot } from '../../queries/index.ts';
import { parseVariant, rebuild, verify } from '../../replay/index.ts';
import { logsOf, readTruth } from '../../scripts/corpus-table.ts';

const ROOT = path.join(packageRoot(), '..', 'shared', 'corpus', 'incidents');
const KNOWN = ['keepalive-receive-reset', 'keepalive-control-stream', 'stuck-busy'];
const SEEDS = 3;

if (!existsSync(ROOT)) {
  test('verdicts of the corpus', { skip: 'no corpus beside the repository' }, () => {});
} else {
  for (const name of readdirSync(ROOT).sort()) {
    const folder = path.join(ROOT, name);
    const truth = readTruth(folder);
    if (truth.fixes.length === 0 || !KNOWN.includes(truth.expected_findings[0] ?? '')) continue;
    test(`${name}: what fixed it on real brokers is fixed, what did not is not`, async () => {
      const database = await Database.open(':memory:', 'write');
      try {
        await ingest(database, { paths: logsOf(folder) });
        const cassette = await rebuild(database, { runId: OBSERVED, clientId: truth.clientid });
        const variants = truth.fixes.map((fix) => parseVariant(fix.change));
        const result = await verify(cassette, { variants, seeds: SEEDS });
        assert.ok(result.baseline.reproduced, result.baseline.reason);
        truth.fixes.forEach((fix, index) => {
          const verdict = result.variants[index]?.verdict;
          if (!fix.fixes_the_cycle) assert.notEqual(verdict, 'fixed', fix.change);
          if (fix.basis === 'same-workload')
            assert.equal(verdict, fix.fixes_the_cycle ? 'fixed' : 'not-fixed', fix.change);
        });
      } finally {
        database.close();
      }
    });
  }
}
