/** Small pictures made of letters: the shape of a series, and who did what when. */
import { escapeControls } from './escape.ts';
import { cut, displayWidth, pad } from './width.ts';

const LEVELS = '▁▂▃▄▅▆▇█';

export interface SparklineOptions {
  readonly width?: number; // columns; more values than that are gathered, each column shows its highest
  readonly max?: number; // value of a full block; the highest value if absent
}

/**
 * @param values the series, 0 at the foot; null where there is none (shown as a blank)
 * @returns one block a value
 */
export function sparkline(values: readonly (number | null)[], options: SparklineOptions = {}): string {
  const cells = gather(values, options.width ?? values.length);
  const top = options.max ?? highest(cells) ?? 0;
  return cells
    .map((value) => {
      if (value === null || Number.isNaN(value)) return ' ';
      if (top <= 0) return LEVELS[0];
      const level = Math.ceil((value / top) * (LEVELS.length - 1));
      return LEVELS[Math.min(Math.max(level, 0), LEVELS.length - 1)];
    })
    .join('');
}

function gather(values: readonly (number | null)[], width: number): readonly (number | null)[] {
  if (values.length <= width) return values;
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * values.length) / width);
    const to = Math.floor(((column + 1) * values.length) / width);
    return highest(values.slice(from, to));
  });
}

function highest(values: readonly (number | null)[]): number | null {
  return values.reduce((top, value) => (value === null || (top !== null && top >= value) ? top : value), null);
}

/** Something at a time, or from a time `until` another. Times are of one unit, any. */
export interface Mark {
  readonly at: number;
  readonly until?: number;
  readonly char: string; // one column wide
}

export interface Lane {
  readonly label: string;
  readonly marks: readonly Mark[];
}

export interface LanePlot {
  readonly from: number;
  readonly to: number;
  readonly width: number; // columns of a whole row, label and all
  readonly lanes: readonly Lane[];
}

/** Several unlike marks share this column. */
export const CROWDED = '*';
const MAX_LABEL_SHARE = 0.3;

/**
 * One row of text a lane. Marks without `until` lie over those with; unlike marks in one column become `*`; what lies
 * outside the range is left out, what reaches into it is cut.
 */
export function lanePlot({ from, to, width, lanes }: LanePlot): string[] {
  const labelWidth = laneLabelWidth(lanes, width);
  const columns = Math.max(1, width - labelWidth - 1);
  return lanes.map((lane) => {
    const label = pad(cut(escapeControls(lane.label), labelWidth), labelWidth);
    return `${label} ${laneCells(lane.marks, from, to, columns).join('')}`.trimEnd();
  });
}

function laneLabelWidth(lanes: readonly Lane[], width: number): number {
  const widest = lanes.reduce((most, lane) => Math.max(most, displayWidth(escapeControls(lane.label))), 0);
  return Math.min(widest, Math.floor(width * MAX_LABEL_SHARE));
}

function laneCells(marks: readonly Mark[], from: number, to: number, columns: number): string[] {
  const cells: string[] = new Array(columns).fill(' ');
  const points = new Map<number, string>();
  const columnOf = (at: number) =>
    to <= from ? 0 : Math.min(columns - 1, Math.floor(((at - from) / (to - from)) * columns));
  for (const { at, until, char } of marks) {
    if (until === undefined) {
      if (at < from || at > to) continue;
      const column = columnOf(at);
      const there = points.get(column);
      points.set(column, there === undefined || there === char ? char : CROWDED);
    } else if (until >= from && at <= to) {
      cells.fill(char, columnOf(Math.max(at, from)), columnOf(Math.min(until, to)) + 1);
    }
  }
  for (const [column, char] of points) cells[column] = char;
  return cells;
}

/** The row below a lane plot: where it starts and where it ends, in the plot's columns. */
export function laneAxis(plot: LanePlot, format: (at: number) => string): string {
  const labelWidth = laneLabelWidth(plot.lanes, plot.width);
  const columns = Math.max(1, plot.width - labelWidth - 1);
  const start = format(plot.from);
  const end = format(plot.to);
  const gap = Math.max(1, columns - displayWidth(start) - displayWidth(end));
  return `${' '.repeat(labelWidth + 1)}${start}${' '.repeat(gap)}${end}`;
}
