/** Rows as aligned text: no frame, two blanks between columns, so that a cell can be copied and a line piped on. */
import type { Colours } from './colour.ts';
import { escapeControls } from './escape.ts';
import { cut, displayWidth, pad } from './width.ts';

export interface TableColumn {
  readonly name: string;
  readonly align: 'left' | 'right';
  /** Its cells are of no use when they are cut, as times; numbers never are cut. */
  readonly whole?: boolean;
}

export interface TableOptions {
  readonly width: number | null; // columns to fit into; null: as wide as it gets
  readonly colours?: Colours;
}

const GAP = '  ';
/** Text columns are not cut below this many characters; a table with too many columns overflows instead. */
const MIN_TEXT_WIDTH = 8;

/** A table whose column widths are settled: from its header and first rows. Later rows that are wider get cut. */
export class TableLayout {
  private readonly columns: readonly TableColumn[];
  private readonly widths: readonly number[];
  private readonly fitted: boolean;
  private readonly colours: Colours | undefined;

  /**
   * @param sample rows that the widths are taken from
   */
  constructor(columns: readonly TableColumn[], sample: readonly (readonly string[])[], options: TableOptions) {
    const natural = columns.map((column, index) =>
      sample.reduce(
        (widest, row) => Math.max(widest, displayWidth(clean(row[index]))),
        displayWidth(clean(column.name)),
      ),
    );
    this.columns = columns;
    this.fitted = options.width !== null;
    this.widths = options.width === null ? natural : fitWidths(columns, natural, options.width);
    this.colours = options.colours;
  }

  /** Columns that the table takes. */
  get width(): number {
    return totalWidth(this.widths);
  }

  /** Column names and a rule below them. */
  header(): string[] {
    const names = this.row(this.columns.map((column) => column.name));
    const rule = this.widths.map((width) => '─'.repeat(width)).join(GAP);
    return [this.colours?.bold(names) ?? names, this.colours?.dim(rule) ?? rule];
  }

  /** One row as one line. */
  row(cells: readonly string[]): string {
    return this.columns
      .map((column, index) => {
        const width = this.widths[index]!;
        const text = clean(cells[index]);
        return pad(this.fitted ? cut(text, width) : text, width, column.align);
      })
      .join(GAP)
      .trimEnd();
  }
}

/** A whole table as text that ends in a line end. For results of unknown length, see `format.ts`. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string {
  const layout = new TableLayout(columns, rows, options);
  return [...layout.header(), ...rows.map((row) => layout.row(row)), ''].join('\n');
}

function clean(cell: string | undefined): string {
  return escapeControls(cell ?? '');
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

/**
 * A row as lines, a cell each: for rows that a table would cut beyond use.
 * @param number of the row, from 1
 */
export function rowBlock(
  columns: readonly TableColumn[],
  cells: readonly string[],
  number: number,
  width: number,
): string[] {
  const indent = Math.max(...columns.map(({ name }) => displayWidth(clean(name)))) + GAP.length;
  return [
    `── ${number} `.padEnd(Math.min(width, 2 * indent), '─'),
    ...columns.map(({ name }, index) => cut(pad(clean(name), indent, 'left') + clean(cells[index]), width)),
  ];
}

/** Numbers keep their width; the widest text columns give way together until the table fits. */
function fitWidths(columns: readonly TableColumn[], natural: readonly number[], available: number): number[] {
  const isWhole = ({ align, whole }: TableColumn) => align === 'right' || whole === true;
  const capped = (cap: number) =>
    natural.map((width, index) => (isWhole(columns[index]!) ? width : Math.min(width, cap)));
  let cap = Math.max(MIN_TEXT_WIDTH, ...natural);
  while (cap > MIN_TEXT_WIDTH && totalWidth(capped(cap)) > available) cap -= 1;
  const widths = capped(cap);
  // Rounding down for all leaves some columns unused: the first that wants them gets them.
  let spare = available - totalWidth(widths);
  return widths.map((width, index) => {
    const extra = Math.max(0, Math.min(spare, natural[index]! - width));
    spare -= extra;
    return width + extra;
  });
}
