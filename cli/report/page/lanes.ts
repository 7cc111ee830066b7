/** The rows of the time line and what lies in each: no drawing yet. */
import { KINDS, type LaneName } from '../kinds.ts';
import type { ReportBridge, ReportData, ReportRun } from '../model.ts';
import type { BridgeMarks } from './data.ts';

export interface LaneMarks {
  readonly time: Float64Array;
  /** Number of each among the bridge's marks. */
  readonly index: Uint32Array;
}

export interface HeadRow {
  readonly type: 'head';
  readonly y: number;
  readonly height: number;
  readonly run: ReportRun;
  readonly bridge: ReportBridge;
}

export interface LaneRow {
  readonly type: 'lane';
  readonly y: number;
  readonly height: number;
  readonly run: ReportRun;
  readonly bridge: ReportBridge;
  readonly lane: LaneName;
  /** Of the marks of this bridge, which are of this lane; null until they are unpacked. */
  marks: LaneMarks | null;
  all: BridgeMarks | null;
}

export type Row = HeadRow | LaneRow;

const LANES: readonly LaneName[] = ['bridge', 'broker', 'pings', 'busy', 'losses', 'network', 'rate'];
export const AXIS_HEIGHT = 26;
const HEAD_HEIGHT = 26;
const LANE_HEIGHT = 24;
const RATE_HEIGHT = 46;

export function layOut(data: ReportData, labelHeight: number): { rows: Row[]; height: number } {
  const rows: Row[] = [];
  let y = AXIS_HEIGHT;
  for (const run of data.runs) {
    for (const bridge of run.bridges) {
      rows.push({ type: 'head', y, height: HEAD_HEIGHT, run, bridge });
      y += HEAD_HEIGHT;
      for (const lane of LANES) {
        const height = (lane === 'rate' ? RATE_HEIGHT : LANE_HEIGHT) + labelHeight;
        rows.push({ type: 'lane', y, height, run, bridge, lane, marks: null, all: null });
        y += height;
      }
      y += 6;
    }
  }
  return { rows, height: y + 4 };
}

export function fillLanes(rows: readonly Row[], data: ReportData, marks: readonly (readonly BridgeMarks[])[]): void {
  const laneOf = KINDS.map((kind) => kind.lane);
  for (const row of rows) {
    if (row.type === 'head') continue;
    const runNo = data.runs.indexOf(row.run);
    const all = marks[runNo]![row.run.bridges.indexOf(row.bridge)]!;
    const index: number[] = [];
    all.kind.forEach((kind, no) => {
      if (laneOf[kind] === row.lane) index.push(no);
    });
    row.all = all;
    row.marks = { index: Uint32Array.from(index), time: Float64Array.from(index, (no) => all.time[no]!) };
  }
}

/** First and last instant of a run's lanes, ms. */
export function extentOf(
  runs: readonly ReportRun[],
  marks: readonly (readonly BridgeMarks[])[] | null,
): [number, number] {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  const take = (first: number | undefined, last: number | undefined) => {
    if (first !== undefined && first < from) from = first;
    if (last !== undefined && last > to) to = last;
  };
  for (const [runNo, run] of runs.entries()) {
    for (const [no, bridge] of run.bridges.entries()) {
      for (const segment of [...bridge.bridge_segments, ...bridge.broker_segments]) take(segment[0], segment[1]);
      const { rate } = bridge;
      const bins = Math.max(0, ...Object.values(rate?.series ?? {}).map((series) => series.length));
      if (rate !== null) take(rate.from, rate.from + bins * rate.bin);
      const times = marks?.[runNo]?.[no]?.time;
      take(times?.[0], times?.at(-1));
    }
  }
  if (!(from <= to)) return [0, 1000];
  const margin = Math.max(500, (to - from) * 0.01);
  return [from - margin, to + margin];
}
