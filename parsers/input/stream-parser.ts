/**
 * One stream of lines to the parts it is made of: each line is taken out of its wrapper and given to the part that it belongs to.
 *
 * A part is one service (if the wrapper names them) and one layout. Most streams have one. A line that starts a record of a
 * layout which its service did not write before opens a part, wherever it stands; a line that starts no record belongs to the
 * part that had the service's last one.
 *
 * Resuming: the resume point is that of the part which is furthest behind, or before it if a record of another part reaches
 * across. Other parts may have handed out records that start behind it, so a reader that starts again there must first take back all records and unparsed lines with `byteOffset >= resumePoint()`.
 * It will be given the same ones again, though parts can then open in another order: a part is known by its key.
 */
import type { Detection } from '../detect/detect-layout.ts';
import { detectWrappedLine, isNanomqSyslog, type StreamDetection } from '../detect/detect-stream.ts';
import { FAMILY_OF_LAYOUT, type Family, startShape } from '../detect/start-shape.ts';
import {
  type LogRecord,
  MAX_BODY_CHARS,
  type Product,
  type RawLine,
  type RecordParser,
  type UnparsedLine,
} from '../record.ts';
import type { SlottedRecord } from '../slots/shape.ts';
import type { ShapeStore } from '../slots/shape-memo.ts';
import { COLLECTOR_NOTE, stripColourEnds, type Wrapper } from './envelope/wrapper.ts';
import type { LinePosition, LineTaker } from './line-splitter.ts';
import { OpenSpans } from './open-spans.ts';
import { PartJoiner } from './part-joiner.ts';
import { StreamPart as Part } from './stream-part.ts';

/** Parts of one stream; lines that would open more are kept as unparsed. */
export const MAX_PARTS = 16;
/** Programs told apart in one journal. */
const MAX_SERVICES = 4_096;
/**
 * In a stream with several parts, a part that has been silent for so many bytes hands out what it holds: it cannot keep the
 * resume point back for ever. Checked once in CHECK_BYTES, at places that depend on offsets only, so a resumed read does the same.
 */
const MAX_HELD_BYTES = 16 * 1_048_576;
const CHECK_BYTES = 1_048_576;

export interface StreamPart {
  /** The service as the wrapper names it (container, compose service, pod, syslog program); '' if it names none. */
  readonly label: string;
  /** Names the part: unique within the stream, and the same when the stream is read again or resumed (the layout may not be). */
  readonly key: string;
  readonly detection: Detection;
}

export interface StreamSink {
  /** Called once for each index, before its first record or line. */
  part(index: number, part: StreamPart): void;
  record(index: number, record: LogRecord): void;
  unparsed(index: number, line: UnparsedLine): void;
  /** If present, most records of streams without a collector's prefixes come this way, as slots of a shape. */
  slotted?(index: number, record: SlottedRecord): void;
  /** What was learned of earlier streams, and will be of this one. */
  readonly shapes?: ShapeStore;
}

export interface StreamParser extends Omit<RecordParser, 'settle' | keyof LineTaker>, LineTaker {
  readonly detection: Detection;
  /** No line was given a prefix by a collector. */
  readonly isPlain: boolean;
}

/**
 * A parser for the stream of which `detectStream` found this (whose first lines must be given to it as well). Lines that are not of
 * `limitTo.product` are then unparsed, with the reason `other-product`.
 */
export function createStreamParser(
  found: StreamDetection,
  sink: StreamSink,
  limitTo: { readonly product?: Product } = {},
): StreamParser {
  return new Demux(found, sink, limitTo.product);
}

/** Who wrote lines, and where the last one went. */
interface Service {
  readonly name: string;
  /** From the head of the stream, if the service was there. */
  readonly expected: Detection | undefined;
  readonly parts: Part[];
  part: Part | null;
  /** Set while the service's lines go nowhere: what they are, and why. */
  refused: { readonly family: Family; readonly reason: string } | null;
  joiner: PartJoiner | null;
  /** Of the last line that started a record: it decided where lines that start none go. */
  startOffset: number;
  startLine: number;
  lastOffset: number; // of its last line
}

class Demux implements StreamParser {
  readonly detection: Detection;
  private readonly found: StreamDetection;
  private readonly wrapper: Wrapper | null;
  private readonly sink: StreamSink;
  private readonly product: Product | undefined;
  private readonly services = new Map<string, Service>();
  private readonly plain: Service;
  /** Service of the last line that the collector wrote, where that line is, and how many characters stood before its text. */
  private last: Service | null = null;
  private lastLine: LinePosition = { byteOffset: 0, lineNo: 1 };
  private lastPrefix = 0;
  private readonly parts: Part[] = [];
  private primary = -1; // index of the part that takes what belongs to none
  /** Null while the stream is one log without a wrapper: then no line of another part can stand inside a record. */
  private spans: OpenSpans | null;
  /** Behind the last line. */
  private nextOffset = 0;
  private nextLine = 1;
  private nextCheck = 0;
  /** The part that all lines belong to as long as they look alike; null if that has to be looked at line by line. */
  private only: Part | null = null;

  constructor(found: StreamDetection, sink: StreamSink, product: Product | undefined) {
    this.detection = found.detection;
    this.found = found;
    this.wrapper = found.wrapper;
    this.spans = found.wrapper === null ? null : new OpenSpans();
    this.sink = sink;
    this.product = product;
    this.plain = this.service('');
  }

  get isPlain(): boolean {
    return this.wrapper === null;
  }

  line(line: RawLine): void {
    this.nextLine = line.endsInHole === true ? line.lineNo : line.lineNo + 1;
    this.nextOffset = line.byteOffset + line.byteLength;
    if (this.parts.length > 1 && line.byteOffset >= this.nextCheck) this.releaseSilent(line.byteOffset);
    if (this.spans?.isFull) this.resumePoint();
    if (this.wrapper === null) this.verbatim(this.plain, line);
    else this.wrapped(line, this.wrapper);
    this.only = this.spans === null && this.parts.length === 1 ? this.plain.part : null;
  }

  /** Lines of known shapes start records of their part's layout, so while there is one part they need not be told apart. */
  take(bytes: Buffer, from: number, byteOffset: number, lineNo: number): number {
    if (this.only === null) return 0;
    const length = this.only.take(bytes, from, byteOffset, lineNo);
    if (length === 0) return 0;
    this.nextOffset = byteOffset + length;
    this.nextLine = lineNo + 1;
    this.plain.lastOffset = byteOffset;
    return length;
  }

  keep(): void {
    for (const part of this.parts) part.keep();
  }

  resumePoint(): LinePosition {
    let oldest: LinePosition = { byteOffset: this.nextOffset, lineNo: this.nextLine };
    for (const part of this.parts) oldest = earlier(oldest, part.held());
    if (this.last !== null) oldest = earlier(oldest, this.lastLine);
    for (const service of this.services.values()) {
      oldest = earlier(oldest, service.joiner?.oldest);
      if (!isAtDefault(service)) oldest = earlier(oldest, startOf(service));
    }
    const { byteOffset, lineNo } = this.spans === null ? oldest : this.spans.outside(oldest);
    return { byteOffset, lineNo };
  }

  end(): void {
    for (const service of this.services.values()) service.joiner?.end();
    for (const part of this.parts) part.flush(null);
  }

  private verbatim(service: Service, line: RawLine): void {
    const text = stripColourEnds(line.text);
    // A byte order mark may have stood before the first line.
    if (text === line.text) this.give(service, line, line.byteOffset > 0);
    else this.give(service, { ...line, text }, false);
  }

  private wrapped(line: RawLine, wrapper: Wrapper): void {
    const unwrapped = wrapper.unwrap(line.text);
    if (unwrapped === null) {
      this.misfit(line, wrapper);
      return;
    }
    const { envelope } = unwrapped;
    const service = this.service(envelope.service ?? '');
    const raw = { ...line, text: stripColourEnds(unwrapped.text), envelope };
    this.last = service;
    this.lastLine = service.joiner?.oldest ?? line;
    this.lastPrefix = unwrapped.prefixLength;
    if (unwrapped.partial && service.joiner === null) {
      service.joiner = new PartJoiner((whole, lastOffset) => {
        this.spans?.add(whole, lastOffset);
        this.give(service, whole, false);
      });
    }
    if (service.joiner === null || (service.joiner.isEmpty && !unwrapped.partial)) this.give(service, raw, false);
    else service.joiner.push(raw, unwrapped.partial);
  }

  /** A line that the collector did not write like the others. */
  private misfit(line: RawLine, wrapper: Wrapper): void {
    const service = this.last;
    service?.joiner?.end();
    if (service !== null) this.spans?.add(this.lastLine, line.byteOffset);
    if (COLLECTOR_NOTE.test(line.text)) this.refuse(line, 'collector-note');
    else if (wrapper.objects) this.refuse(line, 'bad-envelope');
    else if (startShape(line.text) !== 'none') this.verbatim(this.plain, line);
    else if (service === null) this.refuse(line, 'no-record-start');
    else if (!wrapper.indents) this.verbatim(service, line);
    else {
      const indent = /^\s*/.exec(line.text.slice(0, this.lastPrefix))?.[0].length ?? 0;
      this.give(service, { ...line, text: line.text.slice(indent) }, indent === 0);
    }
  }

  private give(service: Service, line: RawLine, isVerbatim: boolean): void {
    let shape = startShape(line.text);
    if (shape === 'none' && line.envelope !== undefined && isNanomqSyslog(line.envelope)) shape = 'nanomq-syslog';
    const { part, refused, expected } = service;
    if (part === null && refused === null && expected !== undefined && shape === 'none') {
      // Text before the service's first record belongs with it. So does, after a resume, what belonged to its last one.
      service.part = partOf(service, expected) ?? this.open(service, expected);
    } else if (part !== null ? shape !== 'none' && shape !== part.family : shape !== refused?.family) {
      this.turn(service, line);
    } else if (shape !== 'none' && this.spans !== null && !isAtDefault(service)) {
      // A reader that resumes here must learn from this line what it is, so it must be what it looks like.
      const detected = detectWrappedLine(line.text, line.lineNo, line.envelope, this.wrapper);
      if (detected !== null && FAMILY_OF_LAYOUT[detected.layout] === shape) this.startRun(service, line);
    }
    service.lastOffset = line.byteOffset;
    if (service.part !== null) service.part.line(line, isVerbatim, this.spans);
    else this.refuse(line, service.refused?.reason ?? 'other-program');
  }

  /** The line does not look like the service's last ones: the part that it belongs to becomes the service's current one. */
  private turn(service: Service, line: RawLine): void {
    const { expected } = service;
    const detected = detectWrappedLine(line.text, line.lineNo, line.envelope, this.wrapper);
    if (detected === null) {
      if (service.part === null && service.refused === null && expected !== undefined) {
        service.part = partOf(service, expected) ?? this.open(service, expected);
      }
      return;
    }
    const family = FAMILY_OF_LAYOUT[detected.layout];
    const known = partOf(service, detected);
    if (this.parts.length > 0 || this.product !== undefined) this.spans ??= new OpenSpans();
    this.startRun(service, line);
    if (known !== undefined) service.part = known;
    else if (this.product !== undefined && detected.product !== this.product) {
      service.part = null;
      service.refused = { family, reason: 'other-product' };
    } else if (this.parts.length >= MAX_PARTS) {
      service.part = null;
      service.refused = { family, reason: 'too-many-parts' };
    } else {
      // A trace file can start with log lines: the head of the stream knows better than this line.
      const sameFamily = expected !== undefined && FAMILY_OF_LAYOUT[expected.layout] === family;
      service.part = this.open(service, sameFamily ? expected : detected);
    }
  }

  /** The line says where those that start no record go from here on. */
  private startRun(service: Service, line: RawLine): void {
    if (!isAtDefault(service)) this.spans?.add(startOf(service), service.lastOffset);
    service.startOffset = line.byteOffset;
    service.startLine = line.lineNo;
  }

  private open(service: Service, detection: Detection): Part {
    const index = this.parts.length;
    const part = new Part(service.name, detection, {
      record: (record) => this.sink.record(index, record),
      unparsed: (line) => this.sink.unparsed(index, line),
      ...(this.sink.slotted === undefined
        ? {}
        : { slotted: (record: SlottedRecord) => this.sink.slotted!(index, record), shapes: this.sink.shapes }),
    });
    this.parts.push(part);
    service.parts.push(part);
    this.sink.part(index, { label: part.label, key: `${part.family} ${part.label}`.trimEnd(), detection });
    return part;
  }

  /** Keeps a line that no part takes. It is counted with the part that the head of the stream tells of. */
  private refuse(line: RawLine, reason: string): void {
    if (this.primary === -1) {
      const service = this.service(this.found.service);
      this.primary = this.parts.indexOf(partOf(service, this.detection) ?? this.open(service, this.detection));
    }
    const { lineNo, byteOffset, byteLength } = line;
    this.sink.unparsed(this.primary, {
      lineNo,
      byteOffset,
      byteLength,
      text: line.text.slice(0, MAX_BODY_CHARS),
      reason,
    });
  }

  private service(name: string): Service {
    const known = this.services.get(name);
    if (known !== undefined) return known;
    if (this.services.size >= MAX_SERVICES) return this.plain;
    const expected = this.found.services.get(name);
    const nothing = { part: null, refused: null, joiner: null, startOffset: 0, startLine: 1, lastOffset: 0 };
    const service: Service = { name, expected, parts: [], ...nothing };
    this.services.set(name, service);
    return service;
  }

  private releaseSilent(byteOffset: number): void {
    this.nextCheck = (Math.floor(byteOffset / CHECK_BYTES) + 1) * CHECK_BYTES;
    for (const part of this.parts) {
      const held = part.held();
      if (held !== null && byteOffset - held.byteOffset > MAX_HELD_BYTES) part.flush(this.spans);
    }
    for (const service of this.services.values()) {
      if (isAtDefault(service) || byteOffset - service.startOffset <= MAX_HELD_BYTES) continue;
      service.refused = null;
      service.part = service.expected === undefined ? null : (partOf(service, service.expected) ?? null);
    }
  }
}

/** The service's part that reads this layout. */
function partOf(service: Service, { layout }: Detection): Part | undefined {
  return service.parts.find((part) => part.family === FAMILY_OF_LAYOUT[layout]);
}

/** Whether a fresh parser would send the service's next line, if it starts no record, to where this one sends it. */
function isAtDefault({ part, expected, refused }: Service): boolean {
  if (part === null) return refused === null;
  return expected !== undefined && part.family === FAMILY_OF_LAYOUT[expected.layout];
}

function startOf({ startOffset, startLine }: Service): LinePosition {
  return { byteOffset: startOffset, lineNo: startLine };
}

function earlier(one: LinePosition, other: LinePosition | null | undefined): LinePosition {
  return other === null || other === undefined || one.byteOffset <= other.byteOffset ? one : other;
}
