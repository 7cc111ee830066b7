/**
 * Findings and verdicts over a corpus of real incidents, as two Markdown tables: `node dist/scripts/corpus-table.js DIR [FILTER]`.
 * DIR holds a folder a scenario with logs and `truth.json` (what really happened); nothing in bridgetrace reads that file but this
 * script and the corpus tests.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Analysis, analyze, Database, ingest, OBSERVED } from '../queries/index.ts';
import { parseVariant, rebuild, type Verification, verify } from '../replay/index.ts';

export interface Truth {
  readonly id: string;
  readonly clientid: string;
  readonly end: string;
  readonly clock: { readonly nanomq_offset_s: number; readonly nanomq_tz: string };
  readonly expected_findings: readonly string[];
  readonly also_true: readonly string[];
  readonly cycles: { readonly keepalive_count: number; readonly keepalive_period_s_mean: number | null };
  readonly fixes: readonly { readonly change: string; readonly fixes_the_cycle: boolean; readonly basis: string }[];
}

export function readTruth(folder: string): Truth {
  return JSON.parse(readFileSync(path.join(folder, 'truth.json'), 'utf8')) as Truth;
}

export function logsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.log(\.\d+)?\.gz$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Keepalive disconnects and their mean period, up to the instant at which the recording of the truth stopped. */
export function keepaliveCycles(analysis: Analysis, truth: Truth): { count: number; period_s: number | null } {
  const ends = analysis.sessions
    .filter(
      (session) =>
        session.client_id === truth.clientid && session.reason === 'keepalive_timeout' && session.disconnected !== null,
    )
    .map((session) => Date.parse(session.disconnected ?? ''))
    .filter((end) => end <= Date.parse(truth.end))
    .sort((a, b) => a - b);
  const first = ends[0];
  const last = ends.at(-1);
  return {
    count: ends.length,
    period_s:
      first === undefined || last === undefined || ends.length < 2 ? null : (last - first) / 1000 / (ends.length - 1),
  };
}

/** Scenarios whose logs are too large for a table that is made in a minute. */
const TOO_LARGE = /^(17|25b)-/;

async function main(root: string, filter: string): Promise<void> {
  const scenarios = readdirSync(root)
    .filter((name) => name.includes(filter) && !TOO_LARGE.test(name))
    .sort();
  const findings = [
    '| incident | expected | found | keepalive disconnects | period s | unparsed | clock error s |',
    '|---|---|---|---|---|---|---|',
  ];
  const verdicts = [
    '| incident | change | truth | basis | verdict | k of n | baseline |',
    '|---|---|---|---|---|---|---|',
  ];
  for (const name of scenarios) {
    const folder = path.join(root, name);
    const truth = readTruth(folder);
    const database = await Database.open(':memory:', 'write');
    try {
      const read = await ingest(database, { paths: logsOf(folder) });
      const analysis = await analyze(database, { runId: OBSERVED });
      const cycles = keepaliveCycles(analysis, truth);
      const unparsed = read.sources.reduce((sum, source) => sum + source.unparsed, 0);
      const clock = analysis.clocks.find((one) => one.product === 'nanomq');
      const found = analysis.findings.map((finding) => `${finding.id} (${finding.certainty})`).join(', ') || 'none';
      findings.push(
        `| ${name} | ${truth.expected_findings.join(', ') || 'none'} | ${found} | ${cycles.count} of ${truth.cycles.keepalive_count} | ${cycles.period_s?.toFixed(3) ?? '–'} / ${truth.cycles.keepalive_period_s_mean ?? '–'} | ${unparsed} | ${clock?.error_s?.toFixed(2) ?? '–'} |`,
      );
      if (truth.fixes.length === 0) continue;
      const result: Verification = await verify(
        await rebuild(database, { runId: OBSERVED, clientId: truth.clientid }),
        {
          variants: truth.fixes.map((fix) => parseVariant(fix.change)),
          seeds: 5,
        },
      );
      truth.fixes.forEach((fix, index) => {
        const verdict = result.variants[index];
        verdicts.push(
          `| ${name} | ${fix.change} | ${fix.fixes_the_cycle ? 'fixes' : 'does not'} | ${fix.basis} | ${verdict?.verdict} | ${verdict?.k} of ${verdict?.n} | ${result.baseline.k} of ${result.baseline.n} alike |`,
        );
      });
    } catch (error) {
      findings.push(
        `| ${name} | ${truth.expected_findings.join(', ')} | failed: ${error instanceof Error ? error.message.split('\n')[0] : String(error)} | | | | |`,
      );
    } finally {
      database.close();
    }
    process.stderr.write(`${name}\n`);
  }
  process.stdout.write(`${findings.join('\n')}\n\n${verdicts.join('\n')}\n`);
}

if (process.argv[1]?.endsWith('corpus-table.js')) {
  const root = process.argv[2];
  if (root === undefined) {
    process.stderr.write('usage: node dist/scripts/corpus-table.js DIR [FILTER]\n');
    process.exitCode = 2;
  } else await main(root, process.argv[3] ?? '');
}
