/** `bridgetrace query`: SQL over the joined logs. */
import { once } from 'node:events';
import { createWriteStream, existsSync, statSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import {
  bindParameters,
  InputError,
  type NamedQuery,
  namedQueries,
  resolveQuery,
  runQuery,
  UsageError,
  writeParquet,
} from '../../queries/index.ts';
import {
  addCommonOptions,
  addDatabaseOption,
  exitingWith,
  type RegisterCommand,
  withExample,
} from '../command-helpers.ts';
import { colours } from '../output/colour.ts';
import { FORMATS, type Format, writeResult } from '../output/format.ts';
import { terminalWidth } from '../output/width.ts';
import { wrap } from '../text/wrap.ts';
import { guardOutput, print, printJson, withDatabase } from './common.ts';

export const register: RegisterCommand = (program, context) => {
  const command = addDatabaseOption(
    program
      .command('query')
      .description('run a named query or SQL over the joined logs, read-only')
      .argument('[query]', 'a named query, an SQL statement, or @FILE.sql')
      .option('--list', 'list the named queries')
      .option('--param <name=value>', 'value of the parameter $name (one option each)', collect)
      .option('--format <format>', `${FORMATS.join(', ')} or parquet (default: table, or json with --json)`)
      .option('-o, --output <file>', 'write the result to this file'),
  );
  withExample(
    command,
    'bridgetrace query cycles',
    'bridgetrace query client-events --param client=bridge-1 --param "from=2026-11-22 04:53:00"',
    `bridgetrace query "SELECT reason, count(*) FROM sessions WHERE run_id = 'observed' GROUP BY 1" --format csv`,
  );
  addCommonOptions(command).action(
    exitingWith(context, async (query, options) => {
      if (options.list) {
        const list = namedQueries();
        if (options.json) printJson(context, { schema: 1, queries: list.map(({ sql, ...query }) => query) });
        else print(context, listed(list, terminalWidth(context.stdout)));
        return;
      }
      if (query === undefined)
        throw new UsageError('no-query', 'A query is missing.', {
          hint: 'Name one (bridgetrace query --list), or give SQL.',
        });
      if (options.output !== undefined) guardOutput(options.output, options.db);
      const format = options.format ?? (options.json ? 'json' : 'table');
      const parameters = bindParameters(query, options.param ?? {});
      const sql = query.startsWith('@') ? await sqlFile(query.slice(1)) : resolveQuery(query);
      if (format === 'parquet') {
        if (options.output === undefined)
          throw new UsageError('no-output', 'parquet is written to a file.', { hint: 'Add -o FILE.' });
        await wholeFile(options.output, async (part) => {
          await (await open(part, 'w')).close(); // a folder that is missing or closed is no fault of the statement
          await writeParquet(options.db, sql, part, parameters);
        });
        return;
      }
      if (!(FORMATS as readonly string[]).includes(format))
        throw new UsageError('bad-format', `--format ${format} is not known.`, {
          hint: `Known: ${FORMATS.join(', ')}, parquet.`,
        });
      await withDatabase(context, options.db, 'read', async (database) => {
        const result = await runQuery(database, sql, parameters);
        if (options.output === undefined) {
          const document = options.json && options.format === undefined;
          if (document) context.stdout.write('{"schema": 1, "rows": ');
          await writeResult(result, format as Format, context.stdout, {
            width: terminalWidth(context.stdout),
            colours: colours(context.stdout, context.env),
            signal: context.signal,
          });
          if (document) context.stdout.write('}\n');
        } else {
          await toFile(options.output, (out, failed) =>
            writeResult(result, format as Format, out, { signal: AbortSignal.any([context.signal, failed]) }),
          );
        }
      });
    }),
  );
};

/** Each query's name beside what it answers, with its columns, an example and its parameters below. */
function listed(queries: readonly NamedQuery[], width: number | null): string[] {
  const indent = ' '.repeat(Math.max(...queries.map(({ name }) => name.length)) + 2);
  const room = width ?? Number.POSITIVE_INFINITY;
  return queries.flatMap(({ name, question, columns, example, parameters }) => [
    ...wrap(name.padEnd(indent.length) + question, room, indent),
    ...wrap(`${indent}columns: ${columns}`, room, `${indent}  `),
    ...wrap(`${indent}$ ${example}`, room, `${indent}  `),
    ...parameters.flatMap((one) => wrap(`${indent}--param ${one.name}=…  ${one.meaning}`, room, `${indent}  `)),
  ]);
}

function collect(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError('bad-parameter', `--param ${text} is no name and value.`, {
      hint: 'Write --param client=bridge-1 for the parameter $client.',
    });
  return { ...before, [name]: value };
}

async function sqlFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new InputError('not-readable', `The SQL file ${file} cannot be read: ${(error as Error).message}`, {
      file,
      hint: 'Check the path after @.',
    });
  }
}

/** A file appears under its name only when it is whole. */
async function wholeFile(file: string, write: (part: string) => Promise<unknown>): Promise<void> {
  // A device or a pipe is written straight: a rename would put a file in its place.
  if (existsSync(file) && !statSync(file).isFile()) {
    await write(file);
    return;
  }
  const part = `${file}.part`;
  try {
    await write(part);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

function toFile(
  file: string,
  write: (out: NodeJS.WritableStream, failed: AbortSignal) => Promise<unknown>,
): Promise<void> {
  return wholeFile(file, async (part) => {
    const out = createWriteStream(part);
    const failed = new AbortController();
    out.on('error', () => failed.abort()); // nobody drains a stream that is gone
    try {
      await once(out, 'open');
      await write(out, failed.signal);
      out.end();
      await finished(out);
    } catch (error) {
      out.destroy();
      throw out.errored ?? error;
    }
  });
}
