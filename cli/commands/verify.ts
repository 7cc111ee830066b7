/** `bridgetrace verify`: does a change remove the symptom? The answer is the exit code. */
import { Database, UsageError } from '../../queries/index.ts';
import { parseVariant, type Verification, verify } from '../../replay/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { colours } from '../output/colour.ts';
import { Progress } from '../output/progress.ts';
import { terminalWidth } from '../output/width.ts';
import { verificationText } from '../text/verification-text.ts';
import { readCassette } from './cassette-input.ts';
import { parseCount, print, printJson } from './common.ts';
import { addLiveOptions, liveRequest, randomWord } from './live-target.ts';

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('verify')
    .description(
      'replay the incident as it was and with each fix; exit code 0 if all fix it, 1 if one does not, 3 if undecided',
    )
    .argument('<cassette>', 'made by bridgetrace rebuild')
    .option(
      '--fix <changes>',
      'a fix to try: nanomq=0.23.10, or several changes joined by commas; may be given again',
      (fix: string, others: string[]) => [...others, fix],
      [] as string[],
    )
    .option('--seeds <n>', 'runs of the baseline and of each fix', '10');
  withExample(
    command,
    'bridgetrace verify incident.cassette --fix nanomq=0.23.10 --fix keepalive=30s,quic_qos_priority=false',
  );
  addLiveOptions(addCommonOptions(command)).action(
    exitingWith(context, async (file, options) => {
      const fixes = options.fix;
      if (fixes.length === 0)
        throw new UsageError('no-fix', 'There is no fix to verify.', { hint: 'Add one: --fix nanomq=0.23.10.' });
      const variants = fixes.map(parseVariant);
      const seeds = parseCount('--seeds', options.seeds, 1, 1000);
      const cassette = await readCassette(file);
      const clientId = cassette.header.bridge.settings.clientId ?? '';
      const live = liveRequest(context, options, randomWord(), clientId);
      const progress = new Progress({
        stream: context.stderr,
        label: 'replaying',
        total: seeds * (variants.length + 1),
        unit: 'runs',
      });
      const database = await Database.open(':memory:', 'write');
      let result: Verification;
      try {
        result = await verify(database, cassette, {
          variants,
          seeds,
          ...(live ? { live } : {}),
          signal: context.signal,
          onProgress: (done) => progress.update(done),
        });
      } finally {
        progress.clear();
        database.close();
      }
      if (options.json) printJson(context, result);
      else
        print(
          context,
          verificationText(result, {
            width: terminalWidth(context.stdout) ?? 100,
            colours: colours(context.stdout, context.env),
          }),
        );
      return verdictCode(result);
    }),
  );
};

/** 0 if every fix works, 1 if one does not, else 3. */
export function verdictCode(result: Verification): ExitCode {
  if (result.variants.every((variant) => variant.verdict === 'fixed')) return ExitCode.clean;
  return result.variants.some((variant) => variant.verdict === 'not-fixed') ? ExitCode.findings : ExitCode.inconclusive;
}
