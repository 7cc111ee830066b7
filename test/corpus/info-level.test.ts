/** The bridge's log with the broker's at level info, where only the ends of connections are logged. Skipped without the corpus. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { analyze, Database, ingest, OBSERVED, packageRoot } from '../../queries/index.ts';
import { keepaliveCycles, logsOf, readTruth } from '../../scripts/corpus-table.ts';

const ROOT = path.join(packageRoot(), '..', 'shared', 'corpus', 'incidents');

/** Records of a text log without those at debug level; lines that continue a record go with it. */
function withoutDebug(text: string): string {
  let kept = true;
  return text
    .split('\n')
    .filter((line) => {
      if (/^\d{4}-/.test(line)) kept = !/^\S+ \[debug\]/.test(line);
      return kept;
    })
    .join('\n');
}

if (!existsSync(ROOT)) {
  test('the corpus at info level', { skip: 'no corpus beside the repository' }, () => {});
} else {
  for (const name of readdirSync(ROOT).sort()) {
    const folder = path.join(ROOT, name);
    const truth = readTruth(folder);
    if (truth.cycles.keepalive_count === 0 || !existsSync(path.join(folder, 'emqx.log.gz'))) continue;
    test(`${name}: the count of keepalive disconnects is exact and their period within 1 %`, async (t) => {
      const copy = mkdtempSync(path.join(tmpdir(), 'bridgetrace-info-'));
      const database = await Database.open(':memory:', 'write');
      t.after(() => {
        database.close();
        rmSync(copy, { recursive: true });
      });
      for (const file of logsOf(folder).filter((one) => path.basename(one).startsWith('nanomq'))) {
        copyFileSync(file, path.join(copy, path.basename(file)));
      }
      const broker = gunzipSync(readFileSync(path.join(folder, 'emqx.log.gz'))).toString('utf8');
      writeFileSync(path.join(copy, 'emqx.log'), withoutDebug(broker));
      await ingest(database, { paths: [copy] });
      const cycles = keepaliveCycles(await analyze(database, { runId: OBSERVED }), truth);
      assert.equal(cycles.count, truth.cycles.keepalive_count);
      const period = truth.cycles.keepalive_period_s_mean;
      if (period !== null) assert.ok(Math.abs((cycles.period_s ?? 0) - period) <= 0.01 * period, `${cycles.period_s}`);
    });
  }
}
