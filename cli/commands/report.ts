/** `bridgetrace report`: the analysis as one HTML file. */
import { writeFile } from 'node:fs/promises';
import { InputError, OBSERVED } from '../../queries/index.ts';
import {
  addCommonOptions,
  addDatabaseOption,
  exitingWith,
  type RegisterCommand,
  withExample,
} from '../command-helpers.ts';
import { packageVersion } from '../package-version.ts';
import { collect } from '../report/collect.ts';
import { readSweep, readVerdicts } from '../report/inputs.ts';
import { packMarks } from '../report/pack.ts';
import { renderReport } from '../report/render.ts';
import { guardOutput, print, printJson, requireRun, withDatabase } from './common.ts';

export const register: RegisterCommand = (program, context) => {
  const command = addDatabaseOption(
    program
      .command('report')
      .description('write findings, evidence, time line and replays into one HTML file that can be mailed')
      .requiredOption('-o, --output <file>', 'the HTML file')
      .option('--client <id>', 'only this MQTT client id')
      .option('--verify <file>', 'the verdicts, as bridgetrace verify --json printed them')
      .option('--sweep <file>', 'the heat map, as bridgetrace sweep --json printed it')
      .option('--title <text>', 'the title; else "Incident report"', ''),
  );
  withExample(
    command,
    'bridgetrace report -o report.html',
    'bridgetrace report -o report.html --verify verdict.json --title "Plant 7"',
  );
  addCommonOptions(command).action(
    exitingWith(context, async (options) => {
      guardOutput(options.output, options.db);
      const verdicts = options.verify === undefined ? null : await readVerdicts(options.verify);
      const sweep = options.sweep === undefined ? null : await readSweep(options.sweep);
      await withDatabase(context, options.db, 'read', async (database) => {
        await requireRun(database, OBSERVED);
        const { data, marks } = await collect(database, { clientId: options.client });
        if (options.client !== undefined && data.analysis.clients.length === 0)
          throw new InputError('no-such-client', `The database holds no bridge with the client id ${options.client}.`, {
            hint: 'bridgetrace analyze lists them.',
          });
        const packed = packMarks(marks, data.mark_sources);
        const page = renderReport(
          {
            ...data,
            title: options.title,
            version: packageVersion(),
            created: new Date().toISOString(),
            verdicts,
            sweep,
            lines_kept: packed.kept,
          },
          packed,
        );
        await writeFile(options.output, page);
        const bytes = Buffer.byteLength(page);
        const replays = data.runs.length - 1;
        if (options.json)
          printJson(context, {
            schema: 1,
            output: options.output,
            bytes,
            findings: data.analysis.findings.map((finding) => finding.id),
            replays: data.runs.slice(1).map((run) => run.id),
            marks: marks.length,
            lines_kept: packed.kept,
          });
        else
          print(context, [
            `${options.output}: ${Math.ceil(bytes / 1000)} kB, ${data.analysis.findings.length} findings, ${marks.length} marks on the time line, ${replays} replay(s).`,
          ]);
      });
    }),
  );
};
