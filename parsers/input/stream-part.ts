/**
 * One part of a stream: its product parser, and what is known of its lines that the parser does not carry along.
 *
 * Flags and envelope of a line reach the record here, so that no product parser need copy them. A line that is as it stood in the
 * file, without either, costs nothing.
 */
import { createParser } from '../create-parser.ts';
import type { Detection } from '../detect/detect-layout.ts';
import { FAMILY_OF_LAYOUT, type Family } from '../detect/start-shape.ts';
import type { Envelope, LogRecord, ParserSink, RawLine, RecordFlag, RecordParser, UnparsedLine } from '../record.ts';
import { toLogRecord } from '../slots/shape.ts';
import type { SlottedSink } from '../slots/slotted-parser.ts';
import type { LinePosition } from './line-splitter.ts';
import type { OpenSpans } from './open-spans.ts';

/** Lines remembered at most. A record with more continuation lines keeps its envelope; records held behind it may lose theirs. */
const MAX_NOTES = 8_192;

/** A line whose text is not its bytes, or that carries more than text. */
interface LineNote {
  readonly lineNo: number;
  readonly byteOffset: number;
  readonly envelope: Envelope | undefined;
  readonly flags: readonly RecordFlag[] | undefined;
}

type Finished = { readonly record: LogRecord } | { readonly unparsed: UnparsedLine };

export class StreamPart {
  readonly label: string;
  readonly detection: Detection;
  readonly family: Family;
  private readonly sink: ParserSink | SlottedSink;
  private readonly parser: RecordParser;
  private notes: LineNote[] = [];
  /** What came out of the parser while notes had to be kept; whose lines are whose is known once the parser returns. */
  private finished: Finished[] = [];
  private lastOffset = -1; // of its last line
  private nextOffset = -1; // where the parser takes its next line to start

  constructor(label: string, detection: Detection, sink: ParserSink | SlottedSink) {
    this.label = label;
    this.detection = detection;
    this.family = FAMILY_OF_LAYOUT[detection.layout];
    this.sink = sink;
    const own: ParserSink = {
      record: (record) => {
        if (this.notes.length === 0) sink.record(record);
        else this.finished.push({ record });
      },
      unparsed: (unparsed) => {
        if (this.notes.length === 0) sink.unparsed(unparsed);
        else this.finished.push({ unparsed });
      },
    };
    this.parser = createParser(detection.layout, 'slotted' in sink ? this.withSlots(own, sink) : own);
  }

  private withSlots(own: ParserSink, sink: SlottedSink): SlottedSink {
    return {
      ...own,
      shapes: sink.shapes,
      slotted: (slotted) => {
        if (this.notes.length === 0) sink.slotted(slotted);
        else this.finished.push({ record: toLogRecord(slotted) });
      },
    };
  }

  /**
   * `isVerbatim`: the text is the bytes of the line without its line end. `spans`: takes note of the records that were finished, if
   * lines of other parts can stand inside them.
   */
  line(line: RawLine, isVerbatim: boolean, spans: OpenSpans | null): void {
    if (!isVerbatim || line.flags !== undefined) this.note(line);
    const before = spans === null ? null : this.held();
    this.nextOffset = line.byteOffset + line.byteLength;
    this.parser.line(line);
    if (spans !== null && before !== null) this.noteSpan(before, line, spans);
    this.lastOffset = line.byteOffset;
    if (this.notes.length > 0) this.settle(this.parser.resumePoint().lineNo);
  }

  /** The same for a verbatim line as bytes; its length, or 0 (see RecordParser). */
  take(bytes: Buffer, from: number, byteOffset: number, lineNo: number): number {
    if (this.notes.length > 0 || this.parser.take === undefined) return 0;
    const length = this.parser.take(bytes, from, byteOffset, lineNo);
    if (length === 0) return 0;
    this.nextOffset = byteOffset + length;
    this.lastOffset = byteOffset;
    return length;
  }

  keep(): void {
    this.parser.keep?.();
  }

  /** Start of the first line that the parser still holds; null if it holds none. */
  held(): LinePosition | null {
    if (this.nextOffset === -1) return null;
    const point = this.parser.resumePoint();
    if (point.byteOffset === this.nextOffset) return null;
    // Inside a line whose text is not its bytes no place can be told: the whole line is read again.
    const note = this.notes.find((one) => one.lineNo === point.lineNo);
    return note === undefined ? point : { byteOffset: note.byteOffset, lineNo: note.lineNo };
  }

  /** Hands out what is held. The part can go on. */
  flush(spans: OpenSpans | null): void {
    const held = spans === null ? null : this.held();
    if (held !== null) spans?.add(held, this.lastOffset);
    this.parser.end();
    this.settle(Number.POSITIVE_INFINITY);
  }

  /** What was held before the line and is no longer: it reaches to the line before, or into this one if that is cut in two. */
  private noteSpan(before: LinePosition, line: RawLine, spans: OpenSpans): void {
    const point = this.parser.resumePoint();
    const isInside = point.byteOffset > line.byteOffset && point.byteOffset < this.nextOffset;
    if (point.lineNo !== before.lineNo) spans.add(before, isInside ? line.byteOffset : this.lastOffset);
  }

  private note({ lineNo, byteOffset, envelope, flags }: RawLine): void {
    if (this.notes.length >= MAX_NOTES) this.fold();
    this.notes.push({ lineNo, byteOffset, envelope, flags });
  }

  /** Half of the notes go; their flags stay with the oldest record. */
  private fold(): void {
    const first = this.notes[0]!;
    const gone = this.notes.splice(1, MAX_NOTES / 2);
    const flags = union([first, ...gone]);
    this.notes[0] = { ...first, flags: flags.length === 0 ? undefined : flags };
  }

  /** Hands out what the parser finished, and forgets the lines before `firstHeldLine`. */
  private settle(firstHeldLine: number): void {
    const { finished } = this;
    if (finished.length > 0) {
      this.finished = [];
      for (const [index, one] of finished.entries()) {
        if ('unparsed' in one) {
          this.sink.unparsed(one.unparsed);
          continue;
        }
        const following = finished[index + 1];
        const end = following === undefined ? firstHeldLine : lineNoOf(following);
        this.sink.record(this.withNotes(one.record, end));
      }
    }
    let done = 0;
    while (done < this.notes.length && this.notes[done]!.lineNo < firstHeldLine) done += 1;
    if (done === this.notes.length) this.notes = [];
    else if (done > 0) this.notes.splice(0, done);
  }

  private withNotes(record: LogRecord, endLine: number): LogRecord {
    const ofRecord = this.notes.filter(
      ({ lineNo }) => lineNo === record.lineNo || (lineNo > record.lineNo && lineNo < endLine),
    );
    if (ofRecord.length === 0) return record;
    const flags = union(ofRecord, record.flags);
    const first = ofRecord[0]!;
    const envelope = record.envelope ?? (first.lineNo === record.lineNo ? first.envelope : undefined);
    if (flags.length === 0 && envelope === undefined) return record;
    return {
      ...record,
      ...(flags.length === 0 ? {} : { flags }),
      ...(envelope === undefined ? {} : { envelope }),
    };
  }
}

function lineNoOf(one: Finished): number {
  return 'record' in one ? one.record.lineNo : one.unparsed.lineNo;
}

function union(notes: readonly LineNote[], own: readonly RecordFlag[] = []): RecordFlag[] {
  const flags = new Set(own);
  for (const note of notes) for (const flag of note.flags ?? []) flags.add(flag);
  return [...flags];
}
