/**
 * How right the diagnosis is, over a corpus of real incidents: `node dist/scripts/accuracy.js DIR [FILTER]` prints the tables of
 * docs/ACCURACY.md. Each incident is analysed with the logs of both ends, of one end only, and cut to warn level. What is true of
 * it is in its `truth.json`, which nothing in bridgetrace reads but scripts and tests.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Analysis, analyze, Database, ingest, OBSERVED, zoneOffsetUs } from '../queries/index.ts';
import { logsOf, readTruth, type Truth } from './corpus-table.ts';
import { cutTo } from './cut-logs.ts';

export const VIEWS_OF_LOGS = ['both', 'client', 'broker', 'warn'] as const;
export type ViewOfLogs = (typeof VIEWS_OF_LOGS)[number];

/** What the analysis said, held against the truth. */
export type Judgement = 'right' | 'weaker' | 'silent' | 'wrong-must' | 'wrong-may';

/** What the truth files leave out, and why it holds all the same. */
const ALSO_HOLDS: { readonly [incident: string]: readonly string[] } = {
  // delivered.jsonl: 34 and 73 of 100 messages in the 10 s steps after the second reconnect, then all; 4 resends, one a tick
  '07': ['resend-starved'],
};

/** Findings that hold although the truth file does not list them. */
export function alsoHolds(truth: Truth): readonly string[] {
  return ALSO_HOLDS[truth.id] ?? [];
}

const UNDETERMINED = 'keepalive-cycle-undetermined';

/**
 * `right`: the expected finding comes first (for a healthy incident: nothing but what also holds). `weaker`: it is among the
 * candidates of `keepalive-cycle-undetermined`, or follows a finding that also holds. `silent`: nothing was found where something
 * is. `wrong-must`, `wrong-may`: a finding that does not hold.
 */
export function judge(analysis: Pick<Analysis, 'findings'>, truth: Truth): Judgement {
  const [expected] = truth.expected_findings;
  const holds = new Set([...truth.expected_findings, ...truth.also_true, ...alsoHolds(truth)]);
  const candidates = analysis.findings
    .filter((finding) => finding.id === UNDETERMINED)
    .flatMap((finding) => finding.candidates ?? []);
  const wrong = analysis.findings.filter(
    (finding) =>
      !holds.has(finding.id) &&
      !(finding.id === UNDETERMINED && expected !== undefined && candidates.includes(expected)),
  );
  if (wrong.some((finding) => finding.certainty === 'must')) return 'wrong-must';
  if (wrong.length > 0) return 'wrong-may';
  if (expected === undefined || analysis.findings[0]?.id === expected) return 'right';
  return analysis.findings.length === 0 ? 'silent' : 'weaker';
}

/** The logs of an incident as one view of them; null where that view has none. `scratch`: a folder for cut logs. */
export async function logsSeen(logs: readonly string[], view: ViewOfLogs, scratch: string): Promise<string[] | null> {
  const isClient = (file: string) => path.basename(file).startsWith('nanomq');
  if (view === 'both') return [...logs];
  if (view === 'client') return logs.filter(isClient);
  if (view === 'broker') return logs.filter((file) => !isClient(file));
  const database = await Database.open(':memory:', 'write');
  try {
    await ingest(database, { paths: logs });
    const cut = await cutTo('warn', database, scratch);
    return cut.length === 0 ? null : cut;
  } finally {
    database.close();
  }
}

/** Logs of more than this, decompressed, are left out unless a filter names them. */
const LARGE = /^25b-/;

async function main(root: string, filter: string): Promise<void> {
  const scenarios = readdirSync(root)
    .filter((name) => name.includes(filter) && (filter !== '' || !LARGE.test(name)))
    .sort();
  const rows: string[] = [];
  const clocks: string[] = [];
  const tally = new Map<string, number>();
  for (const name of scenarios) {
    const folder = path.join(root, name);
    const truth = readTruth(folder);
    const cells: string[] = [];
    for (const view of VIEWS_OF_LOGS) {
      const scratch = mkdtempSync(path.join(tmpdir(), 'bridgetrace-accuracy-'));
      const database = await Database.open(':memory:', 'write');
      try {
        const paths = await logsSeen(logsOf(folder), view, scratch);
        if (paths === null) {
          cells.push('no log left');
          continue;
        }
        await ingest(database, { paths });
        const analysis = await analyze(database, { runId: OBSERVED });
        const judgement = judge(analysis, truth);
        tally.set(`${view} ${judgement}`, (tally.get(`${view} ${judgement}`) ?? 0) + 1);
        cells.push(`${MARKS[judgement]} ${findingsText(analysis)}`);
        if (view === 'both') clocks.push(...clockRows(name, analysis, truth));
      } finally {
        database.close();
        rmSync(scratch, { recursive: true });
      }
    }
    rows.push(`| ${name} | ${truth.expected_findings.join(', ') || 'none'} | ${cells.join(' | ')} |`);
    process.stderr.write(`${name}\n`);
  }
  const summary = VIEWS_OF_LOGS.map(
    (view) => `| ${view} | ${JUDGEMENTS.map((judgement) => tally.get(`${view} ${judgement}`) ?? 0).join(' | ')} |`,
  );
  process.stdout.write(
    [
      `| logs | ${JUDGEMENTS.join(' | ')} |`,
      `|---|${JUDGEMENTS.map(() => '---|').join('')}`,
      ...summary,
      '',
      '| incident | expected | both logs | client only | broker only | cut to warn |',
      '|---|---|---|---|---|---|',
      ...rows,
      '',
      '| incident | true offset s | estimate s | stated error s | pairs | inside |',
      '|---|---|---|---|---|---|',
      ...clocks,
      '',
    ].join('\n'),
  );
}

const JUDGEMENTS: readonly Judgement[] = ['right', 'weaker', 'silent', 'wrong-may', 'wrong-must'];
const MARKS: { readonly [judgement in Judgement]: string } = {
  right: 'right:',
  weaker: 'weaker:',
  silent: 'silent',
  'wrong-may': '**wrong**:',
  'wrong-must': '**WRONG must**:',
};

function findingsText({ findings }: Pick<Analysis, 'findings'>): string {
  const texts = findings.map(({ id, certainty, candidates }) =>
    candidates === undefined ? `${id} (${certainty})` : `${id} (${candidates.join(' / ')})`,
  );
  return texts.join(', ') || 'none';
}

/** The offset that puts NanoMQ's stamps on UTC is minus what its clock and zone were ahead. */
function clockRows(name: string, analysis: Analysis, truth: Truth): string[] {
  return analysis.clocks
    .filter((clock) => clock.product === 'nanomq')
    .map((clock) => {
      const wanted = -(
        truth.clock.nanomq_offset_s +
        zoneOffsetUs(truth.clock.nanomq_tz, Date.parse(truth.end) * 1000) / 1e6
      );
      const inside = clock.error_s !== null && Math.abs(clock.offset_s - wanted) <= clock.error_s;
      return `| ${name} | ${wanted} | ${clock.offset_s.toFixed(2)} | ${clock.error_s?.toFixed(2) ?? '–'} | ${clock.pairs} | ${inside ? 'yes' : clock.error_s === null ? 'no error stated' : '**no**'} |`;
    });
}

if (process.argv[1]?.endsWith('accuracy.js')) {
  const root = process.argv[2];
  if (root === undefined) {
    process.stderr.write('usage: node dist/scripts/accuracy.js DIR [FILTER]\n');
    process.exitCode = 2;
  } else await main(root, process.argv[3] ?? '');
}
