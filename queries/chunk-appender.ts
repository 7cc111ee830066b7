/**
 * Batches of packed records into DuckDB without a value object per cell: whole columns are copied into the vectors of a data chunk.
 *
 * The layout of vectors, validity masks and strings is that of DuckDB's C interface (duckdb.h: duckdb_vector_get_data,
 * duckdb_validity_…, duckdb_string_t). Only this module and database.ts know it; test/queries/packed-records.test.ts reads back all.
 */
import type { DuckDBAppender } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import {
  ARGS_AT,
  ARGS_VALIDITY_AT,
  COLUMNS,
  INLINE_CHARS,
  placeOf,
  type RecordBatch,
  STRING_BYTES,
  TEXT_COLUMNS,
} from './ingest/record-batch.ts';

export class ChunkAppender {
  private readonly appender: DuckDBAppender;
  private readonly chunk: duckdb.DataChunk;

  constructor(appender: DuckDBAppender) {
    this.appender = appender;
    const types = Array.from({ length: appender.columnCount }, (_, index) => appender.columnType(index));
    if (types.length !== COLUMNS.length + TEXT_COLUMNS.length)
      throw new Error('the table has other columns than a batch');
    this.chunk = duckdb.create_data_chunk(types.map((type) => type.toLogicalType().logical_type));
  }

  append(batch: RecordBatch): void {
    const { chunk } = this;
    const { rows, buffer } = batch;
    duckdb.data_chunk_reset(chunk);
    duckdb.data_chunk_set_size(chunk, rows);
    const validityBytes = Math.ceil(rows / 64) * 8;
    COLUMNS.forEach(({ name, width }, index) => {
      const { at, validityAt } = placeOf(name);
      const vector = duckdb.data_chunk_get_vector(chunk, index);
      duckdb.copy_data_to_vector(vector, 0, buffer, at, rows * width);
      if (validityAt === null) return;
      duckdb.vector_ensure_validity_writable(vector);
      duckdb.copy_data_to_vector_validity(vector, 0, buffer, validityAt, validityBytes);
    });
    this.appendArgs(batch, duckdb.data_chunk_get_vector(chunk, COLUMNS.length), validityBytes);
    this.appendWhole(batch, validityBytes);
    this.appender.appendDataChunk({ chunk } as unknown as Parameters<DuckDBAppender['appendDataChunk']>[0]);
  }

  /** Must be called before the COMMIT of the transaction that the rows belong to. */
  close(): void {
    this.appender.flushSync();
    this.appender.closeSync();
  }

  private appendArgs(batch: RecordBatch, vector: duckdb.Vector, validityBytes: number): void {
    const { rows, buffer, arena } = batch;
    const words = new Int32Array(buffer, ARGS_AT, rows * (STRING_BYTES / 4));
    const long: number[] = [];
    for (let row = 0; row < rows; row++) {
      if (words[4 * row]! <= INLINE_CHARS) continue;
      long.push(row, words[4 * row + 1]!, words[4 * row]!);
      // An empty string until the text is assigned: the vector must never hold half a pointer.
      words[4 * row] = 0;
      words[4 * row + 1] = 0;
    }
    duckdb.copy_data_to_vector(vector, 0, buffer, ARGS_AT, rows * STRING_BYTES);
    for (let i = 0; i < long.length; i += 3) {
      duckdb.vector_assign_string_element_len(vector, long[i]!, new Uint8Array(arena, long[i + 1]!, long[i + 2]!));
    }
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, buffer, ARGS_VALIDITY_AT, validityBytes);
  }

  private appendWhole(batch: RecordBatch, validityBytes: number): void {
    const { chunk } = this;
    for (let at = 1; at < TEXT_COLUMNS.length; at++) {
      const name = TEXT_COLUMNS[at] as 'head' | 'body' | 'attributes';
      const vector = duckdb.data_chunk_get_vector(chunk, COLUMNS.length + at);
      const validity = new Uint8Array(validityBytes);
      for (const whole of batch.whole) {
        const text = whole[name];
        if (text === null) continue;
        validity[whole.row >> 3]! |= 1 << (whole.row & 7);
        duckdb.vector_assign_string_element(vector, whole.row, text);
      }
      duckdb.vector_ensure_validity_writable(vector);
      duckdb.copy_data_to_vector_validity(vector, 0, validity.buffer, 0, validityBytes);
    }
  }
}
