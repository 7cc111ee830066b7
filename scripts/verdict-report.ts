/** The page that `verdict-table.ts` makes. */
import type { FieldReport, Verification } from '../replay/index.ts';
import type { Truth } from './corpus-table.ts';

export interface ScenarioResult {
  readonly name: string;
  readonly level: string;
  readonly truth: Pick<Truth, 'cycles' | 'fixes'>;
  readonly verification: Verification | null;
  /** Why there is none. */
  readonly problem: string | null;
}

export interface MutantResult {
  readonly name: string;
  readonly seed: number;
  readonly mutation: string;
  readonly reproduced: boolean;
  readonly verdicts: readonly { readonly change: string; readonly verdict: string }[];
}

export function verdictReport(
  results: readonly ScenarioResult[],
  mutants: readonly MutantResult[],
  seeds: number,
): string {
  const fixes = results.flatMap((result) => fixRows(result));
  const count = (wanted: (row: FixRow) => boolean) => fixes.filter(wanted).length;
  const gating = fixes.filter((row) => row.basis === 'same-workload');
  return [
    '# Verdicts',
    '',
    'Made by `node dist/scripts/verdict-table.js CORPUS --mutants N --out docs/VERDICTS.md`; not to be edited.',
    '',
    'Each incident of the corpus that cycles, or for which it is known what helps, rebuilt from its logs alone: as they are (debug), and',
    `cut to info and to warn level without traces. ${seeds} seeds a baseline and a change. Truth: what real brokers showed for the`,
    'change, on the same workload or on a like one (extrapolated).',
    '',
    `- false \`fixed\`: ${count((row) => row.verdict === 'fixed' && !row.helps)} of ${fixes.length} verdicts`,
    ...LEVELS.map((level) => `- ${level}: ${levelSummary(results, gating, level)}`),
    ...(mutants.length === 0 ? [] : [`- ${mutantSummary(mutants)}`]),
    '',
    '## Baselines',
    '',
    'logs / replay (median of the seeds); *unknown*: the logs cannot show it; **bold**: outside of the tolerance.',
    '',
    '| incident | level | reproduced | cause | cycles | period s | connected s | disconnects | busy lines a cycle | lines about losses | lost up | delivered up | sent down |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...results.map(baselineRow),
    '',
    '## Not reproduced',
    '',
    ...results
      .filter(({ verification }) => !verification?.baseline.reproduced)
      .map(
        ({ name, level, verification, problem }) =>
          `- ${name} ${level}: ${verification === null ? problem : `${verification.baseline.reason}. ${verification.baseline.next ?? ''}`}`,
      ),
    '',
    '## Changes',
    '',
    '| incident | level | change | truth | basis | verdict | seeds that show it | why |',
    '|---|---|---|---|---|---|---|---|',
    ...fixes.map(
      (row) =>
        `| ${row.incident} | ${row.level} | ${row.change} | ${row.helps ? 'helps' : 'does not'} | ${row.basis} | ${row.verdict === 'fixed' && !row.helps ? `**${row.verdict}**` : row.verdict} | ${row.seen} | ${row.why} |`,
    ),
    '',
  ].join('\n');
}

const LEVELS = ['debug', 'info', 'warn'];

interface FixRow {
  readonly incident: string;
  readonly level: string;
  readonly change: string;
  readonly helps: boolean;
  readonly basis: string;
  readonly verdict: string;
  readonly seen: string;
  readonly why: string;
}

function fixRows({ name, level, truth, verification }: ScenarioResult): FixRow[] {
  return truth.fixes.flatMap((fix, index) => {
    const variant = verification?.variants[index];
    if (variant === undefined) return [];
    return [
      {
        incident: name,
        level,
        change: fix.change,
        helps: fix.fixes_the_cycle,
        basis: fix.basis,
        verdict: variant.verdict,
        seen: variant.n === 0 ? 'not run' : `${variant.k} of ${variant.n}`,
        why: variant.verdict === 'fixed' ? '' : variant.reason,
      },
    ];
  });
}

function levelSummary(results: readonly ScenarioResult[], gating: readonly FixRow[], level: string): string {
  const own = results.filter((result) => result.level === level);
  const rows = gating.filter((row) => row.level === level);
  const right = rows.filter((row) => row.verdict === (row.helps ? 'fixed' : 'not-fixed')).length;
  const open = rows.filter((row) => row.verdict === 'inconclusive').length;
  const reproduced = own.filter((result) => result.verification?.baseline.reproduced).length;
  return `${reproduced} of ${own.length} incidents reproduced; of ${rows.length} changes seen on the same workload ${right} judged right, ${open} undecided, ${rows.length - right - open} wrong`;
}

function mutantSummary(mutants: readonly MutantResult[]): string {
  const verdicts = mutants.flatMap((mutant) => mutant.verdicts);
  const wrong = mutants.filter((mutant) => mutant.verdicts.some(({ verdict }) => verdict === 'fixed'));
  const reproduced = mutants.filter((mutant) => mutant.reproduced).length;
  const shown = wrong.map((mutant) => `${mutant.name} seed ${mutant.seed} (${mutant.mutation})`).join('; ');
  return `${mutants.length} spoilt cassettes, ${reproduced} of them still reproduced, ${verdicts.length} verdicts on changes that cannot help (none at all, keepalive 0, one that real brokers showed not to): ${wrong.length} false \`fixed\`${shown === '' ? '' : `: ${shown}`}`;
}

const COLUMNS: readonly FieldReport['field'][] = [
  'cause',
  'keepalive_disconnects',
  'period_s',
  'dwell_s',
  'disconnects',
  'busy_lines',
  'lost_lines',
  'lost_up',
  'delivered_up',
  'delivered_down',
];

function baselineRow({ name, level, verification, problem }: ScenarioResult): string {
  if (verification === null) return `| ${name} | ${level} | ${problem} |${' |'.repeat(COLUMNS.length)}`;
  const { baseline } = verification;
  const cells = COLUMNS.map((column) => cell(baseline.fields.find((field) => field.field === column)));
  return `| ${name} | ${level} | ${baseline.reproduced ? `${baseline.k} of ${baseline.n}` : 'no'} | ${cells.join(' | ')} |`;
}

function cell(field: FieldReport | undefined): string {
  if (field === undefined || field.status === 'unknown') return 'unknown';
  const text = `${value(field.observed)} / ${value(field.replayed)}`;
  return field.status === 'alike' ? text : `**${text}**`;
}

function value(given: number | string | null): string {
  return typeof given === 'number' ? String(Math.round(10 * given) / 10) : (given ?? 'none');
}
