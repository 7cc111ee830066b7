/** What all commands have in common: their options, the example above their help, their way to an exit code. */
import type { Command, OptionValues } from '@commander-js/extra-typings';
import type { CliContext } from './context.ts';
import type { ExitCode } from './exit-codes.ts';

/** Adds one command to the program. Every file in `commands/` exports one of these under the name `register`. */
export type RegisterCommand = (program: Command, context: CliContext) => void;

/**
 * Adds `--json` (one document with `"schema": 1` on stdout) and `--debug` (stack traces).
 * The options of an action then have `json?: true` and `debug?: true`.
 */
export function addCommonOptions<Args extends unknown[], Opts extends OptionValues, Globals extends OptionValues>(
  command: Command<Args, Opts, Globals>,
) {
  return command
    .option('--json', 'print one JSON document instead of text')
    .option('--debug', 'print a stack trace with an error');
}

export const DEFAULT_DATABASE = './incident.duckdb';

/** Adds `--db`. */
export function addDatabaseOption<Args extends unknown[], Opts extends OptionValues, Globals extends OptionValues>(
  command: Command<Args, Opts, Globals>,
) {
  return command.option('--db <file>', 'the incident database', DEFAULT_DATABASE);
}

/**
 * Puts examples above the usage of a command's help: most readers want a line to copy.
 * @param examples whole command lines, `bridgetrace ingest nanomq.log emqx.log`
 */
export function withExample<C extends { addHelpText(position: 'before', text: string): unknown }>(
  command: C,
  ...examples: string[]
): C {
  const title = examples.length === 1 ? 'Example:' : 'Examples:';
  command.addHelpText('before', [title, ...examples.map((example) => `  $ ${example}`), ''].join('\n'));
  return command;
}

/** Makes a commander action of a function that returns an exit code; none means clean. */
export function exitingWith<Args extends unknown[]>(
  context: CliContext,
  work: (...args: Args) => Promise<ExitCode | undefined> | ExitCode | undefined,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    const code = await work(...args);
    if (code !== undefined) context.exitCode = code;
  };
}
