/** `bridgetrace rebuild`: a cassette from the joined logs. */
import { open, writeFile } from 'node:fs/promises';
import { OBSERVED, UsageError } from '../../queries/index.ts';
import { type Cassette, fidelity, printCassette, rebuild } from '../../replay/index.ts';
import {
  addCommonOptions,
  addDatabaseOption,
  exitingWith,
  type RegisterCommand,
  withExample,
} from '../command-helpers.ts';
import { guardOutput, parseTime, print, printJson, requireRun, withDatabase } from './common.ts';

export const register: RegisterCommand = (program, context) => {
  const command = addDatabaseOption(
    program
      .command('rebuild')
      .description("rebuild the incident's traffic as a cassette that can be replayed")
      .requiredOption('-o, --output <file>', 'the cassette to write (NDJSON)')
      .option('--client <id>', 'the MQTT client id of the bridge, if there are several')
      .option('--from <time>', 'leave out what is before (ISO 8601)')
      .option('--to <time>', 'leave out what is after'),
  );
  withExample(command, 'bridgetrace rebuild -o incident.cassette');
  addCommonOptions(command).action(
    exitingWith(context, async (options) => {
      guardOutput(options.output, options.db);
      await refuseOtherFile(options.output);
      const cassette = await withDatabase(context, options.db, 'read', async (database) => {
        await requireRun(database, OBSERVED);
        return rebuild(database, {
          runId: OBSERVED,
          clientId: options.client,
          from: parseTime('--from', options.from),
          to: parseTime('--to', options.to),
        });
      });
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
async function refuseOtherFile(file: string): Promise<void> {
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
  };
}

export function cassetteText(cassette: Cassette): string[] {
  const { duration_s, bridge, broker, entries, fidelity: shares } = summary(cassette);
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
  ];
}
