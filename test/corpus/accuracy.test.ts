/**
 * The diagnosis against what really happened: right with the logs of both ends, and never wrong with less. docs/ACCURACY.md has all
 * four views of all incidents; here each is read with both ends and with one of the other views in turn, to save time.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { analyze, Database, ingest, OBSERVED, packageRoot, zoneOffsetUs } from '../../queries/index.ts';
import { judge, logsSeen, type ViewOfLogs } from '../../scripts/accuracy.ts';
import { logsOf, readTruth } from '../../scripts/corpus-table.ts';

const ROOT = path.join(packageRoot(), '..', 'shared', 'corpus', 'incidents');
/** 1.3 GB and 50 MB of log. */
const TOO_LARGE = /^(17|25b)-/;
const LESS: readonly ViewOfLogs[] = ['client', 'broker', 'warn'];

if (!existsSync(ROOT)) {
  test('accuracy', { skip: 'no corpus beside the repository' }, () => {});
} else {
  const names = readdirSync(ROOT)
    .filter((name) => !TOO_LARGE.test(name))
    .sort();
  names.forEach((name, index) => {
    const folder = path.join(ROOT, name);
    const truth = readTruth(folder);
    for (const view of ['both', LESS[index % LESS.length]!] as const) {
      test(`${name}, ${view}: ${truth.expected_findings[0] ?? 'healthy'}`, async () => {
        const scratch = mkdtempSync(path.join(tmpdir(), 'bridgetrace-accuracy-'));
        const database = await Database.open(':memory:', 'write');
        try {
          const paths = await logsSeen(logsOf(folder), view, scratch);
          if (paths === null) return;
          await ingest(database, { paths });
          const analysis = await analyze(database, { runId: OBSERVED });
          const judgement = judge(analysis, truth);
          const found = analysis.findings.map((finding) => `${finding.id} (${finding.certainty})`).join(', ');
          if (view === 'both') assert.equal(judgement, 'right', found);
          else assert.ok(!judgement.startsWith('wrong'), `${judgement}: ${found}`);
          for (const clock of analysis.clocks) {
            if (view !== 'both' || clock.product !== 'nanomq' || clock.error_s === null) continue;
            const zoneS = zoneOffsetUs(truth.clock.nanomq_tz, Date.parse(truth.end) * 1000) / 1e6;
            const off = Math.abs(clock.offset_s + truth.clock.nanomq_offset_s + zoneS);
            assert.ok(off <= clock.error_s, `the clock is ${off} s off, stated ${clock.error_s} s`);
          }
        } finally {
          database.close();
          rmSync(scratch, { recursive: true });
        }
      });
    }
  });
}
