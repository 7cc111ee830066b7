/** How far a long job is, on a terminal's stderr; nothing at all elsewhere. */
import type { OutputStream } from '../context.ts';
import { cut, DEFAULT_WIDTH } from './width.ts';

export interface ProgressOptions {
  readonly stream: OutputStream;
  readonly label: string; // `ingesting`
  readonly total: number | null; // null: unknown, so no share and no time left
  readonly unit: string; // `bytes` are shown as kB, MB, GB; any other word follows the number
  readonly now?: () => number; // milliseconds, for tests
}

const MIN_INTERVAL_MS = 100;
/** Rates from less than this are guesses; they are not shown. */
const MIN_RATE_MS = 1000;
const CLEAR_LINE = '\r\u001b[2K';

export class Progress {
  private readonly options: ProgressOptions;
  private readonly now: () => number;
  private readonly startedMs: number;
  private shownMs = Number.NEGATIVE_INFINITY;
  private visible = false;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    this.startedMs = this.now();
  }

  /** Tells how much is done, of how much if that is known only now, and what else there is to say; draws at most ten times a second. */
  update(done: number, total: number | null = this.options.total, note = ''): void {
    const { stream } = this.options;
    if (stream.isTTY !== true) return;
    const nowMs = this.now();
    if (nowMs - this.shownMs < MIN_INTERVAL_MS) return;
    this.shownMs = nowMs;
    this.visible = true;
    const text = progressText({ ...this.options, total }, done, nowMs - this.startedMs) + note;
    stream.write(CLEAR_LINE + cut(text, (stream.columns || DEFAULT_WIDTH) - 1));
  }

  /** Takes the line away, for other output or at the end. */
  clear(): void {
    if (!this.visible) return;
    this.visible = false;
    this.shownMs = Number.NEGATIVE_INFINITY;
    this.options.stream.write(CLEAR_LINE);
  }
}

/** `ingesting  42 %  21.0 MB of 50.0 MB  3.5 MB/s  0:08 left` */
export function progressText(
  { label, total, unit }: Pick<ProgressOptions, 'label' | 'total' | 'unit'>,
  done: number,
  elapsedMs: number,
): string {
  const parts = [label];
  if (total !== null && total > 0) parts.push(`${Math.min(100, Math.floor((done / total) * 100))} %`);
  parts.push(total === null ? amount(done, unit) : `${amount(done, unit)} of ${amount(total, unit)}`);
  const perSecond = (done * 1000) / elapsedMs;
  if (elapsedMs >= MIN_RATE_MS && perSecond >= 1) {
    parts.push(`${amount(perSecond, unit)}/s`);
    if (total !== null && total > done) parts.push(`${clock((total - done) / perSecond)} left`);
  }
  return parts.join('  ');
}

function amount(count: number, unit: string): string {
  if (unit !== 'bytes') return `${Math.round(count)} ${unit}`;
  const step = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let index = 0;
  while (value >= 999.95 && index < step.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${index === 0 ? Math.round(value) : value.toFixed(1)} ${step[index]}`;
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
