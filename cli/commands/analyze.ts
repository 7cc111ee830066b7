/** `bridgetrace analyze`: what happened and why, as a story or as JSON. */
import { analyze, InputError, OBSERVED } from '../../queries/index.ts';
import {
  addCommonOptions,
  addDatabaseOption,
  exitingWith,
  type RegisterCommand,
  withExample,
} from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { colours } from '../output/colour.ts';
import { terminalWidth } from '../output/width.ts';
import { analysisText, hasUnexplained } from '../text/analysis-text.ts';
import { loadCycles } from '../text/cycle-plot.ts';
import { parseTime, print, printJson, requireRun, withDatabase } from './common.ts';

export const register: RegisterCommand = (program, context) => {
  const command = addDatabaseOption(
    program
      .command('analyze')
      .description('name the cause of the reconnects and losses, with the lines that prove it')
      .option('--client <id>', 'only this MQTT client id')
      .option('--from <time>', 'only connections and findings from this time on (ISO 8601, UTC unless it has a zone)')
      .option('--to <time>', 'only those up to this time'),
  );
  withExample(command, 'bridgetrace analyze', 'bridgetrace analyze --client edge-7 --json');
  addCommonOptions(command).action(
    exitingWith(context, async (options) =>
      withDatabase(context, options.db, 'read', async (database) => {
        await requireRun(database, OBSERVED);
        const from = parseTime('--from', options.from);
        const to = parseTime('--to', options.to);
        const analysis = await analyze(database, { runId: OBSERVED, clientId: options.client, from, to });
        if (options.client !== undefined && analysis.clients.length === 0) {
          const all = await analyze(database, { runId: OBSERVED });
          throw new InputError('no-such-client', `The database holds no bridge with the client id ${options.client}.`, {
            hint: `It holds: ${all.clients.map((client) => client.client_id ?? client.bridge_id).join(', ') || 'none'}.`,
          });
        }
        if (options.json) printJson(context, analysis);
        else {
          const width = terminalWidth(context.stdout) ?? 100;
          print(
            context,
            analysisText(analysis, await loadCycles(database), {
              width,
              colours: colours(context.stdout, context.env),
            }),
          );
        }
        if (analysis.findings.length > 0) return ExitCode.findings;
        return hasUnexplained(analysis) ? ExitCode.inconclusive : ExitCode.clean;
      }),
    ),
  );
};
