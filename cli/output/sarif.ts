/** Findings of the configuration check as SARIF 2.1.0 (OASIS, 2020), for code hosts and editors that show such files. */
import { pathToFileURL } from 'node:url';
import type { Location, Log, ReportingDescriptor, Result, Run } from 'sarif';
import {
  LINT_RULES,
  type LintFinding,
  type LintPlace,
  type LintResult,
  type LintRule,
} from '../../queries/lint/index.ts';

/** @param version of bridgetrace */
export function sarifLog(results: readonly LintResult[], version: string, docs: string): Log {
  const run: Run = {
    tool: {
      driver: {
        name: 'bridgetrace',
        semanticVersion: version,
        rules: LINT_RULES.map((rule) => descriptor(rule, docs)),
      },
    },
    columnKind: 'utf16CodeUnits',
    artifacts: results.map(({ file }) => ({ location: { uri: uriOf(file) } })),
    results: results.flatMap(({ findings }) => findings.map(resultOf)),
  };
  return { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] };
}

function descriptor(rule: LintRule, docs: string): ReportingDescriptor {
  const { id, title, advice, level, leadsTo, source, from, to } = rule;
  return {
    id,
    shortDescription: { text: `${title}.` },
    help: { text: `${advice} Source: ${source}. See ${docs}.` },
    defaultConfiguration: { level },
    properties: { leadsTo, source, from: from ?? null, to: to ?? null },
  };
}

function resultOf({ rule, level, message, place, related, suggestion, releases }: LintFinding): Result {
  const inReleases = releases === null ? '' : ` (NanoMQ ${releases})`;
  return {
    ruleId: rule.id,
    ruleIndex: LINT_RULES.indexOf(rule),
    level,
    message: { text: `${message}${inReleases} ${rule.advice}` },
    locations: [locationOf(place)],
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map((one, index) => ({
            ...locationOf(one.place),
            id: index,
            message: { text: one.message },
          })),
        }),
    properties: { leadsTo: rule.leadsTo, releases, suggestion },
  };
}

function locationOf({ file, line, column, endLine, endColumn, excerpt }: LintPlace): Location {
  return {
    physicalLocation: {
      artifactLocation: { uri: uriOf(file) },
      region: { startLine: line, startColumn: column, endLine, endColumn, snippet: { text: excerpt.text } },
    },
  };
}

/** Relative names stay relative, so that a code host finds the file in its tree. */
function uriOf(file: string): string {
  if (file === '-') return 'stdin';
  if (file.startsWith('/')) return pathToFileURL(file).href;
  return file.split('/').map(encodeURIComponent).join('/');
}
