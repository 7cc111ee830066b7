/**
 * Stretches of a stream that must be read as one: a record and its continuation lines, with lines of other parts between them.
 *
 * A reader that resumes inside of one would see the end without the start. Which stretches matter shrinks as the resume point
 * moves on, which it does in one direction only: a place that no stretch crosses stays such a place.
 */
import type { LinePosition } from './line-splitter.ts';

interface Span {
  readonly from: LinePosition;
  readonly to: number; // byte offset of its last line
}

const FIRST_LIMIT = 1_024;

export class OpenSpans {
  private spans: Span[] = [];
  private limit = FIRST_LIMIT;

  /** Whether it is time to call `outside`, which forgets what no longer matters. */
  get isFull(): boolean {
    return this.spans.length >= this.limit;
  }

  add(from: LinePosition, to: number): void {
    if (to > from.byteOffset) this.spans.push({ from: { byteOffset: from.byteOffset, lineNo: from.lineNo }, to });
  }

  /** The last place at or before `point` that no span crosses. */
  outside(point: LinePosition): LinePosition {
    let place = point;
    let moved = true;
    while (moved) {
      moved = false;
      for (let i = this.spans.length - 1; i >= 0; i--) {
        const { from, to } = this.spans[i]!;
        if (from.byteOffset < place.byteOffset && to >= place.byteOffset) {
          place = from;
          moved = true;
        }
      }
    }
    this.spans = this.spans.filter(({ to }) => to >= place.byteOffset);
    this.limit = Math.max(FIRST_LIMIT, 2 * this.spans.length);
    return place;
  }
}
