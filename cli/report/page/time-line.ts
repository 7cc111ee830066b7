/** The time line as something to use: view, mouse, keys, what a mark says. */
import { KINDS } from '../kinds.ts';
import type { ReportData } from '../model.ts';
import type { BridgeMarks } from './data.ts';
import { button, h } from './dom.ts';
import { type Canvas, drawTimeLine, headText, isEmpty, type Overlay, type Palette, type View } from './draw.ts';
import { extentOf, fillLanes, type LaneRow, layOut, type Row } from './lanes.ts';
import { type Language, say, type TextKey } from './texts.ts';
import { clock, instant, lowerBound, seconds } from './time-scale.ts';

const LEAST_SPAN_MS = 20;
const ZOOM_STEP = 1.5;
const PAN_SHARE = 0.15;
/** px around the pointer in which a mark is taken. */
const REACH = 7;
const NARROW = 640;
const PRINT_WIDTH = 1000;
const PALETTE_NAMES = [
  'surface',
  'lane',
  'head',
  'grid',
  'ink',
  'muted',
  'bridge',
  'broker',
  'on_bar',
  'end',
  'ping',
  'busy',
  'parked',
  'loss',
  'gap',
  'offered',
  'up',
  'down',
  'range',
  'cursor',
];

export class TimeLine {
  readonly element: HTMLElement;
  private readonly data: ReportData;
  private language: Language;
  private readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly tip: HTMLElement;
  private readonly detail: HTMLElement;
  private readonly controls: HTMLElement;
  private readonly help: HTMLElement;
  private readonly legend: HTMLElement;
  private rows: Row[] = [];
  private marks: BridgeMarks[][] | null = null;
  private lines: string[] | null = null;
  private extent: [number, number];
  private view: View;
  private palette: Palette = {};
  private overlay: { -readonly [Key in keyof Overlay]: Overlay[Key] } = {
    cursor: null,
    range: null,
    activeRow: null,
    mark: null,
    drag: null,
  };
  private frame = 0;
  private told: ReturnType<typeof setTimeout> | undefined;
  private sizes = { width: 800, height: 0, gutter: 0, labelHeight: 0 };
  private printing = false;
  /** Number of the chosen mark in its lane. */
  private chosen: number | null = null;

  constructor(data: ReportData, language: Language) {
    this.data = data;
    this.language = language;
    this.canvas = h('canvas', {
      class: 'lanes',
      tabindex: 0,
      role: 'application',
      'aria-describedby': 'time-line-help',
    });
    this.context = this.canvas.getContext('2d', { alpha: false })!;
    this.tip = h('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' });
    this.detail = h('div', { class: 'mark-detail', id: 'mark-detail', role: 'status', 'aria-live': 'polite' });
    this.controls = h('div', { class: 'controls', role: 'group' });
    this.help = h('p', { class: 'hint', id: 'time-line-help' });
    this.legend = h('ul', { class: 'legend' });
    this.element = h(
      'div',
      { class: 'time-line' },
      this.controls,
      h('div', { class: 'stage' }, this.canvas, this.tip),
      this.detail,
      this.legend,
      this.help,
    );
    this.extent = extentOf(data.runs, null);
    const [from, to] = extentOf(data.runs.slice(0, 1), null);
    this.view = { from, to };
    this.listen();
  }

  setMarks(marks: BridgeMarks[][]): void {
    const whole = this.isWhole();
    this.marks = marks;
    this.extent = extentOf(this.data.runs, marks);
    fillLanes(this.rows, this.data, marks);
    if (whole) this.showAll();
    this.changed();
  }

  setLines(lines: string[]): void {
    this.lines = lines;
    this.canvas.dataset.ready = 'true';
  }

  /** After a change of language, theme or width. */
  refresh(language: Language): void {
    this.language = language;
    const styles = getComputedStyle(this.canvas);
    this.palette = Object.fromEntries(
      PALETTE_NAMES.map((name) => [name, styles.getPropertyValue(`--${name.replace('_', '-')}`).trim() || '#888']),
    );
    const width = this.printing ? PRINT_WIDTH : Math.max(280, this.element.clientWidth);
    const narrow = width < NARROW;
    const labelHeight = narrow ? 16 : 0;
    const { rows, height } = layOut(this.data, labelHeight);
    this.rows = rows;
    if (this.marks !== null) fillLanes(rows, this.data, this.marks);
    this.sizes = { width, height, gutter: narrow ? 0 : 150, labelHeight };
    const ratio = this.printing ? 2 : Math.min(3, window.devicePixelRatio || 1);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.controls.replaceChildren(
      ...this.buttons().map(([key, label, act]) =>
        button({ 'aria-label': say(language, key), title: say(language, key), 'data-act': key }, label, act),
      ),
    );
    this.controls.setAttribute('aria-label', say(language, 'timeline'));
    this.help.textContent = say(language, 'time_line_help');
    this.legend.replaceChildren(...this.legendItems());
    const chosen = this.rows[this.overlay.mark?.row ?? -1];
    if (chosen?.type === 'lane' && this.chosen !== null)
      this.detail.replaceChildren(...this.markText(chosen, this.chosen));
    else this.detail.textContent = say(language, 'choose_mark');
    this.draw();
    this.tell();
  }

  setPrinting(printing: boolean): void {
    if (this.printing === printing) return;
    this.printing = printing;
    this.refresh(this.language);
  }

  /** Shows an instant with what lies around it; `range` is tinted. */
  show(at: number | null, range: readonly [number, number] | null): void {
    this.overlay.cursor = at;
    this.overlay.range = range;
    const span = this.view.to - this.view.from;
    if (range !== null) {
      const margin = Math.max(2000, (range[1] - range[0]) * 0.15);
      this.setView(range[0] - margin, range[1] + margin);
    } else if (at !== null) {
      const wanted = Math.min(span, 30_000);
      this.setView(at - wanted / 2, at + wanted / 2);
    }
  }

  private buttons(): readonly (readonly [TextKey, string, () => void])[] {
    return [
      ['pan_left', '◀', () => this.pan(-PAN_SHARE)],
      ['pan_right', '▶', () => this.pan(PAN_SHARE)],
      ['zoom_in', '+', () => this.zoom(1 / ZOOM_STEP)],
      ['zoom_out', '−', () => this.zoom(ZOOM_STEP)],
      ['fit', say(this.language, 'fit'), () => this.showAll()],
    ];
  }

  private legendItems(): HTMLElement[] {
    const item = (colour: string, key: TextKey) =>
      h('li', {}, h('span', { class: `key key-${colour}`, 'aria-hidden': 'true' }), say(this.language, key));
    return [
      item('loss', 'legend_end'),
      item('end', 'legend_other_end'),
      item('ping', 'kind_ping'),
      item('broker', 'kind_pinged'),
      item('gap', 'legend_gap'),
      item('busy', 'kind_busy'),
      item('parked', 'kind_parked'),
      item('loss', 'kind_lost'),
      item('offered', 'rate_offered'),
      item('up', 'rate_up'),
      item('down', 'rate_down'),
    ];
  }

  private isWhole(): boolean {
    return this.overlay.range === null && this.overlay.cursor === null;
  }

  private showAll(): void {
    this.setView(...extentOf(this.data.runs.slice(0, 1), this.marks?.slice(0, 1) ?? null));
  }

  private setView(from: number, to: number): void {
    const [first, last] = this.extent;
    const span = Math.min(Math.max(to - from, LEAST_SPAN_MS), last - first);
    const middle = (from + to) / 2;
    const start = Math.min(Math.max(middle - span / 2, first), last - span);
    this.view = { from: start, to: start + span };
    this.changed();
  }

  private pan(share: number): void {
    const span = this.view.to - this.view.from;
    this.setView(this.view.from + share * span, this.view.to + share * span);
  }

  /** @param at instant that stays where it is; absent: the middle */
  private zoom(factor: number, at = this.overlay.mark?.at ?? (this.view.from + this.view.to) / 2): void {
    const { from, to } = this.view;
    const fixed = Math.min(Math.max(at, from), to);
    this.setView(fixed - (fixed - from) * factor, fixed + (to - fixed) * factor);
  }

  private changed(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
      clearTimeout(this.told);
      this.told = setTimeout(() => this.tell(), 250);
    });
  }

  private draw(): void {
    if (this.sizes.height === 0) return;
    const canvas: Canvas = { context: this.context, ...this.sizes };
    drawTimeLine(canvas, this.rows, this.view, this.data.origin_ms, this.palette, this.language, this.overlay);
    this.canvas.dataset.from = String(Math.round(this.view.from));
    this.canvas.dataset.to = String(Math.round(this.view.to));
  }

  private tell(): void {
    const origin = this.data.origin_ms;
    const lanes = this.rows.filter((row) => row.type === 'lane').length;
    this.canvas.setAttribute(
      'aria-label',
      say(this.language, 'time_line_of', instant(this.view.from + origin), instant(this.view.to + origin), lanes),
    );
  }

  private listen(): void {
    const { canvas } = this;
    let drag: { x: number; from: number; to: number; choosing: boolean; moved: boolean } | null = null;
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (!(event.ctrlKey || event.metaKey || document.activeElement === canvas)) return;
        event.preventDefault();
        if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX / this.room());
        else this.zoom(1.0015 ** Math.max(-400, Math.min(400, event.deltaY)), this.timeAt(this.position(event).x));
      },
      { passive: false },
    );
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      drag = { x: this.position(event).x, ...this.view, choosing: event.shiftKey, moved: false };
    });
    canvas.addEventListener('pointermove', (event) => {
      const { x, y } = this.position(event);
      if (drag === null) {
        this.hover(x, y);
        return;
      }
      if (Math.abs(x - drag.x) > 3) drag.moved = true;
      if (!drag.moved) return;
      this.tip.hidden = true;
      if (drag.choosing) {
        this.overlay.drag = [drag.x, x];
        this.changed();
      } else {
        const by = ((drag.x - x) * (drag.to - drag.from)) / this.room();
        this.setView(drag.from + by, drag.to + by);
      }
    });
    const end = (event: PointerEvent) => {
      if (drag === null) return;
      const { x, y } = this.position(event);
      if (drag.choosing && drag.moved) this.setView(this.timeAt(Math.min(drag.x, x)), this.timeAt(Math.max(drag.x, x)));
      else if (!drag.moved) this.choose(x, y);
      this.overlay.drag = null;
      drag = null;
      this.changed();
    };
    canvas.addEventListener('pointerup', end);
    canvas.addEventListener('pointercancel', () => {
      drag = null;
      this.overlay.drag = null;
    });
    canvas.addEventListener('pointerleave', () => {
      this.tip.hidden = true;
    });
    canvas.addEventListener('dblclick', (event) =>
      this.zoom(1 / (ZOOM_STEP * ZOOM_STEP), this.timeAt(this.position(event).x)),
    );
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.key(event.key)) event.preventDefault();
    });
    canvas.addEventListener('focus', () => {
      this.overlay.activeRow ??= this.rows.findIndex((row) => row.type === 'lane');
      this.changed();
    });
  }

  /** Whether the key was one of ours. */
  private key(key: string): boolean {
    const acts: { readonly [key: string]: () => void } = {
      ArrowLeft: () => this.pan(-PAN_SHARE),
      ArrowRight: () => this.pan(PAN_SHARE),
      PageUp: () => this.pan(-0.9),
      PageDown: () => this.pan(0.9),
      '+': () => this.zoom(1 / ZOOM_STEP),
      '=': () => this.zoom(1 / ZOOM_STEP),
      '-': () => this.zoom(ZOOM_STEP),
      Home: () => this.showAll(),
      '0': () => this.showAll(),
      ArrowUp: () => this.chooseLane(-1),
      ArrowDown: () => this.chooseLane(1),
      ',': () => this.step(-1),
      '.': () => this.step(1),
      Enter: () => this.readAloud(),
      Escape: () => {
        this.overlay.mark = null;
        this.overlay.cursor = null;
        this.overlay.range = null;
        this.changed();
      },
    };
    const act = acts[key];
    act?.();
    return act !== undefined;
  }

  private chooseLane(by: 1 | -1): void {
    let row = this.overlay.activeRow ?? -1;
    do row += by;
    while (row >= 0 && row < this.rows.length && this.rows[row]!.type === 'head');
    const lane = this.rows[row];
    if (lane === undefined || lane.type === 'head') return;
    this.overlay.activeRow = row;
    this.overlay.mark = null;
    const empty = isEmpty(lane) ? ` (${say(this.language, 'no_entry')})` : '';
    this.detail.textContent = `${headText(lane, this.language)}: ${say(this.language, `lane_${lane.lane}` as TextKey)}${empty}`;
    this.changed();
  }

  /** To the mark after (before) the chosen one, or the first one in view. */
  private step(by: 1 | -1): void {
    const rowNo = this.overlay.activeRow ?? this.rows.findIndex((row) => row.type === 'lane');
    const row = this.rows[rowNo];
    if (row === undefined || row.type === 'head' || row.marks === null) return;
    const { time } = row.marks;
    if (time.length === 0) {
      this.detail.textContent = say(this.language, 'no_marks');
      return;
    }
    const now = this.overlay.mark?.row === rowNo ? this.chosen : null;
    let no = now === null ? lowerBound(time, this.view.from) : now + by;
    no = Math.min(Math.max(no, 0), time.length - 1);
    this.take(rowNo, row, no);
    const at = time[no]!;
    const span = this.view.to - this.view.from;
    if (at < this.view.from || at > this.view.to) this.setView(at - span / 2, at + span / 2);
  }

  private take(rowNo: number, row: LaneRow, no: number): void {
    this.chosen = no;
    this.overlay.activeRow = rowNo;
    this.overlay.mark = { row: rowNo, at: row.marks!.time[no]! };
    this.detail.replaceChildren(...this.markText(row, no));
    this.changed();
  }

  private readAloud(): void {
    const row = this.rows[this.overlay.mark?.row ?? -1];
    if (row?.type === 'lane' && this.chosen !== null) this.detail.replaceChildren(...this.markText(row, this.chosen));
    else this.step(1);
  }

  private choose(x: number, y: number): void {
    const hit = this.hit(x, y);
    if (hit?.mark !== undefined && hit.mark !== null) this.take(hit.rowNo, hit.row, hit.mark);
  }

  private hover(x: number, y: number): void {
    const hit = this.hit(x, y);
    const content =
      hit === null
        ? []
        : hit.mark === null
          ? this.placeText(hit.row, this.timeAt(x))
          : this.markText(hit.row, hit.mark);
    this.tip.hidden = content.length === 0;
    if (content.length === 0) return;
    this.tip.replaceChildren(...content);
    const { width } = this.sizes;
    const room = Math.min(560, width - 16);
    this.tip.style.maxWidth = `${room}px`;
    this.tip.style.left = `${Math.max(4, Math.min(x + 14, width - this.tip.offsetWidth - 8))}px`;
    this.tip.style.top = `${y + 18}px`;
  }

  private hit(x: number, y: number): { rowNo: number; row: LaneRow; mark: number | null } | null {
    const rowNo = this.rows.findIndex((row) => y >= row.y && y < row.y + row.height);
    const row = this.rows[rowNo];
    if (row === undefined || row.type === 'head' || x < this.sizes.gutter) return null;
    return { rowNo, row, mark: this.nearest(row, x) };
  }

  private nearest(row: LaneRow, x: number): number | null {
    const time = row.marks?.time;
    if (time === undefined || time.length === 0) return null;
    const at = this.timeAt(x);
    const reach = (REACH * (this.view.to - this.view.from)) / this.room();
    const after = lowerBound(time, at);
    const candidates = [after - 1, after].filter(
      (no) => no >= 0 && no < time.length && Math.abs(time[no]! - at) <= reach,
    );
    if (candidates.length === 0) return null;
    const best = candidates.reduce((a, b) => (Math.abs(time[b]! - at) < Math.abs(time[a]! - at) ? b : a));
    // Of marks at one instant the first.
    return lowerBound(time, time[best]!);
  }

  private markText(row: LaneRow, no: number): HTMLElement[] {
    const marks = row.all!;
    const index = row.marks!.index[no]!;
    const kind = KINDS[marks.kind[index]!]!;
    const path = this.data.mark_sources[marks.source[index]!] ?? '';
    const text = this.lines?.[marks.first + index] ?? '';
    const count = marks.count[index]!;
    let alike = count;
    for (let next = no + 1; next < row.marks!.time.length && row.marks!.time[next] === row.marks!.time[no]; next += 1)
      alike += marks.count[row.marks!.index[next]!]!;
    const place = `${path.split(/[\\/]/).at(-1)}:${marks.line[index]}`;
    return [
      h(
        'p',
        { class: 'mark-head' },
        h('strong', {}, say(this.language, `kind_${kind.name}` as TextKey)),
        ` ${instant(marks.time[index]! + this.data.origin_ms)} · ${place}${alike > 1 ? ` · ${say(this.language, 'events_here', alike)}` : ''}`,
      ),
      text === '' ? h('p', {}, say(this.language, 'text_left_out')) : h('code', { class: 'line' }, text),
    ];
  }

  private placeText(row: LaneRow, at: number): HTMLElement[] {
    const clockText = clock(at + this.data.origin_ms, 1);
    const text = (...parts: string[]) => [h('p', { class: 'mark-head' }, `${clockText} · ${parts.join(' · ')}`)];
    if (row.lane === 'bridge' || row.lane === 'broker') {
      const segments = row.lane === 'bridge' ? row.bridge.bridge_segments : row.bridge.broker_segments;
      const segment = segments.find(([from, to]) => at >= from && at <= to);
      if (segment === undefined) return segments.length === 0 ? [] : text(say(this.language, 'down'));
      const [from, to, reason, open] = segment;
      return text(
        say(this.language, 'connected_for', seconds(to - from)),
        open
          ? say(this.language, 'still_open')
          : say(this.language, 'ended_by', reason ?? say(this.language, 'unknown')),
      );
    }
    if (row.lane === 'pings') {
      const gap = row.bridge.ping_gaps.find(([from, to]) => at >= from && at <= to);
      return gap === undefined
        ? []
        : text(say(this.language, 'ping_gap', seconds(gap[1] - gap[0]), row.bridge.keepalive_s ?? '?'));
    }
    const { rate } = row.bridge;
    if (row.lane !== 'rate' || rate === null) return [];
    const bin = Math.floor((at - rate.from) / rate.bin);
    const parts = (['offered', 'up', 'down'] as const).flatMap((name) => {
      const value = rate.series[name]?.[bin];
      return value === undefined
        ? []
        : [`${say(this.language, `rate_${name}`)}: ${say(this.language, 'rate_at', value, rate.bin / 1000)}`];
    });
    return parts.length === 0 ? [] : text(...parts);
  }

  private room(): number {
    return this.sizes.width - this.sizes.gutter;
  }

  private position(event: MouseEvent): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private timeAt(x: number): number {
    return this.view.from + ((x - this.sizes.gutter) * (this.view.to - this.view.from)) / this.room();
  }
}
