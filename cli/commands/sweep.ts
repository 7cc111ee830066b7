/** `bridgetrace sweep`: the smallest change that removes the symptom. */
import { POINTS_MAX, parseAxis, type Sweep, sweep } from '../../replay/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { colours } from '../output/colour.ts';
import { Progress } from '../output/progress.ts';
import { terminalWidth } from '../output/width.ts';
import { sweepText } from '../text/sweep-text.ts';
import { parseThreads, readCassette } from './cassette-input.ts';
import { parseCount, print, printJson } from './common.ts';

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('sweep')
    .description(
      'try many combinations of settings and releases; exit code 0 if one removes the symptom, 1 if none does, 3 if undecided',
    )
    .argument('<cassette>', 'made by bridgetrace rebuild')
    .requiredOption(
      '--vary <key=values>',
      'a key and the values to try, as after --fix: keepalive=10s,30s,60s; may be given again',
      (axis: string, others: string[]) => [...others, axis],
      [] as string[],
    )
    .option('--random <n>', 'draw so many of the combinations instead of all')
    .option('--draw <n>', 'seed of the drawing', '1')
    .option('--seeds <n>', 'runs of each combination', '5')
    .option('--threads <n>', 'runs at a time (default: one a core)');
  withExample(
    command,
    'bridgetrace sweep incident.cassette --vary keepalive=10s,20s,30s --vary nanomq=0.23.6,0.23.7,0.23.10',
    'bridgetrace sweep incident.cassette --vary parallel=2,4,8,16 --vary resend_wait=1000,3000 --random 6',
  );
  addCommonOptions(command).action(
    exitingWith(context, async (file, options) => {
      const axes = options.vary.map(parseAxis);
      const seeds = parseCount('--seeds', options.seeds, 1, 1000);
      const threads = parseThreads(options.threads);
      const cassette = await readCassette(file);
      const size = axes.reduce((product, axis) => product * axis.values.length, 1);
      const random = options.random === undefined ? null : parseCount('--random', options.random, 1, POINTS_MAX);
      const progress = new Progress({
        stream: context.stderr,
        label: 'sweeping',
        total: Math.min(size, random ?? size),
        unit: 'combinations',
      });
      const result = await sweep(cassette, {
        axes,
        ...(random === null ? {} : { random }),
        drawSeed: parseCount('--draw', options.draw, 0, 2 ** 31 - 1),
        seeds,
        threads,
        signal: context.signal,
        onProgress: (done) => progress.update(done),
      }).finally(() => progress.clear());
      if (options.json) printJson(context, result);
      else {
        const look = { width: terminalWidth(context.stdout) ?? 100, colours: colours(context.stdout, context.env) };
        print(context, sweepText(result, look));
      }
      return codeOf(result);
    }),
  );
};

function codeOf({ baseline, smallest, points }: Sweep): ExitCode {
  if (!baseline.reproduced) return ExitCode.inconclusive;
  if (smallest !== null) return ExitCode.clean;
  return points.some((point) => point.untold === null && point.k === 0 && point.changes.length > 0)
    ? ExitCode.inconclusive
    : ExitCode.findings;
}
