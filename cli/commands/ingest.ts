/** `bridgetrace ingest`: log files and folders into the incident database. */
import { type IngestResult, ingest, UsageError } from '../../queries/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { Progress } from '../output/progress.ts';
import { renderTable } from '../output/table.ts';
import { terminalWidth } from '../output/width.ts';
import { addDatabaseOption, print, printJson, withDatabase } from './common.ts';

export const register: RegisterCommand = (program, context) => {
  const command = addDatabaseOption(
    program
      .command('ingest')
      .description('read logs of NanoMQ and EMQX into the incident database')
      .argument('<path...>', 'log files, gzipped or not, and folders of them')
      .option('--tz <zone>', 'zone of stamps without one (NanoMQ): Asia/Shanghai or +08:00; else it is estimated')
      .option('--product <name>', 'take only logs of this product: nanomq or emqx')
      .option('--node <name>', 'name of the NanoMQ or EMQX node that wrote these logs'),
  );
  withExample(
    command,
    'bridgetrace ingest nanomq.log emqx.log.gz',
    'bridgetrace ingest /var/log/incident --tz Asia/Shanghai',
  );
  addCommonOptions(command).action(
    exitingWith(context, async (paths, options) => {
      const { product } = options;
      if (product !== undefined && product !== 'nanomq' && product !== 'emqx') {
        throw new UsageError('bad-product', `--product ${product}: nanomq or emqx.`);
      }
      const progress = new Progress({ stream: context.stderr, label: 'reading', total: null, unit: 'bytes' });
      const result = await withDatabase(context, options.db, 'write', (database) =>
        ingest(database, {
          paths,
          product,
          node: options.node,
          zone: options.tz,
          signal: context.signal,
          onProgress: ({ bytesDone }) => progress.update(bytesDone),
        }),
      ).finally(() => progress.clear());
      if (options.json) printJson(context, asJson(result, options.db));
      else
        print(context, [
          ...asText(result, terminalWidth(context.stdout)),
          `Database: ${options.db}. Next: bridgetrace analyze`,
        ]);
      for (const error of result.damaged)
        context.stderr.write(`warning: ${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ''}`);
      return result.damaged.length > 0 ? ExitCode.input : ExitCode.clean;
    }),
  );
};

function asJson(result: IngestResult, database: string) {
  return {
    schema: 1,
    database,
    sources: result.sources,
    skipped: result.skipped,
    damaged: result.damaged.map(({ code, message, hint }) => ({ code, message, hint })),
  };
}

const COLUMNS = [
  { name: 'file', align: 'left' },
  { name: 'layout', align: 'left' },
  { name: 'state', align: 'left' },
  { name: 'lines', align: 'right' },
  { name: 'records', align: 'right' },
  { name: 'continued', align: 'right' },
  { name: 'unparsed', align: 'right' },
] as const;

export function asText(result: IngestResult, width: number | null): string[] {
  const rows = result.sources.map((source) => [
    source.path,
    source.layout,
    source.state,
    ...[source.lines, source.records, source.continuations, source.unparsed].map(String),
  ]);
  const text = renderTable(COLUMNS, rows, { width }).trimEnd().split('\n');
  const skipped = result.skipped.length;
  return [
    ...text,
    ...(skipped > 0
      ? [
          `${skipped} other file(s) in the folders are no logs (${result.skipped[0]?.path}: ${result.skipped[0]?.reason}${skipped > 1 ? ', …' : ''})`,
        ]
      : []),
  ];
}
