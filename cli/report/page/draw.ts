/** Draws the rows of the time line for one view. Cost grows with the marks in view, and is a few ms for 100,000 of them. */
import { KINDS } from '../kinds.ts';
import type { RateName, Segment } from '../model.ts';
import { AXIS_HEIGHT, type LaneRow, type Row } from './lanes.ts';
import { type Language, say, type TextKey } from './texts.ts';
import { clock, day, lowerBound, tickStep } from './time-scale.ts';

export interface View {
  readonly from: number; // ms, at the left edge of the lanes
  readonly to: number;
}

export interface Canvas {
  readonly context: CanvasRenderingContext2D;
  readonly width: number; // CSS px
  readonly height: number;
  readonly gutter: number; // px for the labels; 0: they stand above their lanes
  readonly labelHeight: number;
}

export type Palette = { readonly [name: string]: string };

export interface Overlay {
  /** Instant that was asked for, and the range of a finding. */
  readonly cursor: number | null;
  readonly range: readonly [from: number, to: number] | null;
  readonly activeRow: number | null;
  /** Mark under the pointer or the keys. */
  readonly mark: { readonly row: number; readonly at: number } | null;
  /** px, while a range is drawn with the mouse. */
  readonly drag: readonly [from: number, to: number] | null;
}

export const FONT =
  '12px system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif';

export function drawTimeLine(
  canvas: Canvas,
  rows: readonly Row[],
  view: View,
  originMs: number,
  palette: Palette,
  language: Language,
  overlay: Overlay,
): void {
  const { context, width, height, gutter } = canvas;
  const room = width - gutter;
  const scale = room / (view.to - view.from);
  const x = (at: number) => gutter + (at - view.from) * scale;
  context.clearRect(0, 0, width, height);
  context.fillStyle = palette.surface!;
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = 'middle';
  drawAxis(canvas, view, originMs, palette);
  context.save();
  context.beginPath();
  context.rect(gutter, 0, room, height);
  context.clip();
  if (overlay.range !== null) {
    context.fillStyle = palette.range!;
    const [from, to] = overlay.range;
    context.fillRect(x(from), AXIS_HEIGHT, Math.max(2, x(to) - x(from)), height - AXIS_HEIGHT);
  }
  rows.forEach((row) => {
    if (row.type === 'lane') drawLane(canvas, row, view, scale, x, palette, language);
  });
  context.restore();
  drawLabels(canvas, rows, palette, language, overlay);
  context.save();
  context.beginPath();
  context.rect(gutter, 0, room, height);
  context.clip();
  if (overlay.cursor !== null) {
    context.fillStyle = palette.cursor!;
    context.fillRect(Math.round(x(overlay.cursor)) - 1, 0, 2, height);
  }
  if (overlay.mark !== null) {
    const row = rows[overlay.mark.row];
    if (row !== undefined) {
      context.strokeStyle = palette.cursor!;
      context.lineWidth = 2;
      context.strokeRect(Math.round(x(overlay.mark.at)) - 3, row.y + 1, 8, row.height - 2);
    }
  }
  if (overlay.drag !== null) {
    context.fillStyle = palette.range!;
    const [from, to] = overlay.drag;
    context.fillRect(Math.min(from, to), 0, Math.abs(to - from), height);
  }
  context.restore();
}

function drawAxis({ context, width, height, gutter }: Canvas, view: View, originMs: number, palette: Palette): void {
  const msPerPx = (view.to - view.from) / (width - gutter);
  const step = tickStep(msPerPx, 110);
  const first = Math.ceil((view.from + originMs) / step) * step;
  let lastDay = '';
  for (let at = first, ticks = 0; at <= view.to + originMs && ticks < 200; at += step, ticks += 1) {
    const px = Math.round(gutter + (at - originMs - view.from) / msPerPx);
    context.fillStyle = palette.grid!;
    context.fillRect(px, AXIS_HEIGHT - 6, 1, height - AXIS_HEIGHT + 6);
    context.fillStyle = palette.muted!;
    const date = day(at);
    const text = date === lastDay || step >= 86_400_000 ? clock(at, step) : `${date.slice(5)} ${clock(at, step)}`;
    lastDay = date;
    if (px + 6 + context.measureText(text).width < width)
      context.fillText(step >= 86_400_000 ? date : text, px + 4, AXIS_HEIGHT / 2);
  }
}

function drawLane(
  canvas: Canvas,
  row: LaneRow,
  view: View,
  scale: number,
  x: (at: number) => number,
  palette: Palette,
  language: Language,
): void {
  const { context, gutter, width, labelHeight } = canvas;
  const top = row.y + labelHeight + 2;
  const height = row.height - labelHeight - 4;
  context.fillStyle = palette.lane!;
  context.fillRect(gutter, top, width - gutter, height);
  if (row.lane === 'bridge')
    drawSegments(canvas, row.bridge.bridge_segments, x, top, height, palette.bridge!, palette, language);
  if (row.lane === 'broker')
    drawSegments(canvas, row.bridge.broker_segments, x, top, height, palette.broker!, palette, language);
  if (row.lane === 'pings') {
    for (const [from, to, fatal] of row.bridge.ping_gaps) {
      context.fillStyle = fatal ? palette.gap! : palette.grid!;
      const thick = fatal ? 8 : 4;
      context.fillRect(x(from), top + (height - thick) / 2, Math.max(1, x(to) - x(from)), thick);
    }
  }
  if (row.lane === 'rate') drawRate(canvas, row, view, x, top, height, palette);
  else drawMarks(row, view, scale, x, top, height, palette, context);
}

function drawSegments(
  { context, width, gutter }: Canvas,
  segments: readonly Segment[],
  x: (at: number) => number,
  top: number,
  height: number,
  colour: string,
  palette: Palette,
  language: Language,
): void {
  for (const [from, to, reason, open] of segments) {
    const left = Math.max(gutter - 4, x(from));
    const right = Math.min(width + 4, Math.max(x(to), x(from) + 1));
    if (right < gutter || left > width) continue;
    context.fillStyle = colour;
    context.fillRect(left, top + 3, right - left, height - 6);
    if (!open && x(to) <= width + 2) {
      context.fillStyle = reason === 'keepalive_timeout' ? palette.loss! : palette.end!;
      context.fillRect(right - 3, top, 3, height);
    }
    const text = `${((to - from) / 1000).toFixed(1)} s${reason === null ? (open ? ` · ${say(language, 'still_open')}` : '') : ` · ${reason}`}`;
    const short = `${((to - from) / 1000).toFixed(1)} s`;
    const inside = Math.max(left, gutter) + 6;
    context.fillStyle = palette.on_bar!;
    const space = Math.min(right, width) - inside - 6;
    if (context.measureText(text).width < space) context.fillText(text, inside, top + height / 2 + 1);
    else if (context.measureText(short).width < space) context.fillText(short, inside, top + height / 2 + 1);
  }
}

const COLOUR_OF: { readonly [kind: string]: string } = {
  connected: 'ink',
  disconnected: 'end',
  connect: 'ink',
  connack: 'ink',
  closed: 'end',
  pinged: 'broker',
  ping: 'ping',
  busy: 'busy',
  parked: 'parked',
  lost: 'loss',
  dial: 'muted',
  transport_up: 'ping',
  transport_lost: 'loss',
};

/** Kinds by shape as well as by colour: [top, height] as shares of the lane. */
const SHAPE_OF: { readonly [kind: string]: readonly [number, number] } = {
  connected: [0, 0.3],
  connect: [0, 0.3],
  connack: [0, 0.3],
  disconnected: [0.7, 0.3],
  closed: [0.7, 0.3],
  pinged: [0.55, 0.45],
  ping: [0, 0.45],
  parked: [0.5, 0.5],
  dial: [0.6, 0.4],
  transport_up: [0.2, 0.8],
};

/** A NanoMQ event lies somewhere in the second it was stamped with; from this many px on that second is shown. */
const SECOND_PX = 12;

function drawMarks(
  row: LaneRow,
  view: View,
  scale: number,
  x: (at: number) => number,
  top: number,
  height: number,
  palette: Palette,
  context: CanvasRenderingContext2D,
): void {
  const { marks, all } = row;
  if (marks === null || all === null) return;
  const lastPx = new Int32Array(KINDS.length).fill(-10_000);
  const wide = scale * 1000 >= SECOND_PX;
  const start = lowerBound(marks.time, view.from - 1000);
  for (let no = start; no < marks.time.length; no += 1) {
    const at = marks.time[no]!;
    if (at > view.to) break;
    const kindNo = all.kind[marks.index[no]!]!;
    const px = Math.round(x(at));
    if (px === lastPx[kindNo]) continue;
    lastPx[kindNo] = px;
    const kind = KINDS[kindNo]!;
    const [from, share] = SHAPE_OF[kind.name] ?? [0, 1];
    context.fillStyle = palette[COLOUR_OF[kind.name] ?? 'ink']!;
    const y = top + from * height;
    if (wide && kind.side === 'client' && row.lane !== 'bridge') {
      context.globalAlpha = 0.25;
      context.fillRect(px, y, scale * 1000, share * height);
      context.globalAlpha = 1;
    }
    context.fillRect(px, y, 2, share * height);
  }
}

export const RATE_COLOURS: readonly (readonly [RateName, string])[] = [
  ['offered', 'offered'],
  ['up', 'up'],
  ['down', 'down'],
];

function drawRate(
  { context, gutter, width }: Canvas,
  row: LaneRow,
  view: View,
  x: (at: number) => number,
  top: number,
  height: number,
  palette: Palette,
): void {
  const { rate } = row.bridge;
  if (rate === null) return;
  const all = Object.values(rate.series).flat();
  const most = Math.max(
    1,
    all.reduce((max, value) => Math.max(max, value), 0),
  );
  for (const [name, colour] of RATE_COLOURS) {
    const series = rate.series[name];
    if (series === undefined) continue;
    const start = Math.max(0, Math.floor((view.from - rate.from) / rate.bin) - 1);
    const end = Math.min(series.length, Math.ceil((view.to - rate.from) / rate.bin) + 1);
    context.beginPath();
    for (let bin = start; bin < end; bin += 1) {
      const y = top + height - (series[bin]! / most) * (height - 2) - 1;
      context.lineTo(x(rate.from + bin * rate.bin), y);
      context.lineTo(x(rate.from + (bin + 1) * rate.bin), y);
    }
    context.strokeStyle = palette[colour]!;
    context.lineWidth = name === 'offered' ? 1 : 1.75;
    context.stroke();
  }
  const label = `${(most / (rate.bin / 1000)).toFixed(most / (rate.bin / 1000) < 10 ? 1 : 0)}/s`;
  context.fillStyle = palette.muted!;
  context.fillText(label, width - context.measureText(label).width - 4, top + 8);
  context.fillRect(gutter, top + height, width - gutter, 1);
}

function drawLabels(
  { context, width, gutter, labelHeight }: Canvas,
  rows: readonly Row[],
  palette: Palette,
  language: Language,
  overlay: Overlay,
): void {
  rows.forEach((row, index) => {
    if (row.type === 'head') {
      context.fillStyle = palette.head!;
      context.fillRect(0, row.y, width, row.height);
      context.fillStyle = palette.ink!;
      context.font = `600 ${FONT}`;
      context.fillText(clipped(context, headText(row, language), width - 16), 8, row.y + row.height / 2 + 1);
      context.font = FONT;
      return;
    }
    const active = overlay.activeRow === index;
    const label = say(language, `lane_${row.lane}` as TextKey);
    const empty = isEmpty(row) ? ` (${say(language, 'no_entry')})` : '';
    context.fillStyle = active ? palette.ink! : palette.muted!;
    if (active) {
      context.fillStyle = palette.cursor!;
      context.fillRect(0, row.y + 2, 3, row.height - 4);
      context.fillStyle = palette.ink!;
    }
    if (gutter > 0) context.fillText(clipped(context, label + empty, gutter - 14), 8, row.y + row.height / 2 + 1);
    else context.fillText(label + empty, 8, row.y + labelHeight / 2 + 2);
  });
}

export function isEmpty(row: LaneRow): boolean {
  if (row.lane === 'rate') return row.bridge.rate === null;
  const segments =
    row.lane === 'bridge' ? row.bridge.bridge_segments : row.lane === 'broker' ? row.bridge.broker_segments : [];
  return segments.length === 0 && row.marks !== null && row.marks.time.length === 0;
}

export function headText({ run, bridge }: Pick<LaneRow, 'run' | 'bridge'>, language: Language): string {
  const who = `${bridge.bridge}${bridge.client === null || bridge.client === bridge.bridge ? '' : ` (${bridge.client})`}`;
  const causes = bridge.findings.length === 0 ? '' : ` · ${bridge.findings.slice(0, 3).join(', ')}`;
  const ends = say(language, 'n_disconnects', bridge.disconnects);
  if (run.kind === 'observed') return `${say(language, 'incident')}: ${who} · ${ends}${causes}`;
  const label = run.label === 'baseline' ? say(language, 'baseline') : run.label;
  return `${say(language, 'replay')}: ${say(language, 'replay_of', label, run.seed ?? '?')} · ${ends}${causes}`;
}

function clipped(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low)}…`;
}
