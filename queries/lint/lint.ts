/** Runs the rules over a configuration. */
import {
  type ConfDocument,
  type ConfInclude,
  type ConfSpan,
  LineIndex,
  parseNanomqConf,
  RELEASES,
  settingsOf,
} from '../../parsers/index.ts';
import { compareReleases } from '../release-order.ts';
import type { LintHit, LintLevel, LintRule } from './rule.ts';
import { LINT_RULES } from './rules.ts';
import { fileScope, type MissingInclude } from './scope.ts';
import { type MaskedLine, maskLine, secretSpansOf } from './secrets.ts';

export interface LintInput {
  /** As the user named it. */
  readonly name: string;
  readonly text: string;
}

export interface LintOptions {
  /** Null: not known. */
  readonly release: string | null;
  /** Null: told by the text. */
  readonly syntax?: 'hocon' | 'old' | null;
  /** Text of an included file, or why it cannot be read. */
  readonly include?: (target: string, from: string) => LintInput | { readonly why: string };
}

/** Lines and columns count from 1; a column counts UTF-16 units. */
export interface LintPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** The line without secrets, and where in it the marks go: first column from 0 and how many. */
  readonly excerpt: { readonly text: string; readonly from: number; readonly length: number };
}

export interface LintFinding {
  readonly rule: LintRule;
  readonly level: LintLevel;
  readonly message: string;
  readonly place: LintPlace;
  readonly related: readonly { readonly message: string; readonly place: LintPlace }[];
  readonly suggestion: string | null;
  /** Releases in which it holds, such as `0.22.10–0.24.8`; null: all of them, or the one that was asked about. */
  readonly releases: string | null;
}

export interface LintResult {
  readonly file: string;
  readonly syntax: 'hocon' | 'old';
  readonly release: string | null;
  /** In the order of the text. */
  readonly findings: readonly LintFinding[];
  /** Rules that were left out because the release is not known. */
  readonly leftOut: number;
  readonly bridges: readonly string[];
  /** Beyond the limit. */
  readonly more: number;
}

/** More findings than this help nobody. */
const FINDINGS_MAX = 1_000;
const LEVELS: readonly LintLevel[] = ['error', 'warning', 'note'];

/** Never throws for what a text says. */
export function lint(input: LintInput, { release, syntax = null, include }: LintOptions): LintResult {
  const files: { readonly input: LintInput; readonly document: ConfDocument; readonly lines: LineIndex }[] = [];
  const missing: MissingInclude[] = [];
  const open = (file: LintInput, of: 'hocon' | 'old' | null): ConfDocument => {
    const document = parseNanomqConf(file.text, files.length, of);
    files.push({ input: file, document, lines: new LineIndex(file.text) });
    return document;
  };
  const load = ({ target, span }: ConfInclude): ConfDocument | null => {
    const read = include?.(target, files[span.file]!.input.name) ?? { why: 'files are not read here' };
    if ('text' in read) return open(read, 'hocon');
    missing.push({ span, why: read.why });
    return null;
  };
  const main = open(input, syntax);
  const root = settingsOf(main, load);
  const document = { ...main, problems: files.flatMap((file) => file.document.problems) };
  const secrets = files.map((file) => secretSpansOf(file.document.root));
  const masked = new Map<string, MaskedLine>();
  const placeOf = (span: ConfSpan): LintPlace => place(span, files[span.file]!, secrets[span.file]!, masked);

  const found = new Map<string, { rule: LintRule; hit: LintHit; releases: string[] }>();
  const asked = release === null ? RELEASES : [release];
  const rules = LINT_RULES.filter((rule) => release !== null || rule.needsRelease !== true);
  const bridges: string[] = [];
  for (const one of asked) {
    const scope = fileScope(document, root, one, missing);
    if (one === asked[0]) bridges.push(...scope.bridges.map(({ name }) => name));
    for (const rule of rules) {
      if (!holdsIn(rule, one)) continue;
      const hits =
        rule.scope === 'file' ? rule.check(scope) : scope.bridges.flatMap((bridge) => rule.check(bridge, scope));
      for (const hit of hits) {
        const key = `${rule.id} ${hit.span.file} ${hit.span.offset} ${hit.span.length} ${rule.scope === 'file' ? hit.message : ''}`;
        const known = found.get(key);
        if (known === undefined) found.set(key, { rule, hit, releases: [one] });
        else if (known.releases.at(-1) !== one) known.releases.push(one);
      }
    }
  }
  const findings = mostSevere([...found.values()])
    .sort(inOrder)
    .map(
      ({ rule, hit, releases }): LintFinding => ({
        rule,
        level: rule.level,
        message: hit.message,
        place: placeOf(hit.span),
        related: (hit.related ?? []).map(({ span, message }) => ({ message, place: placeOf(span) })),
        suggestion: hit.suggestion ?? null,
        releases: release !== null || releases.length === RELEASES.length ? null : rangesOf(releases),
      }),
    );
  return {
    file: input.name,
    syntax: main.syntax,
    release,
    findings,
    leftOut: LINT_RULES.length - rules.length,
    bridges,
    more: found.size - findings.length,
  };
}

function holdsIn(rule: LintRule, release: string): boolean {
  return (
    (rule.from === undefined || compareReleases(release, rule.from) >= 0) &&
    (rule.to === undefined || compareReleases(release, rule.to) <= 0)
  );
}

/** As many as are listed: notes give way to errors. */
function mostSevere<Found extends { readonly rule: LintRule }>(found: readonly Found[]): Found[] {
  if (found.length <= FINDINGS_MAX) return [...found];
  return LEVELS.flatMap((level) => found.filter(({ rule }) => rule.level === level)).slice(0, FINDINGS_MAX);
}

function inOrder(left: { rule: LintRule; hit: LintHit }, right: { rule: LintRule; hit: LintHit }): number {
  return (
    left.hit.span.file - right.hit.span.file ||
    left.hit.span.offset - right.hit.span.offset ||
    LEVELS.indexOf(left.rule.level) - LEVELS.indexOf(right.rule.level)
  );
}

/** `0.22.10–0.23.1, 0.24.3` of releases in their order. */
export function rangesOf(releases: readonly string[]): string {
  const ranges: [number, number][] = [];
  for (const release of releases) {
    const index = RELEASES.indexOf(release);
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges.map(([from, to]) => (from === to ? RELEASES[from] : `${RELEASES[from]}–${RELEASES[to]}`)).join(', ');
}

/** Longer lines are shown in part. */
const EXCERPT_MAX = 240;

function place(
  span: ConfSpan,
  { input, lines }: { readonly input: LintInput; readonly lines: LineIndex },
  secrets: readonly ConfSpan[],
  cache: Map<string, MaskedLine>,
): LintPlace {
  const start = lines.placeOf(span.offset);
  const end = lines.placeOf(span.offset + Math.max(span.length, 1));
  const key = `${span.file}:${start.line}`;
  const line = cache.get(key) ?? mask(lines.textOf(start.line), span.offset - (start.column - 1), secrets);
  cache.set(key, line);
  const from = line.at(start.column - 1);
  const until = end.line === start.line ? line.at(end.column - 1) : line.text.length;
  const cut = line.text.length > EXCERPT_MAX ? Math.max(0, from - EXCERPT_MAX / 2) : 0;
  const text = line.text.slice(cut, cut + EXCERPT_MAX);
  return {
    file: input.name,
    line: start.line,
    column: start.column,
    endLine: end.line,
    endColumn: end.column,
    excerpt: { text, from: from - cut, length: Math.max(Math.min(until - from, text.length - (from - cut)), 1) },
  };
}

function mask(line: string, lineStart: number, secrets: readonly ConfSpan[]): MaskedLine {
  const columns = secrets.flatMap(({ offset, length }): [number, number][] => {
    const from = Math.max(offset - lineStart, 0);
    const to = Math.min(offset + length - lineStart, line.length);
    return from < to ? [[from, to]] : [];
  });
  return maskLine(line, columns);
}
