/** Every command, in the order the help lists them: the way an incident is worked through. */
import type { RegisterCommand } from '../command-helpers.ts';

interface CommandModule {
  readonly register: RegisterCommand;
}

/** A command's module is loaded when it is wanted: the database and the engine take longer to load than most commands to run. */
const COMMANDS: { readonly [name: string]: () => Promise<CommandModule> } = {
  ingest: () => import('./ingest.ts'),
  analyze: () => import('./analyze.ts'),
  query: () => import('./query.ts'),
  explain: () => import('./explain.ts'),
  lint: () => import('./lint.ts'),
  rebuild: () => import('./rebuild.ts'),
  cassette: () => import('./cassette.ts'),
  replay: () => import('./replay.ts'),
  verify: () => import('./verify.ts'),
  report: () => import('./report.ts'),
  sweep: () => import('./sweep.ts'),
  broker: () => import('./broker.ts'),
  bridge: () => import('./bridge.ts'),
  demo: () => import('./demo.ts'),
  doctor: () => import('./doctor.ts'),
  completion: () => import('./completion.ts'),
};
export const COMMAND_NAMES: readonly string[] = Object.keys(COMMANDS);

/** These tell of all the others. */
const NEEDS_ALL: readonly string[] = ['completion'];

/** The command that the words name; all of them if they name none, for the help and for what to say about a misspelt one. */
export async function commandsFor(argv: readonly string[]): Promise<RegisterCommand[]> {
  const [first = ''] = argv;
  if (first === '--version' || first === '-V') return [];
  const named =
    Object.hasOwn(COMMANDS, first) && !NEEDS_ALL.includes(first) ? [COMMANDS[first]!] : Object.values(COMMANDS);
  const modules = await Promise.all(named.map((load) => load()));
  return modules.map((module) => module.register);
}
