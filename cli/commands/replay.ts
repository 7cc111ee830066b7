/** `bridgetrace replay`: one run of a cassette, simulated or live, into the database. */
import { Database } from '../../queries/index.ts';
import { parseVariant, runReplay, setUp, symptoms, type Variant } from '../../replay/index.ts';
import { addCommonOptions, exitingWith, type RegisterCommand, withExample } from '../command-helpers.ts';
import { ExitCode } from '../exit-codes.ts';
import { Progress } from '../output/progress.ts';
import { openRunLogs } from '../output/run-logs.ts';
import { readCassette } from './cassette-input.ts';
import { parseCount, print, printJson, withDatabase } from './common.ts';
import { addLiveOptions, liveRequest, randomWord } from './live-target.ts';

export const register: RegisterCommand = (program, context) => {
  const command = program
    .command('replay')
    .description('replay a cassette against the reference broker and look at it like at an incident')
    .argument('<cassette>', 'made by bridgetrace rebuild')
    .option('--nanomq <release>', 'as this NanoMQ release')
    .option('--emqx <release>', 'against this EMQX release')
    .option(
      '--set <key=value>',
      'change a setting of nanomq.conf; may be given again',
      (change: string, others: string[]) => [...others, change],
      [] as string[],
    )
    .option(
      '--network <script[@time]>',
      'a network script in the place of what the cassette says of network and broker; may be given again',
      (script: string, others: string[]) => [...others, script],
      [] as string[],
    )
    .option('--seed <n>', 'seed of everything random', '1')
    .option('--emit-logs <folder>', 'write the logs that NanoMQ and EMQX would have written of it')
    .option('--db <file>', 'write the run into this database too (default: keep it in memory)');
  withExample(
    command,
    'bridgetrace replay incident.cassette',
    'bridgetrace replay incident.cassette --nanomq 0.23.10 --set keepalive=30s',
    'bridgetrace replay incident.cassette --network restart-4s@60s',
  );
  addLiveOptions(addCommonOptions(command)).action(
    exitingWith(context, async (file, options) => {
      const cassette = await readCassette(file);
      const seed = parseCount('--seed', options.seed, 0, 2 ** 31 - 1);
      const changes = [
        ...(options.nanomq ? [`nanomq=${options.nanomq}`] : []),
        ...(options.emqx ? [`emqx=${options.emqx}`] : []),
        ...options.set,
        ...(options.network.length > 0 ? [`network=${options.network.join('+')}`] : []),
      ];
      const variant: Variant = changes.length > 0 ? parseVariant(changes.join(',')) : { name: 'baseline', changes: [] };
      const setup = setUp(cassette.header, variant);
      const live = liveRequest(context, options, randomWord(), setup.bridge.settings.clientId);
      const progress = new Progress({
        stream: context.stderr,
        label: options.mode === 'live' ? 'replaying live' : 'replaying',
        total: cassette.header.duration_us / 1e6,
        unit: 's',
      });
      const logs =
        options.emitLogs === undefined
          ? null
          : openRunLogs(options.emitLogs, {
              nanomq: setup.nanomq,
              emqx: setup.emqx,
              start: Date.parse(cassette.header.start) * 1000 || 0,
              clientId: setup.bridge.settings.clientId,
            });
      const work = (database: Database) =>
        runReplay(database, {
          cassette,
          setup,
          label: variant.name,
          seed,
          forced: changes.length === 0,
          loops: 1,
          ...(live ? { live } : {}),
          signal: context.signal,
          ...(logs ? { onRecord: logs.record } : {}),
          onProgress: (done) => progress.update(done),
        });
      const result = await (options.db === undefined
        ? inMemory(work)
        : withDatabase(context, options.db, 'write', work)
      ).finally(() => {
        progress.clear();
        logs?.close();
      });
      const found = symptoms(result);
      if (options.json) {
        printJson(context, {
          schema: 1,
          run_id: result.runId,
          mode: options.mode,
          seed,
          nanomq: setup.nanomq,
          emqx: setup.emqx,
          notes: setup.notes,
          incident: result.incident,
          findings: result.findings,
          symptoms: found,
          disconnects_by_reason: result.reasons,
          flows: result.flows,
          trace_hash: result.summary.hash,
        });
      } else {
        const { incident } = result;
        print(context, [
          `${result.runId}: NanoMQ ${setup.nanomq} with EMQX ${setup.emqx}${live ? (options.broker ? `, live at ${options.broker}` : ', live on loopback') : ''}`,
          ...setup.notes,
          `findings: ${result.findings.join(', ') || 'none'}; symptoms: ${found.join(', ') || 'none'}`,
          `keepalive disconnects: ${incident.keepalive_disconnects}${incident.period_s === null ? '' : `, every ${incident.period_s.toFixed(1)} s`}; all: ${
            Object.entries(result.reasons)
              .map(([reason, count]) => `${count} ${reason}`)
              .join(', ') || 'none'
          }`,
          ...result.flows.map(
            (flow) =>
              `${flow.direction === 'up' ? 'uplink' : 'downlink'} QoS ${flow.qos}: ${flow.delivered} of ${flow.offered} delivered`,
          ),
          ...(options.db === undefined
            ? []
            : [
                `Written to ${options.db}: bridgetrace query "FROM sessions WHERE run_id = '${result.runId}'" --db ${options.db}`,
              ]),
        ]);
      }
      return found.length > 0 ? ExitCode.findings : ExitCode.clean;
    }),
  );
};

async function inMemory<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const database = await Database.open(':memory:', 'write');
  try {
    return await work(database);
  } finally {
    database.close();
  }
}
