/**
 * The only module that opens a DuckDB file.
 *
 * DuckDB's file lock is per process: opening one file twice in a process succeeds and the last checkpoint silently wins
 * (measured, libraries.md §3). So there is one registry of open paths here, a second open of the same path is refused, and the
 * lint rule keeps value imports of the driver out of every other module. Worker threads may open databases in memory, and no file.
 */
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { threadId } from 'node:worker_threads';
import type * as Driver from '@duckdb/node-api';
import type { DuckDBAppender, DuckDBConnection, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { ChunkAppender } from './chunk-appender.ts';
import { loadDriver } from './driver.ts';
import { DatabaseError } from './errors.ts';
import { isoTime } from './time.ts';

const { DuckDBDataChunk, DuckDBInstance, DuckDBTimestampValue } = loadDriver().api;

/** Raised whenever a table changes shape; a file of a newer version is refused, one of an older version too (re-ingest). */
export const SCHEMA_VERSION = 4;
/** Ceiling for DuckDB's own buffers; larger work spills to the temp directory beside the file. */
const MEMORY_LIMIT = '320MB';
/** The same while an ingest runs: beside parsers, and for what is derived after them, when their memory is not all given back. */
const MEMORY_OF_INGEST = { parsing: '96MB', deriving: '120MB' } as const;
const THREADS = '2';
/** Compresses text better than older versions; newer ones read slower (docs/PERFORMANCE.md). */
const STORAGE_VERSION = 'v1.2.0';
/** Rows a data chunk holds at most (DuckDB's vector size). */
const CHUNK_ROWS = 2048;

export type Row = Record<string, SqlValue>;
/** What `all` returns for a cell: integers beyond 2^53 and UBIGINT ids stay bigint, times are µs since the epoch as number. */
export type SqlValue = string | number | bigint | boolean | null | SqlValue[] | { [key: string]: SqlValue };
export type Mode = 'write' | 'read';
/** Bind to $1, $2 … or, as an object, to $name. */
export type Values = DuckDBValue[] | Readonly<Record<string, DuckDBValue>>;

const openPaths = new Set<string>();
/** In-memory databases of this process so far: each spills into a folder of its own. */
let spills = 0;
const here = path.dirname(fileURLToPath(import.meta.url));

/** The package's root: the nearest folder above with a package.json. SQL files are read from there, also when built. */
export function packageRoot(): string {
  let folder = here;
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('package.json not found above the installed module');
    folder = parent;
  }
  return folder;
}

export function readSql(...parts: string[]): string {
  return readFileSync(path.join(packageRoot(), 'queries', ...parts), 'utf8');
}

/** The .sql files of a folder below queries/, in name order: `{ name, sql }`. */
export function sqlFiles(folder: string): { name: string; sql: string }[] {
  return readdirSync(path.join(packageRoot(), 'queries', folder))
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ name: name.slice(0, -4), sql: readSql(folder, name) }));
}

export class Database {
  private readonly instance: Driver.DuckDBInstance;
  readonly connection: DuckDBConnection;
  readonly path: string;
  private closed = false;
  private views: Promise<void> = Promise.resolve();
  private readonly spill: string;

  private constructor(instance: Driver.DuckDBInstance, connection: DuckDBConnection, file: string, spill: string) {
    this.spill = spill;
    this.instance = instance;
    this.connection = connection;
    this.path = file;
  }

  /**
   * Opens (mode `write`: creates) an incident database; `:memory:` for a private one. With `viewsLater` the views of mode
   * `write` are made beside what the caller does first; `viewsReady` tells when they are there.
   * Throws DatabaseError with code `database-locked`, `database-not-found`, `database-newer`, `database-older`,
   * `database-unfinished`, `not-a-database`.
   */
  static async open(file: string, mode: Mode, options: { readonly viewsLater?: boolean } = {}): Promise<Database> {
    const inMemory = file === ':memory:';
    if (!inMemory && mode === 'read' && !existsSync(file)) {
      throw new DatabaseError('database-not-found', `There is no database ${file}.`, {
        hint: 'Make one first: bridgetrace ingest LOGS... (or name another with --db FILE).',
        details: { path: file },
      });
    }
    const key = inMemory ? null : canonical(file);
    if (key !== null && openPaths.has(key)) throw new Error(`${file} is already open in this process`);
    const spill = inMemory ? path.join(tmpdir(), `bridgetrace-${process.pid}-${threadId}-${spills++}`) : `${file}.tmp`;
    const instance = await openInstance(file, mode, inMemory, spill);
    const connection = await instance.connect();
    const database = new Database(instance, connection, file, spill);
    if (key !== null) openPaths.add(key);
    try {
      await database.run("SET TimeZone = 'UTC'");
      // After deletes DuckDB misjudges row counts and takes a loop join for as-of joins, which needs the memory of the product.
      await database.run('SET asof_loop_join_threshold = 0');
      if (mode === 'write') {
        await database.prepareSchema();
        database.views = database.prepareViews();
        database.views.catch(() => {}); // `viewsReady` tells
        if (options.viewsLater !== true) await database.viewsReady();
      } else {
        await database.checkVersion();
        await database.checkViews();
        // A user's SQL must not loosen what the options above forbid.
        await database.run('SET lock_configuration = true');
      }
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  }

  /** Resolves when the views are there; rejects if they cannot be made. */
  async viewsReady(): Promise<void> {
    await this.views;
  }

  /** Runs one or more statements for their effect. Values bind to $1, $2 … */
  async run(sql: string, values: DuckDBValue[] = []): Promise<void> {
    await this.connection.run(sql, values);
  }

  /** All rows of a query as plain objects. For results known to be small; large ones are streamed by `query.ts`. */
  async all<T = Row>(sql: string, values: Values = []): Promise<T[]> {
    const reader = await this.connection.runAndReadAll(sql, values);
    return reader.getRowObjects().map((row) => plain(row) as T);
  }

  /** A statement's result in batches; nothing is kept in memory. */
  async stream(
    sql: string,
    values?: Values,
  ): Promise<{ columns: { name: string; type: string }[]; rows: AsyncGenerator<SqlValue[][]> }> {
    const result = await this.connection.stream(sql, values);
    const columns = result.columnNames().map((name, index) => ({ name, type: result.columnType(index).toString() }));
    return { columns, rows: batches(result) };
  }

  /** Names of a statement's parameters; `1`, `2` … for those without a name. */
  async parameterNames(sql: string): Promise<string[]> {
    const statement = await this.connection.prepare(sql);
    try {
      return Array.from({ length: statement.parameterCount }, (_, index) => statement.parameterName(index + 1));
    } finally {
      statement.destroySync();
    }
  }

  /** Creates a table from a result that another database streams. Times arrive as ISO text and become TIMESTAMP again. */
  async copyIn(
    table: string,
    columns: readonly { name: string; type: string }[],
    rows: AsyncIterable<readonly (readonly SqlValue[])[]>,
  ): Promise<void> {
    const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
    const staged = columns.map(
      (column, index) => `${quote(`c${index}`)} ${SCALARS.has(column.type) ? column.type : 'VARCHAR'}`,
    );
    await this.run(`CREATE TABLE staged (${staged.join(', ')})`);
    const appender = await this.appender('staged');
    for await (const batch of rows) {
      for (let from = 0; from < batch.length; from += CHUNK_ROWS) {
        const part = batch.slice(from, from + CHUNK_ROWS);
        appender.append(columns.map((column, index) => part.map((row) => cell(row[index] ?? null, column.type))));
      }
    }
    appender.close();
    const selected = columns.map(
      (column, index) =>
        `${column.type.startsWith('TIMESTAMP') ? `CAST(c${index} AS TIMESTAMP)` : quote(`c${index}`)} AS ${quote(column.name)}`,
    );
    await this.run(`CREATE TABLE ${quote(table)} AS SELECT ${selected.join(', ')} FROM staged`);
  }

  /** Work that is committed as a whole or not at all. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.run('BEGIN');
    try {
      const result = await work();
      await this.run('COMMIT');
      return result;
    } catch (error) {
      await this.run('ROLLBACK').catch(() => {});
      throw error;
    }
  }

  async appender(table: string, catalog?: 'temp'): Promise<TableAppender> {
    return new TableAppender(await this.connection.createAppender(table, undefined, catalog));
  }

  /** Shares the process's memory with what else an ingest does. A database in memory needs its own. */
  async shareMemory(phase: keyof typeof MEMORY_OF_INGEST): Promise<void> {
    if (this.path === ':memory:') return;
    await this.run(`SET memory_limit = '${MEMORY_OF_INGEST[phase]}'`);
    // While rows are appended, a second thread of DuckDB's would make this one spin.
    await this.run(`SET threads = ${phase === 'parsing' ? 1 : THREADS}`);
  }

  async chunkAppender(table: string): Promise<ChunkAppender> {
    return new ChunkAppender(await this.connection.createAppender(table));
  }

  /** Stops the running query; its promise rejects. */
  interrupt(): void {
    this.connection.interrupt();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.closeSync();
    this.instance.closeSync();
    if (this.path === ':memory:') rmSync(this.spill, { recursive: true, force: true });
    else openPaths.delete(canonical(this.path));
  }

  private async prepareSchema(): Promise<void> {
    // A file without any table is a new one, or what a kill before the first commit left.
    const tables = await this.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM duckdb_tables()');
    if ((tables[0]?.n ?? 0) > 0) await this.checkVersion();
    await this.transaction(async () => {
      await this.run(readSql('schema.sql'));
      await this.run('INSERT INTO schema_info SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM schema_info)', [
        SCHEMA_VERSION,
        'bridgetrace',
      ]);
    });
  }

  /** DuckDB works out every view's columns anew, and those of the views below it: a quarter of a second for all. */
  private async prepareViews(): Promise<void> {
    const connection = await this.instance.connect();
    try {
      await connection.run('BEGIN');
      for (const { sql } of sqlFiles('views')) await connection.run(sql);
      await connection.run('COMMIT');
    } finally {
      connection.closeSync();
    }
  }

  private async checkViews(): Promise<void> {
    await this.run('SELECT 1 FROM records LIMIT 0').catch(() => {
      throw new DatabaseError('database-unfinished', `${this.path} was left by an ingest that was ended as it began.`, {
        hint: 'Run the same bridgetrace ingest again.',
        details: { path: this.path },
      });
    });
  }

  private async checkVersion(): Promise<void> {
    const rows = await this.all<{ version: number }>('SELECT version FROM schema_info').catch(() => []);
    const version = rows[0]?.version;
    if (version === undefined) {
      throw new DatabaseError('not-a-database', `${this.path} is a DuckDB file, but not one of bridgetrace.`, {
        hint: 'Name another file with --db FILE.',
        details: { path: this.path },
      });
    }
    if (version > SCHEMA_VERSION) {
      throw new DatabaseError(
        'database-newer',
        `${this.path} was written by a newer bridgetrace (schema ${version}, this one reads ${SCHEMA_VERSION}).`,
        {
          hint: 'Upgrade bridgetrace, or ingest the logs again into another file with --db FILE.',
          details: { path: this.path, version, supported: SCHEMA_VERSION },
        },
      );
    }
    if (version < SCHEMA_VERSION) {
      throw new DatabaseError(
        'database-older',
        `${this.path} was written by an older bridgetrace (schema ${version}, this one needs ${SCHEMA_VERSION}).`,
        {
          hint: 'Ingest the logs again into another file with --db FILE.',
          details: { path: this.path, version, supported: SCHEMA_VERSION },
        },
      );
    }
  }
}

/** Appends rows by chunks. `columns` are the chunk's columns in table order; all have the same length ≤ CHUNK_ROWS. */
export class TableAppender {
  static readonly chunkRows = CHUNK_ROWS;
  private readonly appender: DuckDBAppender;
  private readonly types: DuckDBType[];

  constructor(appender: DuckDBAppender) {
    this.appender = appender;
    this.types = Array.from({ length: appender.columnCount }, (_, index) => appender.columnType(index));
  }

  append(columns: readonly (readonly DuckDBValue[])[]): void {
    const chunk = DuckDBDataChunk.create(this.types);
    chunk.setColumns(columns);
    this.appender.appendDataChunk(chunk);
  }

  /** Must be called before the COMMIT of the transaction that the rows belong to. */
  close(): void {
    this.appender.flushSync();
    this.appender.closeSync();
  }
}

/** A stamp in µs as the driver's TIMESTAMP. */
export function timestamp(micros: number | null): Driver.DuckDBTimestampValue | null {
  return micros === null ? null : new DuckDBTimestampValue(BigInt(micros));
}

/** Types that pass from one database to another as they are; the rest go as text. */
const SCALARS = new Set(['BOOLEAN', 'INTEGER', 'BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE', 'VARCHAR']);

function cell(value: SqlValue, type: string): DuckDBValue {
  if (value === null) return null;
  if (['BIGINT', 'UBIGINT', 'HUGEINT'].includes(type)) return BigInt(value as number | bigint);
  if (SCALARS.has(type)) return value as DuckDBValue;
  return typeof value === 'object'
    ? JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member))
    : String(value);
}

async function* batches(result: DuckDBResult): AsyncGenerator<SqlValue[][]> {
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    yield chunk.getRows().map((row) => row.map(printable));
  }
}

async function openInstance(
  file: string,
  mode: Mode,
  inMemory: boolean,
  spill: string,
): Promise<Driver.DuckDBInstance> {
  const options: Record<string, string> = {
    memory_limit: MEMORY_LIMIT,
    threads: THREADS,
    storage_compatibility_version: STORAGE_VERSION,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    temp_directory: spill,
    // A commit leaves its last row group part full. Merging them would write the whole database a second time when it is closed,
    // half as large again on disk and beyond the memory limit; what it saves in reading cannot be measured.
    max_vacuum_tasks: '0',
  };
  if (mode === 'read' && !inMemory) {
    options.access_mode = 'READ_ONLY';
    options.enable_external_access = 'false';
  }
  try {
    return await DuckDBInstance.create(file, options);
  } catch (error) {
    throw openError(file, error);
  }
}

function openError(file: string, error: unknown): DatabaseError {
  const reason = error instanceof Error ? error.message : String(error);
  const details = { path: file };
  if (reason.includes('Could not set lock')) {
    const holder = /PID (\d+)/.exec(reason)?.[1];
    return new DatabaseError(
      'database-locked',
      `${file} is in use by another process${holder ? ` (process id ${holder})` : ''}.`,
      {
        hint: 'Wait until it has finished, or work on a copy with --db FILE.',
        details: { ...details, process_id: holder ? Number(holder) : null },
      },
    );
  }
  if (reason.includes('not a valid DuckDB database') || reason.includes('magic bytes')) {
    return new DatabaseError('not-a-database', `${file} is not a DuckDB database.`, {
      hint: 'Name another file with --db FILE.',
      details,
    });
  }
  if (/version number|newer version|storage version/i.test(reason)) {
    return new DatabaseError(
      'database-newer',
      `${file} was written by a newer DuckDB than the one in this bridgetrace.`,
      {
        hint: 'Upgrade bridgetrace, or ingest the logs again into another file with --db FILE.',
        details,
      },
    );
  }
  return new DatabaseError('database-unusable', `${file} cannot be opened: ${firstLine(reason)}`, {
    hint: 'Check the path and its permissions, or name another file with --db FILE.',
    details,
  });
}

function canonical(file: string): string {
  return existsSync(file) ? realpathSync(file) : path.resolve(file);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

/** As `plain`, but times as ISO 8601 text: what a user sees. */
function printable(value: unknown): SqlValue {
  if (value instanceof DuckDBTimestampValue) return isoTime(Number(value.micros));
  return plain(value);
}

/** Driver values to plain ones: small bigints to numbers, timestamps to µs, lists and structs by member. */
function plain(value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint')
    return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
  if (typeof value !== 'object') return value as SqlValue;
  if (value instanceof DuckDBTimestampValue) return Number(value.micros);
  if (Array.isArray(value)) return value.map(plain);
  if ('items' in value && Array.isArray(value.items)) return value.items.map(plain);
  if ('entries' in value && typeof value.entries === 'object' && value.entries !== null) return plain(value.entries);
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  }
  return String(value);
}
