/** `bridgetrace ingest`: log files and folders into the incident database. */
import path from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { zoneOffsetUs } from '../../queries/derive/zone.ts';
import { UsageError } from '../../queries/errors.ts';
import type { Database, IngestResult } from '../../queries/index.ts';
import { beginEarly } from '../../queries/ingest/begin-early.ts';
import type { IngestOptions } from '../../queries/ingest/examine.ts';
import {
  addCommonOptions,
  addDatabaseOption,
  exitingWith,
  type RegisterCommand,
  withExample,
} from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { Progress } from '../output/progress.ts';
import { terminalWidth } from '../output/width.ts';
import { ingestText } from '../text/ingest-text.ts';

export const register: RegisterCommand = (program, context) => {
  const command = addDatabaseOption(
    program
      .command('ingest')
      .description('read logs of NanoMQ and EMQX into the incident database')
      .argument('<path...>', 'log files (also .gz, .zst), folders, globs; - for standard input')
      .option('--tz <zone>', 'zone of stamps without one (NanoMQ): Asia/Shanghai or +08:00; else it is estimated')
      .option('--product <name>', 'take only logs of this product: nanomq or emqx')
      .option('--node <name>', 'name of the NanoMQ or EMQX node that wrote these logs')
      .option('--since <time>', 'take only records from this time on: 2026-11-22T05:00 (in --tz, else UTC)')
      .option('--until <time>', 'take only records before this time')
      .option('--threads <n>', 'threads that parse large files (default: one a core)')
      .addOption(new Option('--commit-bytes <n>', 'bytes between two commits').hideHelp()),
  );
  withExample(
    command,
    'bridgetrace ingest nanomq.log emqx.log.gz',
    'bridgetrace ingest /var/log/incident --tz Asia/Shanghai',
    'bridgetrace ingest - < compose.log',
  );
  addCommonOptions(command).action(
    exitingWith(context, async (paths, options) => {
      const { product } = options;
      if (product !== undefined && product !== 'nanomq' && product !== 'emqx') {
        throw new UsageError('bad-product', `--product ${product}: nanomq or emqx.`);
      }
      const [threads, commitBytes] = [
        atLeast(0, options.threads, '--threads'),
        atLeast(1, options.commitBytes, '--commit-bytes'),
      ];
      const since = instant(options.since, '--since', options.tz);
      const until = instant(options.until, '--until', options.tz);
      if (since !== undefined && until !== undefined && since >= until) {
        throw new UsageError('bad-time', '--since is not before --until.', { hint: 'Exchange the two.' });
      }
      const progress = new Progress({ stream: context.stderr, label: 'reading', total: null, unit: 'bytes' });
      const ingestOptions: IngestOptions = {
        paths,
        product,
        node: options.node,
        zone: options.tz,
        since,
        until,
        threads,
        commitBytes,
        signal: context.signal,
        onProgress: ({ bytesDone, bytesTotal, records, path: file }) =>
          progress.update(bytesDone, bytesTotal, `  ${records} records  ${path.basename(file)}`),
      };
      const workers = await beginEarly(ingestOptions);
      try {
        // Loaded while the threads are at work.
        const [{ ingest }, { print, printJson, withDatabase }] = await Promise.all([
          import('../../queries/index.ts'),
          import('./common.ts'),
        ]);
        const work = (database: Database) => ingest(database, ingestOptions, workers);
        const result = await withDatabase(context, options.db, 'write', work, { viewsLater: true });
        progress.clear();
        if (options.json) printJson(context, asJson(result, options.db));
        else
          print(context, [
            ...ingestText(result, terminalWidth(context.stdout)),
            `Database: ${options.db}. Next: bridgetrace analyze`,
          ]);
        for (const error of result.damaged)
          context.stderr.write(`warning: ${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ''}`);
        return result.damaged.length > 0 ? ExitCode.input : ExitCode.clean;
      } finally {
        // Also where the database's library is missing: threads would keep the process alive.
        progress.clear();
        await workers?.close();
      }
    }),
  );
};

function atLeast(least: number, text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError('bad-number', `${name} ${text}: a whole number of at least ${least}.`);
  }
  return value;
}

/** µs since the epoch; a time without an offset is local time of the zone. */
function instant(text: string | undefined, name: string, zone: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const [, date, minutes = '00:00', seconds = ':00', fraction = '', offset] = found ?? [];
  const ms = Date.parse(`${date}T${minutes}${seconds}Z`);
  if (found === null || Number.isNaN(ms)) {
    throw new UsageError('bad-time', `${name} ${text} is no time.`, {
      hint: 'Write it as 2026-11-22T05:00:00Z or 2026-11-22.',
    });
  }
  const us = ms * 1000 + Math.round(Number(`0${fraction}`) * 1_000_000);
  const of = offset === 'Z' ? '+00:00' : (offset ?? zone);
  return of === undefined ? us : us - zoneOffsetUs(of, us);
}

function asJson(result: IngestResult, database: string) {
  return {
    schema: 1,
    database,
    sources: result.sources,
    endpoints: result.endpoints,
    totals: { bytes: result.bytesRead, records: result.recordsRead, seconds: result.seconds },
    skipped: result.skipped,
    damaged: result.damaged.map(({ code, message, hint }) => ({ code, message, hint })),
  };
}
