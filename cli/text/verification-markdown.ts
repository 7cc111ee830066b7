/** Verdicts as Markdown, for the summary of a CI job. */
import path from 'node:path';
import { fieldRows, seedsText, type VerifiedCassette } from './verification-text.ts';

export function verificationMarkdown(verified: readonly VerifiedCassette[]): string {
  return verified
    .flatMap(({ cassette, result }) => [
      `### ${cell(path.basename(cassette))}`,
      '',
      `Baseline **${result.baseline.reproduced ? 'reproduced' : 'not reproduced'}**: ${cell(result.baseline.reason)}.`,
      ...(result.baseline.next === null ? [] : ['', cell(result.baseline.next)]),
      '',
      '| change | verdict | seeds that show it | why |',
      '| --- | --- | --- | --- |',
      ...result.variants.map(
        (variant) =>
          `| ${cell(variant.name)} | ${SIGN[variant.verdict]} ${variant.verdict} | ${seedsText(variant)} | ${cell(variant.reason)}${variant.next === null ? '' : ` ${cell(variant.next)}`} |`,
      ),
      '',
      '| field | logs | replay | |',
      '| --- | --- | --- | --- |',
      ...fieldRows(result).map((row) => `| ${row.map(cell).join(' | ')} |`),
      '',
    ])
    .join('\n');
}

const SIGN = { fixed: '✅', 'not-fixed': '❌', inconclusive: '❔' } as const;

function cell(text: string): string {
  return text.replace(/[\\|`*_<>[\]]/g, (char) => `\\${char}`).replace(/[\r\n]+/g, ' ');
}
