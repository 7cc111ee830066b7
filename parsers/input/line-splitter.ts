/**
 * Cuts a stream of bytes into lines and says where each one's bytes lie.
 *
 * Line ends are `\n` and `\r\n`. Text is UTF-8 with replacement characters for what is not; pure ASCII takes a faster way.
 */
import type { RawLine } from '../record.ts';

/** A longer line keeps its byte length, but only this much of its text. */
export const MAX_LINE_CHARS = 1_048_576;

const LF = 0x0a;
const CR = 0x0d;

export interface LinePosition {
  readonly byteOffset: number; // of the first byte that will be pushed
  readonly lineNo: number; // 1-based number of the line that starts there
}

export class LineSplitter {
  private readonly onLine: (line: RawLine) => void;
  private lineNo: number;
  private lineStart: number;
  /** Bytes of the line that is not complete yet; at most MAX_LINE_CHARS + 1 of them are kept. */
  private carry: Buffer[] = [];
  private carriedBytes = 0;
  private keptBytes = 0;
  private lastCarriedByte = 0;

  constructor(onLine: (line: RawLine) => void, start: LinePosition = { byteOffset: 0, lineNo: 1 }) {
    this.onLine = onLine;
    this.lineNo = start.lineNo;
    this.lineStart = start.byteOffset;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let from = 0;
    for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, from)) {
      if (this.carriedBytes === 0) this.emit(bytes, from, at, at + 1 - from);
      else this.emitCarried(bytes.subarray(from, at), 1);
      from = at + 1;
    }
    if (from < bytes.length) this.keep(bytes.subarray(from));
  }

  /** Emits the last line if the input does not end in a line end. */
  end(): void {
    if (this.carriedBytes > 0) this.emitCarried(Buffer.alloc(0), 0);
  }

  private keep(rest: Buffer): void {
    this.carriedBytes += rest.length;
    this.lastCarriedByte = rest[rest.length - 1]!;
    const room = MAX_LINE_CHARS + 1 - this.keptBytes;
    if (room <= 0) return;
    // The caller may reuse its chunk, so the part that is carried over is copied.
    const copy = Buffer.from(rest.subarray(0, room));
    this.carry.push(copy);
    this.keptBytes += copy.length;
  }

  private emitCarried(tail: Buffer, lineEndBytes: number): void {
    const textBytes = this.carriedBytes + tail.length;
    const endsInCr = (tail.length > 0 ? tail[tail.length - 1] : this.lastCarriedByte) === CR && lineEndBytes > 0;
    const room = MAX_LINE_CHARS + 1 - this.keptBytes;
    if (tail.length > 0 && room > 0) this.carry.push(tail.subarray(0, room));
    const whole = this.carry.length === 1 ? this.carry[0]! : Buffer.concat(this.carry);
    this.carry = [];
    this.carriedBytes = 0;
    this.keptBytes = 0;
    const textEnd = Math.min(whole.length, textBytes - (endsInCr ? 1 : 0));
    this.emitText(whole, 0, textEnd, textBytes + lineEndBytes);
  }

  private emit(bytes: Buffer, from: number, lf: number, byteLength: number): void {
    const textEnd = lf > from && bytes[lf - 1] === CR ? lf - 1 : lf;
    this.emitText(bytes, from, textEnd, byteLength);
  }

  private emitText(bytes: Buffer, from: number, to: number, byteLength: number): void {
    const truncated = to - from > MAX_LINE_CHARS;
    const text = decode(bytes, from, truncated ? from + MAX_LINE_CHARS : to);
    const line = { lineNo: this.lineNo, byteOffset: this.lineStart, byteLength, text };
    this.lineNo += 1;
    this.lineStart += byteLength;
    this.onLine(truncated ? { ...line, truncated: true } : line);
  }
}

function decode(bytes: Buffer, from: number, to: number): string {
  const latin1 = bytes.toString('latin1', from, to);
  // A latin1 string with a character of 0x80 or more stands for bytes that need the UTF-8 decoder.
  return NOT_ASCII.test(latin1) ? bytes.toString('utf8', from, to) : latin1;
}

const NOT_ASCII = /[\x80-\xff]/;
