/**
 * Joins the parts into which a collector cut a long line (docker and Kubernetes: 16 KiB).
 *
 * Lines of the same service's other stream can come in between; they wait, so that lines leave in the order of their first bytes.
 */
import type { RawLine, RecordFlag } from '../record.ts';
import { MAX_LINE_CHARS } from './line-splitter.ts';

/** Lines that wait for one that is not complete. Then that one is given up. */
const MAX_WAITING = 64;

interface Waiting {
  readonly first: RawLine;
  readonly texts: string[];
  chars: number;
  byteLength: number;
  lastOffset: number;
  flags: readonly RecordFlag[] | undefined;
  complete: boolean;
}

export class PartJoiner {
  private readonly onLine: (line: RawLine, lastOffset: number) => void;
  private waiting: Waiting[] = [];

  /** `lastOffset` is where the line's last part starts. */
  constructor(onLine: (line: RawLine, lastOffset: number) => void) {
    this.onLine = onLine;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** The first line that has not left yet. */
  get oldest(): RawLine | undefined {
    return this.waiting[0]?.first;
  }

  push(line: RawLine, partial: boolean): void {
    const open = this.waiting.find((one) => !one.complete && one.first.envelope?.stream === line.envelope?.stream);
    if (open === undefined) {
      const { byteLength, byteOffset: lastOffset, flags, text } = line;
      const size = { chars: text.length, byteLength, lastOffset };
      this.waiting.push({ first: line, texts: [text], ...size, flags, complete: !partial });
    } else {
      append(open, line);
      open.complete = !partial;
    }
    if (this.waiting.length > MAX_WAITING) giveUp(this.waiting[0]!);
    this.release();
  }

  /** The rest will not come. */
  end(): void {
    for (const one of this.waiting) if (!one.complete) giveUp(one);
    this.release();
  }

  private release(): void {
    while (this.waiting[0]?.complete === true) {
      const line = this.waiting.shift()!;
      this.onLine(whole(line), line.lastOffset);
    }
  }
}

function append(open: Waiting, line: RawLine): void {
  const room = MAX_LINE_CHARS - open.chars;
  if (line.text.length > room) open.flags = withFlag(open.flags, 'line-truncated');
  if (room > 0) open.texts.push(line.text.slice(0, room));
  open.chars += Math.min(line.text.length, Math.max(room, 0));
  open.byteLength += line.byteLength;
  open.lastOffset = line.byteOffset;
  for (const flag of line.flags ?? []) open.flags = withFlag(open.flags, flag);
}

function giveUp(open: Waiting): void {
  open.flags = withFlag(open.flags, 'cut');
  open.complete = true;
}

function whole({ first, texts, byteLength, flags }: Waiting): RawLine {
  const { truncated: _, flags: __, ...rest } = first;
  const line = { ...rest, text: texts.join(''), byteLength };
  if (flags === undefined) return line;
  return flags.includes('line-truncated') ? { ...line, truncated: true, flags } : { ...line, flags };
}

function withFlag(flags: readonly RecordFlag[] | undefined, flag: RecordFlag): readonly RecordFlag[] {
  if (flags === undefined) return [flag];
  return flags.includes(flag) ? flags : [...flags, flag];
}
