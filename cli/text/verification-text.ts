/** A verdict as text. */
import type { FieldReport, VariantVerdict, Verification } from '../../replay/index.ts';
import { renderTable } from '../output/table.ts';
import type { TextOptions } from './analysis-text.ts';
import { wrap } from './wrap.ts';

/** What came of one cassette; `cassette` is its file. */
export interface VerifiedCassette {
  readonly cassette: string;
  readonly result: Verification;
}

export function verificationText(result: Verification, { width, colours }: TextOptions): string[] {
  const { baseline } = result;
  const seconds = (value: number | null) => (value === null ? '-' : value.toFixed(1));
  const share = (value: number | null) => (value === null ? '-' : `${Math.round(100 * value)} %`);
  const word = {
    fixed: colours.green('fixed'),
    'not-fixed': colours.red('not fixed'),
    inconclusive: colours.yellow('inconclusive'),
  };
  const rows = [
    [
      'as it was in the logs',
      baseline.observed.cause ?? 'none',
      String(baseline.observed.keepalive_disconnects),
      seconds(baseline.observed.period_s),
      '-',
      '',
    ],
    [
      'baseline replayed',
      baseline.cause ?? 'none',
      seconds(baseline.cycles),
      seconds(baseline.period_s),
      share(baseline.lost_share),
      `${baseline.k} of ${baseline.n} alike`,
    ],
    ...result.variants.map((variant) => [
      variant.name,
      variant.causes.join(', ') || 'none',
      seconds(variant.keepalive_disconnects),
      seconds(variant.period_s),
      share(variant.lost_share),
      seedsText(variant),
    ]),
  ];
  const columns = [
    { name: 'run', align: 'left' as const },
    { name: 'cause', align: 'left' as const },
    { name: 'cycles', align: 'right' as const },
    { name: 'period s', align: 'right' as const },
    { name: 'lost', align: 'right' as const },
    { name: 'seeds', align: 'left' as const },
  ];
  return [
    ...renderTable(columns, rows, { width, colours }).trimEnd().split('\n'),
    'cycles: disconnects by keepalive over a working link, mean of the seeds',
    '',
    ...renderTable(FIELD_COLUMNS, fieldRows(result), { width, colours }).trimEnd().split('\n'),
    '',
    ...wrap(`Baseline: ${baseline.reproduced ? 'reproduced' : 'not reproduced'}; ${baseline.reason}.`, width, '  '),
    ...(baseline.next === null ? [] : wrap(`  next: ${baseline.next}`, width, '  ')),
    ...(result.assumed_rates === null
      ? []
      : wrap(
          `The logs do not show what was published: tried with ${result.assumed_rates.join(', ')} messages a second upward.`,
          width,
          '  ',
        )),
    ...result.variants.flatMap((variant) => [
      ...wrap(`${variant.name}: ${word[variant.verdict]}; ${variant.reason}.`, width, '  '),
      ...(variant.new_symptoms.length > 0
        ? wrap(`  new with this change: ${variant.new_symptoms.join(', ')}`, width, '  ')
        : []),
      ...(variant.next === null || variant.next === baseline.next ? [] : wrap(`  next: ${variant.next}`, width, '  ')),
      ...variant.notes.flatMap((note) => wrap(`  ${note}`, width, '  ')),
    ]),
    ...wrap(
      `The cassette: ${share(result.fidelity.observed)} of its entries observed, ${share(result.fidelity.inferred)} inferred, ${share(result.fidelity.assumed)} assumed.`,
      width,
      '  ',
    ),
  ];
}

const FIELD_COLUMNS = [
  { name: 'field', align: 'left' as const },
  { name: 'logs', align: 'right' as const },
  { name: 'replay', align: 'right' as const },
  { name: '', align: 'left' as const },
];

/** What was compared of logs and baseline: field, logs, replay (median of the seeds), outcome. */
export function fieldRows({ baseline }: Verification): string[][] {
  return baseline.fields.map((field) => [
    FIELD_WORDS[field.field],
    value(field.observed),
    value(field.replayed),
    outcome(field),
  ]);
}

const FIELD_WORDS: Readonly<Record<FieldReport['field'], string>> = {
  cause: 'cause',
  keepalive_disconnects: 'cycles',
  period_s: 'period s',
  dwell_s: 'connected s',
  disconnects: 'disconnects',
  busy_lines: 'busy lines a cycle',
  lost_lines: 'lines about losses',
  lost_up: 'lost upward',
  delivered_up: 'delivered upward',
  delivered_down: 'sent downward',
};

function outcome({ status, tolerance }: FieldReport): string {
  if (status === 'unknown') return 'unknown: the logs cannot show it';
  return tolerance === null ? status : `${status} (± ${value(tolerance)})`;
}

function value(given: number | string | null): string {
  if (given === null) return '-';
  return typeof given === 'number' ? String(Math.round(given * 10) / 10) : given;
}

/** `0 of 10 (0–28 %)`: seeds that show the symptom, and the share that may, with 95 % confidence. */
export function seedsText({ k, n, interval }: VariantVerdict): string {
  if (n === 0) return 'not run';
  return `${k} of ${n} (${Math.round(100 * interval.low)}–${Math.round(100 * interval.high)} %)`;
}
