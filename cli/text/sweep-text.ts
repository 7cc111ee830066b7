/** A sweep as text: what was found, and a heat map of the first two keys. */
import type { Sweep, SweepPoint } from '../../replay/index.ts';
import { renderTable } from '../output/table.ts';
import type { TextOptions } from './analysis-text.ts';
import { seedsText } from './verification-text.ts';
import { wrap } from './wrap.ts';

/** Combinations listed one by one where there are more keys than a map has sides. */
const LISTED_MAX = 20;

export function sweepText(result: Sweep, { width, colours }: TextOptions): string[] {
  const { baseline, axes, points, smallest, without_upgrade } = result;
  if (!baseline.reproduced)
    return [
      ...wrap(`Baseline: not reproduced; ${baseline.reason}.`, width, '  '),
      ...(baseline.next === null ? [] : wrap(`  next: ${baseline.next}`, width, '  ')),
    ];
  const look = { width, colours };
  return [
    `${points.length} combinations, ${result.runs} runs`,
    ...heatMap(result, look),
    '',
    ...wrap(
      without_upgrade === null
        ? 'Without an upgrade: none of these settings removes the symptom.'
        : `Without an upgrade: ${colours.green(without_upgrade.name)}, ${seedsText(without_upgrade)} show the symptom.`,
      width,
      '  ',
    ),
    ...wrap(
      smallest === null
        ? `Smallest change: none; ${result.reason}.`
        : `Smallest change: ${colours.green(smallest.name)}.`,
      width,
      '  ',
    ),
    ...(axes.length > 2 ? ['', ...list(result, look)] : []),
  ];
}

/** Rows are the values of the first key, columns those of the second; further keys are taken together. */
function heatMap({ axes, points }: Sweep, look: TextOptions): string[] {
  const [rows, columns] = axes;
  const names = columns?.values ?? [''];
  const table = rows!.values.map((row) => [
    row,
    ...names.map((column) =>
      cell(points.filter((point) => point.values[0] === row && (columns === undefined || point.values[1] === column))),
    ),
  ]);
  const head = [
    { name: columns === undefined ? rows!.key : `${rows!.key} \\ ${columns.key}`, align: 'left' as const },
    ...names.map((name) => ({ name: name === '' ? 'seeds with it' : name, align: 'left' as const })),
  ];
  return [
    ...renderTable(head, table, look).trimEnd().split('\n'),
    '· no seed shows the symptom   █ one does   ? cannot be told; then the share of messages lost',
  ];
}

function cell(points: readonly SweepPoint[]): string {
  const told = points.filter((point) => point.untold === null);
  if (points.length === 0) return '';
  if (told.length === 0) return '?';
  const shows = told.filter((point) => point.k > 0).length;
  const lost = told.flatMap((point) => point.lost_share ?? []);
  const least = lost.length === 0 ? '' : ` ${Math.round(100 * Math.min(...lost))} %`;
  if (told.length === 1) return `${shows > 0 ? '█' : '·'}${least}`;
  return `${shows === 0 ? '·' : shows === told.length ? '█' : '▒'} ${shows} of ${told.length}`;
}

function list({ axes, points }: Sweep, look: TextOptions): string[] {
  const free = points.filter((point) => point.untold === null && point.k === 0);
  if (free.length === 0) return [];
  const columns = [...axes.map(({ key }) => key), 'seeds', 'lost'].map((name) => ({ name, align: 'left' as const }));
  const rows = free
    .slice(0, LISTED_MAX)
    .map((point) => [
      ...point.values,
      `${point.k} of ${point.n}`,
      point.lost_share === null ? '-' : `${Math.round(100 * point.lost_share)} %`,
    ]);
  return [
    ...renderTable(columns, rows, look).trimEnd().split('\n'),
    ...(free.length > LISTED_MAX ? [`and ${free.length - LISTED_MAX} more (--json has all)`] : []),
  ];
}
