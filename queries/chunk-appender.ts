/**
 * Batches of packed records into DuckDB without a value object per cell: whole columns are copied into the vectors of a data chunk.
 *
 * The layout of vectors, validity masks and strings is that of DuckDB's C interface (duckdb.h: duckdb_vector_get_data,
 * duckdb_validity_…, duckdb_string_t). Only this module and database.ts know it; test/queries/packed-records.test.ts reads back all.
 */
import type { DuckDBAppender } from '@duckdb/node-api';
import type duckdb from '@duckdb/node-bindings';
import { loadDriver } from './driver.ts';
import {
  ARGS_AT,
  ARGS_VALIDITY_AT,
  COLUMNS,
  INLINE_CHARS,
  placeOf,
  type RecordBatch,
  STRING_BYTES,
} from './ingest/record-batch.ts';

const { bindings } = loadDriver();

/** Of four bytes: the length, the first four characters, and a pointer of two words. */
const WORDS_PER_STRING = STRING_BYTES / 4;

/** The appender keeps this many before it hands them on; by itself it would keep 100, in memory that nobody counts. */
const FLUSH_CHUNKS = 16;

export class ChunkAppender {
  private readonly appender: DuckDBAppender;
  private readonly chunk: duckdb.DataChunk;
  private chunks = 0;

  constructor(appender: DuckDBAppender) {
    this.appender = appender;
    const types = Array.from({ length: appender.columnCount }, (_, index) => appender.columnType(index));
    if (types.length !== COLUMNS.length + 1) throw new Error('the table has other columns than a batch');
    this.chunk = bindings.create_data_chunk(types.map((type) => type.toLogicalType().logical_type));
  }

  append(batch: RecordBatch): void {
    const { chunk } = this;
    const { rows, buffer } = batch;
    bindings.data_chunk_reset(chunk);
    bindings.data_chunk_set_size(chunk, rows);
    const validityBytes = Math.ceil(rows / 64) * 8;
    COLUMNS.forEach(({ name, width }, index) => {
      const { at, validityAt } = placeOf(name);
      const vector = bindings.data_chunk_get_vector(chunk, index);
      bindings.copy_data_to_vector(vector, 0, buffer, at, rows * width);
      if (validityAt === null) return;
      bindings.vector_ensure_validity_writable(vector);
      bindings.copy_data_to_vector_validity(vector, 0, buffer, validityAt, validityBytes);
    });
    this.appendArgs(batch, bindings.data_chunk_get_vector(chunk, COLUMNS.length), validityBytes);
    this.appender.appendDataChunk({ chunk } as unknown as Parameters<DuckDBAppender['appendDataChunk']>[0]);
    this.chunks += 1;
    if (this.chunks % FLUSH_CHUNKS === 0) this.appender.flushSync();
  }

  /** Must be called before the COMMIT of the transaction that the rows belong to. */
  close(): void {
    this.appender.flushSync();
    this.appender.closeSync();
  }

  /**
   * Short args lie in the rows themselves. Of the long ones the rows hold pointers into one text, the whole arena, which DuckDB is
   * given once: a call for each of them would take longer than all the rest.
   */
  private appendArgs(batch: RecordBatch, vector: duckdb.Vector, validityBytes: number): void {
    const { rows, buffer, arena, arenaUsed } = batch;
    const words = new Int32Array(buffer, ARGS_AT, rows * WORDS_PER_STRING);
    if (arenaUsed > INLINE_CHARS) this.pointIntoArena(words, new Uint8Array(arena, 0, arenaUsed), vector);
    bindings.copy_data_to_vector(vector, 0, buffer, ARGS_AT, rows * STRING_BYTES);
    bindings.vector_ensure_validity_writable(vector);
    bindings.copy_data_to_vector_validity(vector, 0, buffer, ARGS_VALIDITY_AT, validityBytes);
  }

  /** The arena becomes a string of row 0, which shows where DuckDB keeps it; then the rows are written over that. */
  private pointIntoArena(words: Int32Array, text: Uint8Array, vector: duckdb.Vector): void {
    bindings.vector_assign_string_element_len(vector, 0, text);
    const [length, , low, high] = new Int32Array(bindings.vector_get_data(vector, STRING_BYTES).slice().buffer);
    if (length !== text.length) throw new Error('DuckDB did not take the args as they are'); // they are UTF-8
    for (let at = 0; at < words.length; at += WORDS_PER_STRING) {
      if (words[at]! <= INLINE_CHARS) continue;
      const from = words[at + 1]!;
      words[at + 1] = text[from]! | (text[from + 1]! << 8) | (text[from + 2]! << 16) | (text[from + 3]! << 24);
      const sum = (low! >>> 0) + from;
      words[at + 2] = sum | 0;
      words[at + 3] = sum > 0xffffffff ? high! + 1 : high!;
    }
  }
}
