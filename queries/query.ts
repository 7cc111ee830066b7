/** SQL for users: named queries (queries/named/*.sql), statements and files, streamed so that a large result needs no memory. */
import { Database, type SqlValue, sqlFiles } from './database.ts';
import { SqlError, UsageError } from './errors.ts';

export interface NamedQuery {
  readonly name: string;
  readonly question: string;
  readonly columns: string;
  /** A command line. */
  readonly example: string;
  /** Names of the values that it takes, each null unless given, and what they mean. */
  readonly parameters: readonly { readonly name: string; readonly meaning: string }[];
  readonly sql: string;
}

/** Values of a statement's parameters `$name`; bound, never written into the SQL. */
export type Parameters = Readonly<Record<string, string | null>>;

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Batches of rows, cells in column order. */
  readonly rows: AsyncIterable<readonly (readonly SqlValue[])[]>;
}

export function namedQueries(): NamedQuery[] {
  return sqlFiles('named').map(({ name, sql }) => ({
    name,
    question: header(sql, 'Question'),
    columns: header(sql, 'Columns'),
    example: header(sql, 'Example'),
    parameters: [...header(sql, 'Parameters').matchAll(/(\w+) \(([^)]*)\)/g)].map(([, parameter, meaning]) => ({
      name: parameter!,
      meaning: meaning!,
    })),
    sql,
  }));
}

/** A named query's SQL, or the text itself if it reads as a statement. Throws UsageError for an unknown name. */
export function resolveQuery(text: string): string {
  if (/\s/.test(text.trim())) return text;
  const known = namedQueries();
  const match = known.find((query) => query.name === text.trim());
  if (match) return match.sql;
  const near = known
    .map((query) => query.name)
    .filter((name) => name.startsWith(text.slice(0, 3)) || name.includes(text));
  throw new UsageError('unknown-query', `There is no named query ${text}.`, {
    hint: `${near.length > 0 ? `Did you mean ${near.slice(0, 3).join(' or ')}? ` : ''}bridgetrace query --list shows all of them; a statement needs a blank, as in "FROM sessions".`,
  });
}

/** The values for a query's parameters: what a named query has and is not given is null. Throws UsageError for a name it has not. */
export function bindParameters(text: string, given: Readonly<Record<string, string>>): Parameters {
  const named = namedQueries().find((query) => query.name === text.trim());
  if (named === undefined) return given;
  const names = named.parameters.map(({ name }) => name);
  for (const name of Object.keys(given)) if (!names.includes(name)) throw unknownParameter(name, names);
  return Object.fromEntries(names.map((name) => [name, given[name] ?? null]));
}

/** Runs a statement. Throws SqlError with DuckDB's own position mark, UsageError for a parameter that it does not have. */
export async function runQuery(database: Database, sql: string, parameters: Parameters = {}): Promise<QueryResult> {
  try {
    const given = Object.keys(parameters);
    const names = given.length === 0 ? [] : await database.parameterNames(sql);
    for (const name of given) if (!names.includes(name)) throw unknownParameter(name, names);
    const result = await database.stream(sql, given.length === 0 ? undefined : parameters);
    return { columns: result.columns, rows: guarded(result.rows) };
  } catch (error) {
    throw error instanceof UsageError ? error : sqlError(error);
  }
}

function unknownParameter(name: string, names: readonly string[]): UsageError {
  return new UsageError('unknown-parameter', `The query has no parameter ${name}.`, {
    hint: names.length === 0 ? 'It takes none.' : `It takes ${names.join(', ')}.`,
  });
}

/**
 * Writes a query's result as a Parquet file. DuckDB writes it itself, so the result is copied into a private in-memory database
 * first: the connection that reads the incident has no access to other files.
 */
export async function writeParquet(
  databasePath: string,
  sql: string,
  output: string,
  parameters: Parameters = {},
): Promise<void> {
  const source = await Database.open(databasePath, 'read');
  const target = await Database.open(':memory:', 'write');
  try {
    const { columns, rows } = await runQuery(source, sql, parameters);
    await target.copyIn('result', columns, rows);
    await target.run(`COPY result TO '${output.replaceAll("'", "''")}' (FORMAT parquet)`);
  } catch (error) {
    throw error instanceof SqlError || error instanceof UsageError ? error : sqlError(error);
  } finally {
    target.close();
    source.close();
  }
}

async function* guarded(
  rows: QueryResult['rows'],
): QueryResult['rows'] extends AsyncIterable<infer T> ? AsyncGenerator<T> : never {
  try {
    yield* rows;
  } catch (error) {
    throw sqlError(error);
  }
}

function sqlError(error: unknown): SqlError {
  const text = error instanceof Error ? error.message : String(error);
  const hint = /Values were not provided/.test(text)
    ? 'Give each of them: --param name=value.'
    : /Catalog Error/.test(text)
      ? 'The views are: events, client_events, broker_events, packets, client_sessions, broker_sessions, sessions, cycles, aio_bursts, aio_busy_at_disconnect, silences, keepalive_audit, publish_rates, aio_occupancy, log_gaps, last_traffic, losses.'
      : /read-only|external|disabled/i.test(text)
        ? 'Queries may only read this database; use -o FILE to write a result.'
        : 'Check the statement; DESCRIBE sessions shows the columns of a view.';
  return new SqlError(text.replace(/^(Parser|Binder|Catalog) Error: /, ''), { hint, cause: error });
}

/** The text after `-- Name:` in the header comment, continuation lines included. */
function header(sql: string, name: string): string {
  const lines = sql
    .split('\n')
    .filter((line) => line.startsWith('--'))
    .map((line) => line.slice(2).trim());
  const start = lines.findIndex((line) => line.startsWith(`${name}:`));
  if (start < 0) return '';
  const end = lines.findIndex((line, index) => index > start && /^[A-Z][a-z]+:/.test(line));
  return lines
    .slice(start, end < 0 ? undefined : end)
    .join(' ')
    .slice(name.length + 1)
    .trim();
}
