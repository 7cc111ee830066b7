/**
 * Verdicts held against what real brokers showed: `node dist/scripts/verdict-table.js DIR [--only 01a,03] [--levels debug,info,warn]
 * [--seeds 5] [--keep DIR] [--mutants 200] [--out docs/VERDICTS.md]`.
 *
 * Every incident of DIR that cycles, or for which it is known what helps, is rebuilt from its logs alone: as they are, and cut to info
 * and to warn level. Its baseline is compared with the logs and with the truth, and its fixes are verified. Then cassettes are spoilt
 * at random and changes tried on them that are known not to help. With `--keep` what is done stays in files and is not done again.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Database, ingest, OBSERVED } from '../queries/index.ts';
import { type Cassette, parseVariant, rebuild, type Verification, verify } from '../replay/index.ts';
import { logsOf, readTruth, type Truth } from './corpus-table.ts';
import { type CutLevel, cutTo } from './cut-logs.ts';
import { mutated } from './mutate-cassette.ts';
import { type MutantResult, type ScenarioResult, verdictReport } from './verdict-report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    levels: { type: 'string', default: 'debug,info,warn' },
    seeds: { type: 'string', default: '5' },
    mutants: { type: 'string', default: '0' },
    keep: { type: 'string' },
    out: { type: 'string' },
  },
});
const [root] = positionals;
if (root === undefined) {
  process.stderr.write('usage: node dist/scripts/verdict-table.js DIR [options]\n');
  process.exit(2);
}
const threads = availableParallelism();
const seeds = Number(values.seeds);

const results: ScenarioResult[] = [];
const cycling: { readonly name: string; readonly cassette: Cassette; readonly truth: Truth }[] = [];
for (const name of readdirSync(root).sort()) {
  if (!values.only.split(',').some((start) => name.startsWith(start))) continue;
  const truth = readTruth(path.join(root, name));
  if (truth.cycles.keepalive_count < 2 && truth.fixes.length === 0) continue;
  for (const level of values.levels.split(',')) {
    const result = await kept(`${name}.${level}`, () => verifyScenario(name, truth, level as 'debug' | CutLevel));
    results.push(result.result);
    if (level === 'debug' && result.result.verification?.baseline.reproduced && result.cassette !== null)
      cycling.push({ name, cassette: result.cassette, truth });
    process.stderr.write(`${name} ${level}: ${result.result.verification?.baseline.reason ?? result.result.problem}\n`);
  }
}
const mutants: MutantResult[] = [];
for (let seed = 1; seed <= Number(values.mutants) && cycling.length > 0; seed += 1) {
  const { name, cassette, truth } = cycling[seed % cycling.length]!;
  mutants.push(await kept(`mutant-${seed}`, () => verifyMutant(name, cassette, truth, seed)));
  process.stderr.write(`mutant ${seed} of ${name}\n`);
}
const report = verdictReport(results, mutants, seeds);
if (values.out === undefined) process.stdout.write(report);
else writeFileSync(values.out, report);

async function kept<Result>(name: string, make: () => Promise<Result>): Promise<Result> {
  if (values.keep === undefined) return make();
  const file = path.join(values.keep, `${name}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Result;
  const result = await make();
  mkdirSync(values.keep, { recursive: true });
  writeFileSync(file, JSON.stringify(result));
  return result;
}

async function verifyScenario(
  name: string,
  truth: Truth,
  level: 'debug' | CutLevel,
): Promise<{ readonly result: ScenarioResult; readonly cassette: Cassette | null }> {
  const base = { name, level, truth: { cycles: truth.cycles, fixes: truth.fixes } };
  let cassette: Cassette;
  try {
    cassette = await rebuildFrom(logsOf(path.join(root!, name)), truth.clientid, level);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { result: { ...base, verification: null, problem }, cassette: null };
  }
  const variants = truth.fixes.map((fix) => parseVariant(fix.change));
  const verification: Verification = await verify(cassette, { variants, seeds, threads });
  return { result: { ...base, verification, problem: null }, cassette };
}

async function rebuildFrom(logs: readonly string[], clientId: string, level: 'debug' | CutLevel): Promise<Cassette> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'bridgetrace-verdicts-'));
  let database = await Database.open(':memory:', 'write');
  try {
    await ingest(database, { paths: [...logs] });
    if (level !== 'debug') {
      const paths = await cutTo(level, database, scratch);
      database.close();
      database = await Database.open(':memory:', 'write');
      await ingest(database, { paths });
    }
    // Logs that do not name the client have one bridge all the same.
    return await rebuild(database, { runId: OBSERVED, clientId }).catch(() => rebuild(database, { runId: OBSERVED }));
  } finally {
    database.close();
    rmSync(scratch, { recursive: true });
  }
}

/** Changes that help in no case: none at all, a keepalive too long to notice anything, and those that real brokers showed not to help. */
async function verifyMutant(name: string, cassette: Cassette, truth: Truth, seed: number): Promise<MutantResult> {
  const mutant = mutated(cassette, seed);
  const same = `keepalive=${mutant.cassette.header.bridge.settings.keepaliveS ?? 10}s`;
  const useless = truth.fixes.filter((fix) => !fix.fixes_the_cycle).map((fix) => fix.change);
  const tried = [same, 'keepalive=0', ...useless.slice(0, 1)];
  const { baseline, variants } = await verify(mutant.cassette, {
    variants: tried.map(parseVariant),
    seeds: 2,
    threads,
  });
  return {
    name,
    seed,
    mutation: mutant.what,
    reproduced: baseline.reproduced,
    verdicts: variants.map((variant) => ({ change: variant.name, verdict: variant.verdict })),
  };
}
