/** Rows into the database: batches of packed records, unparsed lines, and the definitions that they refer to. */
import type { DuckDBValue } from '@duckdb/node-api';
import type { LogRecord, SlottedRecord, UnparsedLine } from '../../parsers/index.ts';
import type { ChunkAppender } from '../chunk-appender.ts';
import { type Database, TableAppender } from '../database.ts';
import { DatabaseError } from '../errors.ts';
import type { Definitions } from './dictionary.ts';
import { Packer } from './packer.ts';
import { addToLineNumbers, emptyBatch, newBatch, type RecordBatch } from './record-batch.ts';

export class RecordWriter {
  private readonly database: Database;
  /** Packs what is written on this thread. */
  readonly packer: Packer;
  private source: bigint | null = null;
  private unparsed: DuckDBValue[][] = [];
  private recordAppender: ChunkAppender | null = null;
  private unparsedAppender: TableAppender | null = null;
  private definitions: Definitions[] = [];

  constructor(database: Database) {
    this.database = database;
    this.packer = new Packer(newBatch(), (batch) => {
      this.batch(batch, 0);
      return emptyBatch(batch);
    });
  }

  /** Opens the appenders; call once, and again after every `flush`. */
  async begin(): Promise<void> {
    this.recordAppender = await this.database.chunkAppender('packed_records');
    this.unparsedAppender = await this.database.appender('unparsed');
  }

  record(sourceId: bigint, record: LogRecord): void {
    this.packerOf(sourceId).record(record);
  }

  slotted(sourceId: bigint, record: SlottedRecord): void {
    this.packerOf(sourceId).slotted(record);
  }

  /** Rows packed here or elsewhere; `linesBefore` lines stand before the first that they count from. */
  batch(batch: RecordBatch, linesBefore: number): void {
    if (linesBefore !== 0) addToLineNumbers(batch, linesBefore);
    this.recordAppender?.append(batch);
  }

  define(definitions: Definitions): void {
    this.definitions.push(definitions);
  }

  unparsedLine(sourceId: bigint, line: UnparsedLine): void {
    this.unparsed.push([sourceId, line.lineNo, BigInt(line.byteOffset), line.byteLength, line.reason, line.text]);
    if (this.unparsed.length === TableAppender.chunkRows) this.appendUnparsed();
  }

  /** Hands all rows to DuckDB; what follows is the COMMIT of the caller's transaction. */
  async flush(): Promise<void> {
    this.packer.handOver();
    this.appendUnparsed();
    this.recordAppender?.close();
    this.unparsedAppender?.close();
    this.recordAppender = null;
    this.unparsedAppender = null;
    this.definitions.push(this.packer.dictionary.take());
    const { definitions } = this;
    this.definitions = [];
    await writeDefinitions(this.database, definitions);
  }

  /** Forgets what was not flushed (the caller rolls back). */
  abandon(): void {
    this.packer.clear();
    this.unparsed = [];
    this.definitions = [];
    this.recordAppender?.close();
    this.unparsedAppender?.close();
    this.recordAppender = null;
    this.unparsedAppender = null;
  }

  private packerOf(sourceId: bigint): Packer {
    if (this.source !== sourceId) this.packer.setSource(sourceId);
    this.source = sourceId;
    return this.packer;
  }

  private appendUnparsed(): void {
    if (this.unparsed.length > 0) this.unparsedAppender?.append(columnsOf(this.unparsed));
    this.unparsed = [];
  }
}

interface Dimension {
  readonly table: 'shapes' | 'contexts' | 'strings';
  readonly key: string;
  /** Type of each column behind the key, in table order; lists are staged as JSON text. */
  readonly columns: { readonly [name: string]: string };
}

const DIMENSIONS: readonly Dimension[] = [
  {
    table: 'shapes',
    key: 'shape_id',
    columns: {
      severity: 'VARCHAR',
      file: 'VARCHAR',
      line: 'INTEGER',
      func: 'VARCHAR',
      tag: 'VARCHAR',
      event: 'VARCHAR',
      ts_precision_us: 'INTEGER',
      flags: 'UTINYINT',
      continuations: 'INTEGER',
      packet: 'VARCHAR',
      qos: 'INTEGER',
      reason: 'VARCHAR',
      time_format: 'VARCHAR',
      time_shift_us: 'BIGINT',
      head: 'VARCHAR',
      body_parts: 'VARCHAR[]',
      body_slots: 'UTINYINT[]',
      attribute_parts: 'VARCHAR[]',
      attribute_slots: 'UTINYINT[]',
      separator: 'VARCHAR',
    },
  },
  {
    table: 'contexts',
    key: 'context_id',
    columns: { thread: 'VARCHAR', client_id: 'VARCHAR', bridge_id: 'VARCHAR', peer: 'VARCHAR', envelope: 'VARCHAR' },
  },
  { table: 'strings', key: 'string_id', columns: { text: 'VARCHAR' } },
];

/** Adds the definitions that the database does not have. Two contents under one id are refused: a record would be misread. */
async function writeDefinitions(database: Database, definitions: readonly Definitions[]): Promise<void> {
  for (const { table, key, columns } of DIMENSIONS) {
    const names = Object.keys(columns);
    const rows: DuckDBValue[][] = [];
    for (const part of definitions) {
      for (const [id, content] of part[table]) {
        const row = (table === 'strings' ? { text: content } : content) as { readonly [name: string]: unknown };
        rows.push([id, ...names.map((name) => staged(row[name], columns[name]!))]);
      }
    }
    if (rows.length === 0) continue;
    await database.run(
      `CREATE OR REPLACE TEMP TABLE staged_definitions (id UBIGINT, ${names.map((name) => `${name} ${stagedType(columns[name]!)}`).join(', ')})`,
    );
    const appender = await database.appender('staged_definitions', 'temp');
    for (let from = 0; from < rows.length; from += TableAppender.chunkRows) {
      appender.append(columnsOf(rows.slice(from, from + TableAppender.chunkRows)));
    }
    appender.close();
    const values = names.map((name) =>
      columns[name]!.endsWith('[]') ? `CAST(CAST(${name} AS JSON) AS ${columns[name]}) AS ${name}` : name,
    );
    await database.run(
      `INSERT INTO ${table} SELECT DISTINCT id, ${values.join(', ')} FROM staged_definitions ANTI JOIN ${table} ON ${key} = id`,
    );
    const [clash] = await database.all<{ id: string }>(
      `SELECT id::VARCHAR AS id FROM (SELECT DISTINCT id, ${values.join(', ')} FROM staged_definitions) n JOIN ${table} t ON t.${key} = n.id
       WHERE ${names.map((name) => `n.${name} IS DISTINCT FROM t.${name}`).join(' OR ')} LIMIT 1`,
    );
    if (clash !== undefined) {
      throw new DatabaseError(
        'hash-collision',
        `Two different entries of ${table} have the same 64-bit id ${clash.id}.`,
        {
          hint: 'Ingest the logs into two databases, one part in each.',
          details: { table, id: clash.id },
        },
      );
    }
  }
}

function staged(value: unknown, type: string): DuckDBValue {
  if (value === null || value === undefined) return null;
  if (type.endsWith('[]')) return JSON.stringify(value);
  return type === 'BIGINT' ? BigInt(value as number) : (value as DuckDBValue);
}

function stagedType(type: string): string {
  return type.endsWith('[]') ? 'VARCHAR' : type;
}

function columnsOf(rows: readonly DuckDBValue[][]): DuckDBValue[][] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column] ?? null));
}
