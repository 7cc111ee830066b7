/** `bridgetrace lint`: what is wrong with a nanomq.conf, before it becomes an incident. */
import { Option } from '@commander-js/extra-typings';
import { bridgeProfile } from '../../engine/profiles/nanomq.ts';
import { RELEASES } from '../../parsers/index.ts';
import { InputError, UsageError } from '../../queries/errors.ts';
import { type LintFinding, type LintPlace, type LintResult, lint } from '../../queries/lint/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { colours } from '../output/colour.ts';
import { jsonText } from '../output/json.ts';
import { sarifLog } from '../output/sarif.ts';
import { terminalWidth } from '../output/width.ts';
import { packageVersion } from '../package-version.ts';
import { lintLines, summaryOf } from '../text/lint-text.ts';
import { print, printJson } from './common.ts';
import { readConfText, readInclude } from './conf-files.ts';

const DOCS = 'docs/LINT.md';

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('lint')
    .description('check a nanomq.conf: unknown keys, wrong units, and settings that lead to an incident')
    .argument('<nanomq.conf...>', 'files, or - for standard input')
    .option('--nanomq <release>', 'the NanoMQ that reads them; without it what depends on the release says so')
    .addOption(new Option('--format <format>', 'of the output').choices(['text', 'json', 'sarif']).default('text'))
    .addOption(
      new Option('--syntax <syntax>', 'auto tells the old key=value form by the text')
        .choices(['auto', 'hocon', 'old'])
        .default('auto'),
    );
  withExample(
    command,
    'bridgetrace lint nanomq.conf --nanomq 0.23.6',
    'bridgetrace lint etc/*.conf --format sarif > lint.sarif',
  );
  addCommonOptions(command).action(
    exitingWith(context, (files, options) => {
      const release = releaseOf(options.nanomq);
      if (release !== null) {
        const { note } = bridgeProfile(release, 'quic');
        if (note !== null) context.stderr.write(`${note}\n`);
      }
      const syntax = options.syntax === 'auto' ? null : (options.syntax as 'hocon' | 'old');
      const include = (target: string, from: string) => readInclude(target, from, context.cwd);
      const results: LintResult[] = [];
      const unreadable: InputError[] = [];
      for (const file of files) {
        try {
          results.push(lint(readConfText(file), { release, syntax, include }));
        } catch (error) {
          if (!(error instanceof InputError) || files.length === 1) throw error;
          unreadable.push(error);
        }
      }
      if (results.length === 0) throw unreadable[0]!;
      for (const error of unreadable) context.stderr.write(`${error.message}\n`);
      const format = options.json ? 'json' : options.format;
      if (format === 'sarif') context.stdout.write(`${jsonText(sarifLog(results, packageVersion(), DOCS), 2)}\n`);
      else if (format === 'json') printJson(context, documentOf(results));
      else {
        const paint = colours(context.stdout, context.env);
        const width = terminalWidth(context.stdout);
        print(context, [...results.flatMap((result) => lintLines(result, width, paint)), summaryOf(results)]);
      }
      if (release === null && (results[0]?.leftOut ?? 0) > 0 && results.some(({ bridges }) => bridges.length > 0)) {
        context.stderr.write(
          `${results[0]!.leftOut} rules about defects of a release were left out: name yours, --nanomq 0.23.10\n`,
        );
      }
      if (unreadable.length > 0) return ExitCode.input;
      const isFound = results.some(({ findings }) => findings.some(({ level }) => level !== 'note'));
      return isFound ? ExitCode.findings : ExitCode.clean;
    }),
  );
};

function releaseOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const release = text.replace(/^v/, '');
  if (/^\d+\.\d+(?:\.\d+)?$/.test(release)) return release;
  throw new UsageError('bad-release', `--nanomq ${text} is no release.`, {
    hint: `Write it as ${RELEASES.at(-1)}.`,
  });
}

/** The keys are part of the promise of docs/LINT.md. */
function documentOf(results: readonly LintResult[]) {
  return {
    schema: 1,
    files: results.map(({ file, syntax, release, bridges, findings, leftOut, more }) => ({
      file,
      syntax,
      release,
      bridges,
      findings: findings.map(findingOf),
      rules_left_out: leftOut,
      findings_not_listed: more,
    })),
  };
}

function findingOf({ rule, level, message, place, related, suggestion, releases }: LintFinding) {
  return {
    rule: rule.id,
    level,
    title: rule.title,
    message,
    ...placeOf(place),
    related: related.map((one) => ({ message: one.message, ...placeOf(one.place) })),
    releases,
    leads_to: rule.leadsTo,
    suggestion,
    advice: rule.advice,
    source: rule.source,
  };
}

function placeOf({ file, line, column, endLine, endColumn, excerpt }: LintPlace) {
  return { file, line, column, end_line: endLine, end_column: endColumn, text: excerpt.text };
}
