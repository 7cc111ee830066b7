/** Comparisons as Markdown. */
import type { Comparison, Row } from './compare.ts';

export function reportOf(comparisons: readonly Comparison[], seeds: number): string {
  const lines = ['# Fidelity', '', `${seeds} seeds`, '', '| incident | deviations |', '|---|---|'];
  for (const { scenario, rows, findings } of comparisons)
    lines.push(
      `| ${scenario.name} | ${rows.filter((row) => !row.met).length} | ${findings?.real[0]} | ${findings?.simulated.map((list) => list[0])} |`,
    );
  return `${lines.join('\n')}\n`;
}

export function detailsOf(comparison: Comparison): string {
  const line = (row: Row): string =>
    `  ${row.met ? '   ' : '!! '}${row.what}: ${number(row.real)} | ${number(row.median)} [${number(row.low)} … ${number(row.high)}]\n`;
  return (
    comparison.rows.map(line).join('') +
    comparison.unmodelled.map((key) => `     - ${key}: ${comparison.real.events.get(key)}\n`).join('')
  );
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}
