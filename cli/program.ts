/** The command line as a whole: name, version, help, the commands, and one way out for every error. */
import { Command, CommanderError } from '@commander-js/extra-typings';
import type { RegisterCommand } from './command-helpers.ts';
import { commandsFor } from './commands/index.ts';
import type { CliContext } from './context.ts';
import { ExitCode } from './exit-codes.ts';
import { coloursEnabled } from './output/colour.ts';
import { DEFAULT_WIDTH } from './output/width.ts';
import { packageVersion } from './package-version.ts';
import { reportError } from './report-error.ts';

const DESCRIPTION =
  'Find out from log files why an MQTT bridge (NanoMQ to EMQX, over QUIC or TCP) reconnects and loses messages, and check by replay whether a fix works.';

/**
 * @param register the commands
 * @returns a program that throws instead of exiting and writes to the streams of the context
 */
export function buildProgram(context: CliContext, register: readonly RegisterCommand[]): Command {
  const program = new Command('bridgetrace')
    .description(DESCRIPTION)
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: () => {}, // reportError writes them, as text or as JSON
      getOutHelpWidth: () => context.stdout.columns ?? DEFAULT_WIDTH,
      getErrHelpWidth: () => context.stderr.columns ?? DEFAULT_WIDTH,
      getOutHasColors: () => coloursEnabled(context.stdout, context.env),
      getErrHasColors: () => coloursEnabled(context.stderr, context.env),
    })
    .addHelpText('after', '\nA command explains itself: bridgetrace COMMAND --help');
  for (const add of register) add(program, context);
  return program;
}

/**
 * Runs one command line to its end.
 * @param argv the words after the program's name
 * @param register the commands; those that the words call for unless a test wants its own
 * @returns the exit code; never throws
 */
export async function run(
  argv: readonly string[],
  context: CliContext,
  register?: readonly RegisterCommand[],
): Promise<number> {
  let program: Command | null = null;
  try {
    program = buildProgram(context, register ?? (await commandsFor(argv)));
    await program.parseAsync(argv, { from: 'user' });
    return context.signal.aborted ? ExitCode.interrupted : context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && isHelp(error)) return error.exitCode === 0 ? ExitCode.clean : ExitCode.usage;
    const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
    const command = program?.commands.find((candidate) => candidate.name() === words[0])?.name() ?? null;
    return reportError(context.signal.aborted ? context.signal.reason : error, {
      stdout: context.stdout,
      stderr: context.stderr,
      env: context.env,
      json: words.includes('--json'),
      debug: words.includes('--debug'),
      command,
    });
  }
}

/** Help and version arrive as errors; commander has printed them already. */
function isHelp(error: CommanderError): boolean {
  return ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code);
}
