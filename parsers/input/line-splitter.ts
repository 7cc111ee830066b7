/**
 * Cuts a stream of bytes into lines and says where each one's bytes lie.
 *
 * Line ends are `\n` and `\r\n`. Text is UTF-8 with replacement characters for what is not; pure ASCII takes a faster way. NUL
 * bytes are taken out. A long run of them is the hole that a crash or a truncated file leaves: what follows it was written by
 * another process, so it becomes a line of its own with the same line number.
 */
import { isAscii } from 'node:buffer';
import type { RawLine, RecordFlag, RecordParser } from '../record.ts';

/** A longer line keeps its byte length, but only this much of its text. */
export const MAX_LINE_CHARS = 1_048_576;
/** NULs in a row that are a hole in the file and not a byte in a message. */
const HOLE_BYTES = 64;

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const FIRST_CARRY_BYTES = 4_096;

export interface LinePosition {
  readonly byteOffset: number; // of the first byte that will be pushed
  readonly lineNo: number; // 1-based number of the line that starts there
}

/** Where the line behind this one starts: the same number again, if no line end but a hole lies between them. */
export function positionAfter({ byteOffset, byteLength, lineNo, endsInHole }: RawLine): LinePosition {
  return { byteOffset: byteOffset + byteLength, lineNo: endsInHole === true ? lineNo : lineNo + 1 };
}

/** Takes lines as bytes, where that is cheaper than as text (see RecordParser). */
export type LineTaker = Required<Pick<RecordParser, 'take' | 'keep'>>;

export class LineSplitter {
  private readonly onLine: (line: RawLine) => void;
  private readonly taker: LineTaker | null;
  /** Of the line given out last; before the first, where that will start, and the number before its own. */
  last: LinePosition;
  private lineNo: number;
  private lineStart: number;
  /** Text bytes of the line that is not complete yet, without its NULs; at most MAX_LINE_CHARS + 1 of them are kept. */
  private carry = Buffer.alloc(0);
  private keptBytes = 0;
  private carriedBytes = 0; // all bytes of that line so far
  private carriedTextBytes = 0; // those that are no NULs
  private nulRun = 0; // NULs at its end
  private lastTextByte = 0;
  private isPlainChunk = false;

  /** Complete lines of plain ASCII are offered to `taker` first, if there is one. */
  constructor(
    onLine: (line: RawLine) => void,
    start: LinePosition = { byteOffset: 0, lineNo: 1 },
    taker: LineTaker | null = null,
  ) {
    this.onLine = onLine;
    this.taker = taker;
    this.lineNo = start.lineNo;
    this.lineStart = start.byteOffset;
    this.last = { byteOffset: start.byteOffset, lineNo: start.lineNo - 1 };
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // Asked once for all its lines, it costs next to nothing.
    this.isPlainChunk = isAscii(bytes) && !bytes.includes(NUL);
    const lastLf = bytes.lastIndexOf(LF);
    let from = 0;
    while (from <= lastLf) {
      if (this.carriedBytes === 0 && this.taker !== null && this.isPlainChunk) {
        from = this.giveAway(this.taker, bytes, from, lastLf);
        if (from > lastLf) break;
      }
      const at = bytes.indexOf(LF, from);
      if (this.carriedBytes > 0 || !this.emitWhole(bytes, from, at)) {
        this.keep(bytes.subarray(from, at));
        this.emitCarried(1);
      }
      from = at + 1;
    }
    if (from < bytes.length) this.keep(bytes.subarray(from));
    this.taker?.keep();
  }

  /** Gives lines to the taker until it refuses one. Where that one starts. */
  private giveAway(taker: LineTaker, bytes: Buffer, from: number, lastLf: number): number {
    let at = from;
    let last = -1; // length of the last line taken
    while (at <= lastLf) {
      const length = taker.take(bytes, at, this.lineStart, this.lineNo);
      if (length === 0) break;
      last = length;
      at += length;
      this.lineStart += length;
      this.lineNo += 1;
    }
    if (last > 0) this.last = { byteOffset: this.lineStart - last, lineNo: this.lineNo - 1 };
    return at;
  }

  /** Emits the last line if the input does not end in a line end. */
  end(): void {
    if (this.carriedBytes > 0) this.emitCarried(0);
  }

  /** The usual line: complete in one chunk, short, without NULs. False if it is none, and nothing was done. */
  private emitWhole(bytes: Buffer, from: number, lf: number): boolean {
    const to = lf > from && bytes[lf - 1] === CR ? lf - 1 : lf;
    if (to - from > MAX_LINE_CHARS) return false;
    const text = bytes.toString('latin1', from, to);
    // A latin1 string with a character of 0x80 or more stands for bytes that need the UTF-8 decoder.
    if (this.isPlainChunk || !NOT_PLAIN.test(text)) {
      this.emit({ lineNo: this.lineNo, byteOffset: this.lineStart, byteLength: lf + 1 - from, text });
    } else {
      if (text.includes('\0')) return false;
      this.emitText(bytes.subarray(from, to), lf + 1 - from, NO_FLAGS);
    }
    this.lineNo += 1;
    return true;
  }

  private keep(rest: Buffer): void {
    let from = 0;
    for (let nul = rest.indexOf(NUL); nul !== -1; nul = rest.indexOf(NUL, from)) {
      this.keepText(rest.subarray(from, nul));
      let end = nul + 1;
      while (end < rest.length && rest[end] === NUL) end += 1;
      this.nulRun += end - nul;
      this.carriedBytes += end - nul;
      from = end;
    }
    this.keepText(rest.subarray(from));
  }

  private keepText(part: Buffer): void {
    if (part.length === 0) return;
    if (this.nulRun >= HOLE_BYTES && this.carriedTextBytes > 0) this.emitPiece(0, true);
    this.nulRun = 0;
    this.carriedBytes += part.length;
    this.carriedTextBytes += part.length;
    this.lastTextByte = part[part.length - 1]!;
    const kept = Math.min(part.length, MAX_LINE_CHARS + 1 - this.keptBytes);
    if (kept <= 0) return;
    // The caller may reuse its chunk, so what is carried over is copied.
    if (this.keptBytes + kept > this.carry.length) this.growCarry(this.keptBytes + kept);
    part.copy(this.carry, this.keptBytes, 0, kept);
    this.keptBytes += kept;
  }

  private growCarry(bytes: number): void {
    const room = Math.max(bytes, FIRST_CARRY_BYTES, 2 * this.carry.length);
    const larger = Buffer.allocUnsafe(Math.min(room, MAX_LINE_CHARS + 1));
    this.carry.copy(larger, 0, 0, this.keptBytes);
    this.carry = larger;
  }

  private emitCarried(lineEndBytes: number): void {
    this.emitPiece(lineEndBytes, false);
    this.lineNo += 1;
  }

  /** Emits what is carried as a line, and starts the next one behind it. */
  private emitPiece(lineEndBytes: number, endsInHole: boolean): void {
    const byteLength = this.carriedBytes + lineEndBytes;
    const endsInCr = lineEndBytes > 0 && this.carriedTextBytes > 0 && this.lastTextByte === CR;
    const textBytes = this.carriedTextBytes - (endsInCr ? 1 : 0);
    const flags: RecordFlag[] = textBytes > MAX_LINE_CHARS ? ['line-truncated'] : [];
    if (this.carriedBytes > this.carriedTextBytes) flags.push('nul-bytes');
    const text = this.carry.subarray(0, Math.min(textBytes, this.keptBytes));
    this.keptBytes = 0;
    this.carriedBytes = 0;
    this.carriedTextBytes = 0;
    this.nulRun = 0;
    this.emitText(text, byteLength, flags, endsInHole);
  }

  private emitText(bytes: Buffer, byteLength: number, flags: readonly RecordFlag[], endsInHole = false): void {
    const truncated = bytes.length > MAX_LINE_CHARS;
    const length = truncated ? lastCharacterEnd(bytes, MAX_LINE_CHARS) : bytes.length;
    const from = this.lineStart === 0 && startsWithBom(bytes) ? BOM.length : 0;
    const text = bytes.toString('utf8', from, length);
    const all = text.includes(REPLACEMENT) && !isUtf8(bytes, from, length, text) ? [...flags, INVALID_UTF8] : flags;
    this.emit({
      lineNo: this.lineNo,
      byteOffset: this.lineStart,
      byteLength,
      text,
      ...(all.length === 0 ? {} : { flags: all }),
      ...(truncated ? { truncated: true } : {}),
      ...(endsInHole ? { endsInHole: true } : {}),
    });
  }

  private emit(line: RawLine): void {
    this.lineStart += line.byteLength;
    this.last = line;
    this.onLine(line);
  }
}

const NOT_PLAIN = /[\0\x80-\xff]/;
const NO_FLAGS: readonly RecordFlag[] = [];
const INVALID_UTF8: RecordFlag = 'invalid-utf8';
const REPLACEMENT = '\ufffd';
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT);
/** A byte order mark is no text; it counts among the bytes of the first line. */
const BOM = Buffer.from('\ufeff');

function startsWithBom(bytes: Buffer): boolean {
  return bytes.length >= BOM.length && bytes[0] === BOM[0] && bytes[1] === BOM[1] && bytes[2] === BOM[2];
}

/** Whether every replacement character of the text was one in the bytes already. */
function isUtf8(bytes: Buffer, from: number, to: number, text: string): boolean {
  let written = 0;
  for (let at = bytes.indexOf(REPLACEMENT_BYTES, from); at !== -1 && at < to; written++) {
    at = bytes.indexOf(REPLACEMENT_BYTES, at + REPLACEMENT_BYTES.length);
  }
  return text.split(REPLACEMENT).length - 1 === written;
}

/** The end of the last whole character in the first `limit` bytes. */
function lastCharacterEnd(bytes: Buffer, limit: number): number {
  let end = limit;
  while (end > limit - 4 && end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return end;
}
