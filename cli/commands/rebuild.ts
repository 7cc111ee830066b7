/** `bridgetrace rebuild`: a cassette from the joined logs. */
import { open, writeFile } from 'node:fs/promises';
import { OBSERVED, UsageError } from '../../queries/index.ts';
import {
  type Cassette,
  fidelity,
  improvements,
  printCassette,
  rebuild,
  releaseName,
  withUplink,
} from '../../replay/index.ts';
import {
  addCommonOptions,
  addDatabaseOption,
  exitingWith,
  type RegisterCommand,
  withExample,
} from '../command-helpers.ts';
import { guardOutput, parseTime, print, printJson, requireRun, withDatabase } from './common.ts';
import { confVariant } from './variant-input.ts';

export const register: RegisterCommand = (program, context) => {
  const command = addDatabaseOption(
    program
      .command('rebuild')
      .description("rebuild the incident's traffic as a cassette that can be replayed")
      .requiredOption('-o, --output <file>', 'the cassette to write (NDJSON)')
      .option('--client <id>', 'the MQTT client id of the bridge, if there are several')
      .option('--from <time>', 'leave out what is before (ISO 8601)')
      .option('--to <time>', 'leave out what is after')
      .option('--nanomq <release>', 'the NanoMQ release, where you know better than the logs')
      .option('--emqx <release>', 'the EMQX release')
      .option('--conf <file>', "the bridge's nanomq.conf, for settings that no line shows")
      .option('--name <bridge>', 'which bridge of --conf, if it has several')
      .option('--rate <n>', 'messages a second upward, where the logs do not show what was published'),
  );
  withExample(command, 'bridgetrace rebuild -o incident.cassette');
  addCommonOptions(command).action(
    exitingWith(context, async (options) => {
      guardOutput(options.output, options.db);
      await refuseOtherFile(options.output);
      const releases = parseReleases(options.nanomq, options.emqx);
      const conf =
        options.conf === undefined ? {} : { conf: confVariant(options.conf, options.name, context.cwd).conf! };
      const rebuilt = await withDatabase(context, options.db, 'read', async (database) => {
        await requireRun(database, OBSERVED);
        return rebuild(database, {
          runId: OBSERVED,
          clientId: options.client,
          from: parseTime('--from', options.from),
          to: parseTime('--to', options.to),
          ...releases,
          ...conf,
        });
      });
      const cassette = options.rate === undefined ? rebuilt : withUplink(rebuilt, parseRate(options.rate));
      await writeFile(options.output, printCassette(cassette));
      if (options.json) printJson(context, { schema: 1, cassette: options.output, ...summary(cassette) });
      else
        print(context, [
          ...cassetteText(cassette),
          `Written to ${options.output}. Next: bridgetrace verify ${options.output} --fix nanomq=RELEASE`,
        ]);
    }),
  );
};

/** A cassette may be made anew; any other file with something in it is most likely a slip of the hand. */
export async function refuseOtherFile(file: string): Promise<void> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return;
  try {
    if (!(await handle.stat()).isFile()) return;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    if (bytesRead === 0 || buffer.toString('latin1', 0, bytesRead).startsWith('{"type":"header"')) return;
  } finally {
    await handle.close();
  }
  throw new UsageError('output-exists', `${file} exists and is no cassette.`, { hint: 'Name another file with -o.' });
}

function parseReleases(nanomq: string | undefined, emqx: string | undefined): { nanomq?: string; emqx?: string } {
  return {
    ...(nanomq === undefined ? {} : { nanomq: releaseName(nanomq) }),
    ...(emqx === undefined ? {} : { emqx: releaseName(emqx) }),
  };
}

const RATE_MAX = 10_000;

function parseRate(text: string): number {
  const rate = Number(text);
  if (text.trim() !== '' && rate > 0 && rate <= RATE_MAX) return rate;
  throw new UsageError(
    'bad-number',
    `--rate ${text} is no number of messages a second, above 0 and up to ${RATE_MAX}.`,
  );
}

export function summary(cassette: Cassette) {
  const entries: Record<string, number> = {};
  for (const entry of cassette.entries) entries[entry.type] = (entries[entry.type] ?? 0) + 1;
  return {
    duration_s: cassette.header.duration_us / 1e6,
    bridge: cassette.header.bridge,
    broker: cassette.header.broker,
    incident: cassette.header.incident,
    entries,
    fidelity: fidelity(cassette),
    improvements: improvements(cassette),
  };
}

export function cassetteText(cassette: Cassette): string[] {
  const { duration_s, bridge, broker, entries, fidelity: shares, improvements: better } = summary(cassette);
  const counts = Object.entries(entries).map(([type, count]) => `${count} ${type}`);
  const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.01 ? 2 : 0)} %`;
  const assumed = Object.entries(bridge.origins)
    .filter(([, origin]) => origin === 'assumed')
    .map(([key]) => key);
  return [
    `${duration_s.toFixed(1)} s: ${counts.join(', ') || 'no entries'}`,
    `NanoMQ ${bridge.release} (${bridge.release_known_by}), EMQX ${broker.release} (${broker.release_known_by})`,
    `entries: ${percent(shares.observed)} observed in a log line, ${percent(shares.inferred)} inferred from lines, ${percent(shares.assumed)} assumed`,
    ...(assumed.length > 0 ? [`settings that no line shows (the release's defaults): ${assumed.join(', ')}`] : []),
    ...(better.length > 0 ? ['It would be better with:', ...better.map((one) => `  ${one}`)] : []),
  ];
}
