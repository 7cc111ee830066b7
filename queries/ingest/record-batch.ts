/**
 * Records as columns of bytes, laid out as DuckDB wants them, so that rows cost tens of nanoseconds and can move between threads.
 *
 * What repeats is stored once: the shape of a line (`shapes`), who it is about (`contexts`) and topics (`strings`). A row holds
 * their ids, its numbers, and the texts of its other slots joined in `args`. What a row does not set is null. The view `records` (views/05-records.sql) puts a row together again.
 */

/** Rows a batch holds: DuckDB's vector size. */
export const BATCH_ROWS = 2048;

export type ColumnName =
  | 'source_id'
  | 'byte_offset'
  | 'ts'
  | 'shape_id'
  | 'context_id'
  | 'topic_id'
  | 'packet_id'
  | 'stream_id'
  | 'bytes'
  | 'count'
  | 'ctx_id'
  | 'collector_ts'
  | 'line_no'
  | 'byte_length';

interface Column {
  readonly name: ColumnName;
  readonly width: 8 | 4;
  readonly nullable: boolean;
}

/** In the order of the table `packed_records`; behind them comes the text column `args`. */
export const COLUMNS: readonly Column[] = [
  { name: 'source_id', width: 8, nullable: false },
  { name: 'byte_offset', width: 8, nullable: false },
  { name: 'ts', width: 8, nullable: true },
  { name: 'shape_id', width: 8, nullable: false },
  { name: 'context_id', width: 8, nullable: false },
  { name: 'topic_id', width: 8, nullable: true },
  { name: 'packet_id', width: 8, nullable: true },
  { name: 'stream_id', width: 8, nullable: true },
  { name: 'bytes', width: 8, nullable: true },
  { name: 'count', width: 8, nullable: true },
  { name: 'ctx_id', width: 8, nullable: true },
  { name: 'collector_ts', width: 8, nullable: true },
  { name: 'line_no', width: 4, nullable: false },
  { name: 'byte_length', width: 4, nullable: false },
];

const VALIDITY_BYTES = BATCH_ROWS / 8;
/** DuckDB's string: length, then up to 12 characters in place. */
export const STRING_BYTES = 16;
export const INLINE_CHARS = 12;

export interface ColumnPlace {
  readonly at: number; // of the values in the buffer
  readonly width: 8 | 4;
  readonly validityAt: number | null;
}

const places = new Map<ColumnName, ColumnPlace>();
let size = 0;
for (const { name, width, nullable } of COLUMNS) {
  const at = size;
  size += width * BATCH_ROWS;
  const validityAt = nullable ? size : null;
  if (nullable) size += VALIDITY_BYTES;
  places.set(name, { at, width, validityAt });
}
export const ARGS_AT = size;
size += STRING_BYTES * BATCH_ROWS;
export const ARGS_VALIDITY_AT = size;
size += VALIDITY_BYTES;
const BUFFER_BYTES = size;

export function placeOf(name: ColumnName): ColumnPlace {
  return places.get(name)!;
}

export interface RecordBatch {
  rows: number;
  readonly buffer: ArrayBuffer;
  /** Args of more than INLINE_CHARS bytes; their rows hold the length and the offset into this. */
  arena: ArrayBuffer;
  arenaUsed: number; // bytes
}

const ARENA_BYTES = 256 * 1024;

/** Fills one batch after another; `onFull` gets each full one and gives back a batch to fill (the same, emptied, or a new one). */
export class BatchFiller {
  private readonly onFull: (batch: RecordBatch) => RecordBatch;
  private batch: RecordBatch;
  private bytes: Uint8Array;
  private words: Int32Array;
  private arena: Uint8Array;
  private arenaUsed = 0;
  /** Row being written. */
  row = 0;

  constructor(first: RecordBatch, onFull: (batch: RecordBatch) => RecordBatch) {
    this.onFull = onFull;
    this.batch = first;
    this.bytes = new Uint8Array(first.buffer);
    this.words = new Int32Array(first.buffer);
    this.arena = new Uint8Array(first.arena);
  }

  /** Ends the row; a full batch is handed over. */
  endRow(): void {
    this.row += 1;
    if (this.row === BATCH_ROWS) this.handOver();
  }

  /** Hands over what there is. */
  handOver(): void {
    if (this.row === 0) return;
    this.batch.rows = this.row;
    this.batch.arenaUsed = this.arenaUsed;
    const next = this.onFull(this.batch);
    this.batch = next;
    this.bytes = new Uint8Array(next.buffer);
    this.words = new Int32Array(next.buffer);
    this.arena = new Uint8Array(next.arena);
    this.arenaUsed = 0;
    this.row = 0;
  }

  /** Forgets the rows not handed over. */
  clear(): void {
    emptyBatch(this.batch);
    this.arenaUsed = 0;
    this.row = 0;
  }

  /** A whole number of up to 53 bits in an 8-byte column. */
  setLong(place: ColumnPlace, value: number): void {
    const at = (place.at >> 2) + 2 * this.row;
    this.words[at] = value | 0;
    this.words[at + 1] = value >= 0 && value < 4_294_967_296 ? 0 : Math.floor(value / 4_294_967_296);
    this.setValid(place);
  }

  setId(place: ColumnPlace, id: Id): void {
    const at = (place.at >> 2) + 2 * this.row;
    this.words[at] = id.low;
    this.words[at + 1] = id.high;
    this.setValid(place);
  }

  setInt(place: ColumnPlace, value: number): void {
    this.words[(place.at >> 2) + this.row] = value;
  }

  private setValid(place: ColumnPlace): void {
    if (place.validityAt !== null) this.bytes[place.validityAt + (this.row >> 3)]! |= 1 << (this.row & 7);
  }

  /** Starts the row's args of `length` bytes of UTF-8; `argBytes` and `argChar` write them. */
  private argsAt = 0;
  private argsTo: Uint8Array = new Uint8Array(0);

  beginArgs(length: number): void {
    const at = ARGS_AT + STRING_BYTES * this.row;
    const word = at >> 2;
    this.bytes[ARGS_VALIDITY_AT + (this.row >> 3)]! |= 1 << (this.row & 7);
    this.words[word] = length;
    this.words[word + 1] = 0;
    this.words[word + 2] = 0;
    this.words[word + 3] = 0;
    if (length <= INLINE_CHARS) {
      this.argsTo = this.bytes;
      this.argsAt = at + 4;
      return;
    }
    this.room(length);
    this.words[word + 1] = this.arenaUsed;
    this.argsTo = this.arena;
    this.argsAt = this.arenaUsed;
    this.arenaUsed += length;
  }

  argBytes(bytes: Uint8Array, from: number, to: number): void {
    const { argsTo } = this;
    let at = this.argsAt;
    for (let i = from; i < to; i++) argsTo[at++] = bytes[i]!;
    this.argsAt = at;
  }

  argChar(code: number): void {
    this.argsTo[this.argsAt++] = code;
  }

  /** A null string must hold no pointer either. */
  noArgs(): void {
    this.words[(ARGS_AT + STRING_BYTES * this.row) >> 2] = 0;
  }

  private room(length: number): void {
    if (this.arenaUsed + length <= this.arena.length) return;
    const larger = new Uint8Array(Math.max(2 * this.arena.length, this.arenaUsed + length));
    larger.set(this.arena.subarray(0, this.arenaUsed));
    this.arena = larger;
    this.batch.arena = larger.buffer;
  }
}

export interface Id {
  readonly low: number;
  readonly high: number;
}

export function idOf(hash: bigint): Id {
  return { low: Number(BigInt.asIntN(32, hash)), high: Number(BigInt.asIntN(32, hash >> 32n)) };
}

export function newBatch(): RecordBatch {
  return {
    rows: 0,
    buffer: new ArrayBuffer(BUFFER_BYTES),
    arena: new ArrayBuffer(ARENA_BYTES),
    arenaUsed: 0,
  };
}

/** What moves with a batch from one thread to another. */
export function buffersOf({ buffer, arena }: RecordBatch): ArrayBuffer[] {
  return [buffer, arena];
}

/** Makes a batch ready to be filled again. */
export function emptyBatch(batch: RecordBatch): RecordBatch {
  const bytes = new Uint8Array(batch.buffer);
  for (const { validityAt } of places.values()) {
    if (validityAt !== null) bytes.fill(0, validityAt, validityAt + VALIDITY_BYTES);
  }
  bytes.fill(0, ARGS_VALIDITY_AT, ARGS_VALIDITY_AT + VALIDITY_BYTES);
  batch.rows = 0;
  return batch;
}

/** Line numbers that were counted from somewhere in the file become those of the file. */
export function addToLineNumbers(batch: RecordBatch, lines: number): void {
  const numbers = new Int32Array(batch.buffer, placeOf('line_no').at, batch.rows);
  for (let row = 0; row < batch.rows; row++) numbers[row]! += lines;
}
