/** Buffers rows of `records` and `unparsed` and appends them by chunks. Memory is bounded by two chunks. */
import type { DuckDBValue } from '@duckdb/node-api';
import type { LogRecord, UnparsedLine } from '../../parsers/index.ts';
import { type Database, TableAppender, timestamp } from '../database.ts';

export class RecordWriter {
  private readonly database: Database;
  private records: DuckDBValue[][] = [];
  private unparsed: DuckDBValue[][] = [];
  private recordAppender: TableAppender | null = null;
  private unparsedAppender: TableAppender | null = null;

  constructor(database: Database) {
    this.database = database;
  }

  /** Opens the appenders; call once, and again after every `flush`. */
  async begin(): Promise<void> {
    this.recordAppender = await this.database.appender('records');
    this.unparsedAppender = await this.database.appender('unparsed');
  }

  record(sourceId: bigint, record: LogRecord): void {
    this.records.push([
      sourceId,
      record.lineNo,
      BigInt(record.byteOffset),
      record.byteLength,
      record.continuations,
      timestamp(record.ts),
      record.tsPrecisionUs,
      record.severity,
      record.thread,
      record.file,
      record.line,
      record.func,
      record.tag,
      record.clientId,
      record.bridgeId,
      null,
      record.peer,
      record.event,
      record.head,
      record.body,
      record.attributes === null ? null : JSON.stringify(record.attributes),
    ]);
    if (this.records.length === TableAppender.chunkRows) this.append();
  }

  unparsedLine(sourceId: bigint, line: UnparsedLine): void {
    this.unparsed.push([sourceId, line.lineNo, BigInt(line.byteOffset), line.byteLength, line.reason, line.text]);
    if (this.unparsed.length === TableAppender.chunkRows) this.append();
  }

  /** Hands all rows to DuckDB; what follows is the COMMIT of the caller's transaction. */
  flush(): void {
    this.append();
    this.recordAppender?.close();
    this.unparsedAppender?.close();
    this.recordAppender = null;
    this.unparsedAppender = null;
  }

  /** Forgets what was not flushed (the caller rolls back). */
  abandon(): void {
    this.records = [];
    this.unparsed = [];
    this.flush();
  }

  private append(): void {
    if (this.records.length > 0) this.recordAppender?.append(columns(this.records));
    if (this.unparsed.length > 0) this.unparsedAppender?.append(columns(this.unparsed));
    this.records = [];
    this.unparsed = [];
  }
}

function columns(rows: readonly DuckDBValue[][]): DuckDBValue[][] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column] ?? null));
}
