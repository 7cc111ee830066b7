/**
 * `bridgetrace demo`: the whole way on a real incident that comes with the package. Nothing in it is fixed text about the outcome:
 * every number is read from the logs and the replays, and the exit code says whether the verdicts are the expected ones.
 */
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { analyze, Database, InputError, ingest, OBSERVED, packageRoot } from '../../queries/index.ts';
import { parseVariant, rebuild, type Verification, verify } from '../../replay/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { colours } from '../output/colour.ts';
import { Progress } from '../output/progress.ts';
import { terminalWidth } from '../output/width.ts';
import { findingText } from '../text/analysis-text.ts';
import { cyclePlot, loadCycles } from '../text/cycle-plot.ts';
import { ingestText } from '../text/ingest-text.ts';
import { verificationText } from '../text/verification-text.ts';
import { wrap } from '../text/wrap.ts';
import { print, printJson } from './common.ts';
import { cassetteText, summary } from './rebuild.ts';

/** What the bundled incident is known for: real brokers showed the first to cure it and the second not to (incidents 03c and 03g). */
const FIXES: readonly { readonly change: string; readonly expected: 'fixed' | 'not-fixed' }[] = [
  { change: 'nanomq=0.23.10', expected: 'fixed' },
  { change: 'keepalive=30s', expected: 'not-fixed' },
];
const SEEDS = 5;
const INCIDENT = ['examples', 'stuck-busy'];

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('demo')
    .description('from log files to a verdict on a real incident that comes with the package')
    .option('--logs <dir>', 'tell the story of the logs in this folder instead');
  withExample(command, 'bridgetrace demo');
  addCommonOptions(command).action(
    exitingWith(context, async (options) => {
      const folder = options.logs ?? path.join(packageRoot(), ...INCIDENT);
      const width = terminalWidth(context.stdout) ?? 100;
      const colour = colours(context.stdout, context.env);
      const say = (...lines: string[]) => {
        if (!options.json) print(context, lines);
      };
      const step = (number: number, text: string) =>
        say(...(number > 1 ? [''] : []), colour.bold(`${number}. ${text}`));
      const database = await Database.open(':memory:', 'write');
      try {
        step(1, 'Read the logs of both sides');
        const read = await ingest(database, { paths: await logFiles(folder), signal: context.signal });
        const lines = read.sources.reduce((sum, source) => sum + source.lines, 0);
        const unparsed = read.sources.reduce((sum, source) => sum + source.unparsed, 0);
        say(
          ...ingestText(
            { ...read, sources: read.sources.map((source) => ({ ...source, path: path.basename(source.path) })) },
            width,
          ),
          `${lines} lines, ${unparsed} of them not understood.`,
        );

        step(2, 'Put both ends on one clock');
        const analysis = await analyze(database, { runId: OBSERVED });
        for (const clock of analysis.clocks.filter((one) => one.product === 'nanomq')) {
          const error = clock.error_s === null ? 'an unknown error' : `± ${clock.error_s.toFixed(2)} s`;
          say(
            ...wrap(
              `NanoMQ stamps whole seconds without a zone; ${clock.pairs} events that both ends log put its clock at ${clock.offset_s.toFixed(2)} s from the broker's, ${error}.`,
              width,
            ),
          );
        }
        say('Each line below is one connection, from its connect on:', ...cyclePlot(await loadCycles(database), width));
        for (const cycle of analysis.cycles) {
          say(
            `${cycle.count} × ${cycle.reason} (closed by the ${cycle.closed_by})${cycle.period_s === null ? '' : `, one every ${cycle.period_s.toFixed(1)} s`}`,
          );
        }

        step(3, 'Name the cause');
        if (analysis.findings.length === 0) say('No cause that this version knows shows in these logs.');
        say(
          ...analysis.findings.flatMap((finding, index) => findingText(finding, index + 1, { width, colours: colour })),
        );

        step(4, "Rebuild the incident's traffic as a cassette");
        const cassette = await rebuild(database, { runId: OBSERVED });
        say(...cassetteText(cassette).flatMap((line) => wrap(line, width, '  ')));

        step(5, `Replay it as it was and with two changes, ${SEEDS} seeds each`);
        const progress = new Progress({
          stream: context.stderr,
          label: 'replaying',
          total: SEEDS * (FIXES.length + 1),
          unit: 'runs',
        });
        let result: Verification;
        try {
          result = await verify(cassette, {
            threads: availableParallelism(),
            variants: FIXES.map((fix) => parseVariant(fix.change)),
            seeds: SEEDS,
            signal: context.signal,
            onProgress: (done) => progress.update(done),
          });
        } finally {
          progress.clear();
        }
        say(...verificationText(result, { width, colours: colour }));
        const asExpected = FIXES.every(
          (fix) => result.variants.find((variant) => variant.name === fix.change)?.verdict === fix.expected,
        );
        if (options.json) {
          printJson(context, {
            schema: 1,
            as_expected: asExpected,
            sources: read.sources,
            analysis,
            cassette: summary(cassette),
            verification: result,
          });
        } else {
          say(
            '',
            ...wrap(
              asExpected
                ? 'Both verdicts are what real brokers showed for these changes. Now with your own logs: bridgetrace ingest LOGS..., then bridgetrace analyze.'
                : 'These verdicts differ from what real brokers showed for the bundled incident.',
              width,
            ),
          );
        }
        return asExpected ? ExitCode.clean : ExitCode.findings;
      } finally {
        database.close();
      }
    }),
  );
};

async function logFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => {
    throw new InputError('not-found', `There is no folder ${folder}.`, {
      file: folder,
      hint: 'Name a folder with logs of NanoMQ and EMQX.',
    });
  });
  return names
    .filter((name) => /\.log(\.\d+)?(\.gz)?$/.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}
