/**
 * A query's result as text in the format asked for, row by row: memory does not grow with the result.
 */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Colours } from './colour.ts';
import { escapeControls } from './escape.ts';
import { jsonText, plainValue } from './json.ts';
import { rowBlock, TableLayout } from './table.ts';

export const FORMATS = ['table', 'json', 'ndjson', 'csv', 'markdown'] as const;
export type Format = (typeof FORMATS)[number];

export interface Column {
  readonly name: string;
  readonly type: string; // SQL type, `BIGINT`, `VARCHAR`, `JSON`, `DECIMAL(18,3)` …
}

type Row = readonly unknown[];
export type Rows = readonly Row[] | AsyncIterable<readonly Row[]>;

export interface Result {
  readonly columns: readonly Column[];
  readonly rows: Rows; // all at once, or a stream of chunks
}

export interface FormatOptions {
  readonly width?: number | null; // of a table: columns to fit into; null or absent: as wide as it gets
  readonly colours?: Colours; // of a table
}

export interface WriteOptions extends FormatOptions {
  readonly signal?: AbortSignal;
}

/** Rows that a table takes its column widths from. */
const TABLE_SAMPLE_ROWS = 500;
/** Characters gathered before they are written. */
const WRITE_CHARS = 65_536;
const NULL_CELL = '-';

/**
 * Writes a result and waits where the reader is slow.
 * @returns number of rows written
 * @throws the stream's error; the reason of `signal`
 */
export async function writeResult(
  result: Result,
  format: Format,
  out: NodeJS.WritableStream,
  options: WriteOptions = {},
): Promise<number> {
  let rows = 0;
  const counted = countRows(result.rows, (count) => {
    rows += count;
    options.signal?.throwIfAborted();
  });
  let text = '';
  const flush = async () => {
    if (!out.write(text)) await once(out, 'drain', { signal: options.signal });
    else await nextTurn(); // lets a Ctrl-C through, however fast the rows come
    text = '';
  };
  for await (const piece of formatResult({ columns: result.columns, rows: counted }, format, options)) {
    text += piece;
    if (text.length >= WRITE_CHARS) await flush();
  }
  if (text !== '') await flush();
  return rows;
}

async function* countRows(rows: Rows, count: (rows: number) => void): AsyncGenerator<readonly Row[]> {
  for await (const chunk of chunksOf(rows)) {
    count(chunk.length);
    yield chunk;
  }
}

async function* chunksOf(rows: Rows): AsyncGenerator<readonly Row[]> {
  if (Symbol.asyncIterator in rows) yield* rows;
  else yield rows;
}

/** The result as pieces of text; together they are the whole output, with a line end after the last line. */
export function formatResult(result: Result, format: Format, options: FormatOptions = {}): AsyncGenerator<string> {
  return WRITERS[format](result, options);
}

const WRITERS: { readonly [F in Format]: (result: Result, options: FormatOptions) => AsyncGenerator<string> } = {
  table: tableText,
  json: jsonArray,
  ndjson: jsonLines,
  csv: csvText,
  markdown: markdownText,
};

/** Where the columns do not fit, each row becomes a block of lines. */
async function* tableText({ columns, rows }: Result, options: FormatOptions): AsyncGenerator<string> {
  const width = options.width ?? null;
  const isTime = columns.map((column) => column.type.startsWith('TIMESTAMP'));
  const heads = columns.map((column, index) => ({
    name: column.name,
    align: isNumeric(column.type) ? ('right' as const) : ('left' as const),
    whole: isTime[index]!,
  }));
  const shown = (row: Row) =>
    columns.map((_, index) => {
      const text = displayText(row[index]);
      return width !== null && isTime[index] ? shortTime(text) : text;
    });
  let layout: TableLayout | null = null;
  let number = 0;
  const lines = (layout: TableLayout, cells: readonly (readonly string[])[]) =>
    cells
      .flatMap((row) => {
        number += 1;
        return width !== null && layout.width > width ? rowBlock(heads, row, number, width) : [layout.row(row)];
      })
      .map((line) => `${line}\n`)
      .join('');
  const begin = (sample: readonly (readonly string[])[]) => {
    const layout = new TableLayout(heads, sample, { ...options, width });
    const isBlocks = width !== null && layout.width > width && sample.length > 0;
    return { layout, text: isBlocks ? '' : `${layout.header().join('\n')}\n` };
  };
  let sample: string[][] = [];
  for await (const chunk of chunksOf(rows)) {
    const cells = chunk.map(shown);
    if (layout) {
      yield lines(layout, cells);
      continue;
    }
    sample = sample.concat(cells);
    if (sample.length < TABLE_SAMPLE_ROWS) continue;
    const begun = begin(sample.slice(0, TABLE_SAMPLE_ROWS));
    layout = begun.layout;
    yield begun.text + lines(layout, sample);
  }
  if (layout) return;
  const begun = begin(sample);
  yield begun.text + lines(begun.layout, sample);
}

/** A terminal has little room: milliseconds, and no zone, for all times are UTC. */
function shortTime(text: string): string {
  return text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{3})\d*)?\+00:00$/, (_, date, time, ms = '000') =>
    ms === '000' ? `${date} ${time}` : `${date} ${time}.${ms}`,
  );
}

async function* jsonArray({ columns, rows }: Result): AsyncGenerator<string> {
  const object = objectWriter(columns);
  let first = true;
  for await (const chunk of chunksOf(rows)) {
    let text = '';
    for (const row of chunk) {
      text += `${first ? '[\n' : ',\n'}  ${object(row)}`;
      first = false;
    }
    yield text;
  }
  yield first ? '[]\n' : '\n]\n';
}

async function* jsonLines({ columns, rows }: Result): AsyncGenerator<string> {
  const object = objectWriter(columns);
  for await (const chunk of chunksOf(rows)) yield chunk.map((row) => `${object(row)}\n`).join('');
}

/** Writes rows as JSON objects on one line. Columns of the same name are told apart: `n`, `n_2`. JSON columns are embedded. */
function objectWriter(columns: readonly Column[]): (row: Row) => string {
  const used = new Set<string>();
  const keys = columns.map(({ name }) => {
    let key = name;
    for (let count = 2; used.has(key); count += 1) key = `${name}_${count}`;
    used.add(key);
    return jsonText(key);
  });
  const isJson = columns.map((column) => column.type === 'JSON');
  return (row) => {
    const members = keys.map((key, index) => `${key}:${isJson[index] ? embedded(row[index]) : jsonText(row[index])}`);
    return `{${members.join(',')}}`;
  };
}

/** A JSON column comes as text; it goes out as what it says. */
function embedded(value: unknown): string {
  if (typeof value !== 'string') return jsonText(value);
  try {
    return jsonText(JSON.parse(value));
  } catch {
    return jsonText(value);
  }
}

/** RFC 4180: lines end in CRLF, quotes are doubled. NULL is an empty field, an empty text is `""`. */
async function* csvText({ columns, rows }: Result): AsyncGenerator<string> {
  const line = (cells: readonly unknown[]) => `${cells.map(csvField).join(',')}\r\n`;
  yield line(columns.map((column) => column.name));
  for await (const chunk of chunksOf(rows)) {
    yield chunk.map((row) => line(columns.map((_, index) => row[index]))).join('');
  }
}

function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = valueText(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function* markdownText({ columns, rows }: Result): AsyncGenerator<string> {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  yield line(columns.map((column) => markdownCell(column.name)));
  yield line(columns.map((column) => (isNumeric(column.type) ? '---:' : '---')));
  for await (const chunk of chunksOf(rows)) {
    yield chunk.map((row) => line(columns.map((_, index) => markdownCell(row[index])))).join('');
  }
}

const MARKDOWN_ESCAPES: { readonly [char: string]: string } = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '\n': '<br>' };

function markdownCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = valueText(value).replaceAll('\r\n', '\n');
  const escaped = text.replace(/[\\|`*[\]<>&\n]/g, (char) => MARKDOWN_ESCAPES[char] ?? `\\${char}`);
  return escapeControls(escaped);
}

function displayText(value: unknown): string {
  return value === null || value === undefined ? NULL_CELL : valueText(value);
}

/** One value as text: lists, structs and maps as JSON, everything else as it reads. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  const plain = plainValue(value);
  return typeof plain === 'string' ? plain : jsonText(plain);
}

/** Whether values of an SQL type are numbers: aligned right. */
export function isNumeric(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|INT|FLOAT|REAL|DOUBLE|DECIMAL(\(.*\))?|NUMERIC(\(.*\))?)$/i.test(type);
}
