/** Findings of the configuration check for people: the place, the text with carets under it, what follows and what to do. */
import type { LintFinding, LintLevel, LintPlace, LintResult } from '../../queries/lint/index.ts';
import type { Colours } from '../output/colour.ts';
import { escapeControls } from '../output/escape.ts';
import { cut, displayWidth } from '../output/width.ts';
import { wrap } from './wrap.ts';

const TAB = '  ';

/** @param width columns to fit into; null: everything on its line, for files and pipes */
export function lintLines(result: LintResult, width: number | null, colours: Colours): string[] {
  return result.findings.flatMap((finding) => [...findingLines(finding, width, colours), '']);
}

function findingLines(finding: LintFinding, width: number | null, colours: Colours): string[] {
  const { rule, level, message, place, related, suggestion, releases } = finding;
  const gutter = String(Math.max(place.line, ...related.map((one) => one.place.line))).length;
  const indent = ' '.repeat(gutter + 3);
  const fit = (text: string) => (width === null ? [text] : wrap(text, width, indent));
  const paint = PAINT[level];
  const head = `${whereOf(place)}: ${paint(colours, level)}: ${escapeControls(message)} ${colours.dim(`[${rule.id}]`)}`;
  return [
    ...(width === null ? [head] : wrap(head, width, '  ')),
    ...excerptLines(place, gutter, width, (text) => paint(colours, text), colours),
    ...related.flatMap((one) => [
      ...fit(`${indent}${whereOf(one.place)}: ${escapeControls(one.message)}`),
      ...excerptLines(one.place, gutter, width, colours.dim, colours),
    ]),
    ...(releases === null ? [] : fit(`${indent}NanoMQ ${releases}`)),
    ...(rule.leadsTo === null ? [] : fit(`${indent}can lead to ${rule.leadsTo}`)),
    ...(suggestion === null ? [] : fit(`${indent}write instead: ${escapeControls(suggestion)}`)),
    ...fit(`${indent}${rule.advice}`),
  ];
}

const PAINT: Readonly<Record<LintLevel, (colours: Colours, text: string) => string>> = {
  error: (colours, text) => colours.red(text),
  warning: (colours, text) => colours.yellow(text),
  note: (colours, text) => colours.cyan(text),
};

const whereOf = ({ file, line, column }: LintPlace): string => `${escapeControls(file)}:${line}:${column}`;

function excerptLines(
  { line, excerpt }: LintPlace,
  gutter: number,
  width: number | null,
  paint: (text: string) => string,
  colours: Colours,
): string[] {
  const before = shown(excerpt.text.slice(0, excerpt.from));
  const marked = shown(excerpt.text.slice(excerpt.from, excerpt.from + excerpt.length));
  const after = shown(excerpt.text.slice(excerpt.from + excerpt.length));
  const room = width === null ? Number.POSITIVE_INFINITY : Math.max(width - gutter - 3, 20);
  const skip = Math.max(0, displayWidth(before) - Math.floor(room / 2));
  // Only a line that does not fit is cut at its left.
  const isLong = displayWidth(before + marked + after) > room && skip > 0;
  const lead = isLong ? `…${before.slice(skip + 1)}` : before;
  const text = room === Number.POSITIVE_INFINITY ? lead + marked + after : cut(lead + marked + after, room);
  const at = displayWidth(lead);
  const carets = '^'.repeat(Math.max(1, Math.min(displayWidth(marked), room - at)));
  return [
    `${colours.dim(`${String(line).padStart(gutter)} |`)} ${text}`,
    `${colours.dim(`${' '.repeat(gutter)} |`)} ${' '.repeat(at)}${paint(carets)}`,
  ];
}

const shown = (text: string): string => escapeControls(text.replaceAll('\t', TAB));

/** `nanomq.conf: 2 errors, 1 note` */
export function summaryOf(results: readonly LintResult[]): string {
  const counts = { error: 0, warning: 0, note: 0 };
  for (const { findings } of results) for (const { level } of findings) counts[level] += 1;
  const parts = (['error', 'warning', 'note'] as const)
    .filter((level) => counts[level] > 0)
    .map((level) => `${counts[level]} ${level}${counts[level] === 1 ? '' : 's'}`);
  const more = results.reduce((sum, result) => sum + result.more, 0);
  const files = results.length === 1 ? escapeControls(results[0]!.file) : `${results.length} files`;
  return `${files}: ${parts.length === 0 ? 'nothing found' : parts.join(', ')}${more > 0 ? `, and ${more} more that are not listed` : ''}`;
}
