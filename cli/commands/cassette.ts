/** `bridgetrace cassette`: look at cassettes and make others of them. */
import { writeFile } from 'node:fs/promises';
import { UsageError } from '../../queries/index.ts';
import {
  anonymiseCassette,
  type Cassette,
  cutCassette,
  mergeCassettes,
  printCassette,
  scaleCassette,
} from '../../replay/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { readCassette } from './cassette-input.ts';
import { print, printJson } from './common.ts';
import { cassetteText, refuseOtherFile, summary } from './rebuild.ts';

/** What each word does with the cassettes it is given; `check` makes none. */
const ACTIONS: {
  readonly [action: string]: (cassettes: readonly Cassette[], flags: Flags) => Cassette | null;
} = {
  check: () => null,
  cut: ([cassette], flags) =>
    cutCassette(
      cassette!,
      micros('--from', flags.from ?? '0s'),
      flags.to === undefined ? cassette!.header.duration_us : micros('--to', flags.to),
    ),
  merge: (cassettes) => mergeCassettes(cassettes),
  scale: ([cassette], flags) => {
    if (flags.factor === undefined)
      throw new UsageError('no-factor', 'scale needs --factor.', { hint: 'For example --factor 2.' });
    return scaleCassette(cassette!, Number(flags.factor));
  },
  anonymise: ([cassette]) => anonymiseCassette(cassette!),
};

type Flags = {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly factor?: string | undefined;
};

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('cassette')
    .description('check a cassette, or make another of it: cut, merge, scale, anonymise')
    .argument('<action>', Object.keys(ACTIONS).join(', '))
    .argument('<cassettes...>', 'made by bridgetrace rebuild; several for merge')
    .option('--from <time>', 'cut: from here, counted from the start of the cassette (30s, 2m)')
    .option('--to <time>', 'cut: up to here')
    .option('--factor <n>', 'scale: so many times the messages')
    .option('-o, --output <file>', 'the cassette to write');
  withExample(
    command,
    'bridgetrace cassette check incident.cassette',
    'bridgetrace cassette cut incident.cassette --from 30s --to 2m -o part.cassette',
    'bridgetrace cassette scale incident.cassette --factor 2 -o busy.cassette',
    'bridgetrace cassette anonymise incident.cassette -o shared.cassette',
  );
  addCommonOptions(command).action(
    exitingWith(context, async (action, files, options) => {
      const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action]! : null;
      if (act === null)
        throw new UsageError('bad-action', `cassette ${action}: not known.`, {
          hint: `Known: ${Object.keys(ACTIONS).join(', ')}.`,
        });
      if (files.length > 1 && action !== 'merge' && action !== 'check')
        throw new UsageError('too-many-cassettes', `${action} takes one cassette.`);
      const cassettes: Cassette[] = [];
      for (const file of files) cassettes.push(await readCassette(file));
      const made = act(cassettes, options);
      if (made !== null) {
        if (options.output === undefined)
          throw new UsageError('no-output', `${action} needs a file to write.`, { hint: 'Name one with -o.' });
        await refuseOtherFile(options.output);
        await writeFile(options.output, printCassette(made));
      }
      const shown = made === null ? cassettes : [made];
      if (options.json) printJson(context, { schema: 1, cassettes: shown.map(summary) });
      else print(context, shown.flatMap(cassetteText));
    }),
  );
};

const UNITS_US: { readonly [unit: string]: number } = { s: 1e6, m: 60e6, h: 3600e6 };

function micros(option: string, text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(s|m|h)?$/.exec(text);
  if (match === null)
    throw new UsageError(
      'bad-time',
      `${option} ${text}: not a time such as 30s, counted from the start of the cassette.`,
    );
  return Math.round(Number(match[1]) * UNITS_US[match[2] ?? 's']!);
}
