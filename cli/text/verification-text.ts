/** A verdict as text. */
import type { Verification } from '../../replay/index.ts';
import { renderTable } from '../output/table.ts';
import type { TextOptions } from './analysis-text.ts';
import { wrap } from './wrap.ts';

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
      `${variant.k} of ${variant.n} show it`,
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
    ...wrap(`Baseline: ${baseline.reproduced ? 'reproduced' : 'not reproduced'}; ${baseline.reason}.`, width, '  '),
    ...result.variants.flatMap((variant) => [
      ...wrap(`${variant.name}: ${word[variant.verdict]}; ${variant.reason}.`, width, '  '),
      ...(variant.new_symptoms.length > 0
        ? wrap(`  new with this change: ${variant.new_symptoms.join(', ')}`, width, '  ')
        : []),
      ...variant.notes.flatMap((note) => wrap(`  ${note}`, width, '  ')),
    ]),
    ...wrap(
      `The cassette: ${share(result.fidelity.observed)} of its entries observed, ${share(result.fidelity.inferred)} inferred, ${share(result.fidelity.assumed)} assumed.`,
      width,
      '  ',
    ),
  ];
}
