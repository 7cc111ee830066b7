/**
 * The vocabulary every parser speaks: one `LogRecord` a log record, whatever product and layout wrote it.
 *
 * Pure data, no behaviour. Times are integer microseconds since the Unix epoch (a double holds them exactly until 2255).
 */

export type Product = 'nanomq' | 'emqx';

/** What a stream of lines looks like. One stream has one layout; it is decided from its first lines (see `detect/`). */
export type Layout =
  | 'nanomq-file'
  | 'nanomq-console'
  | 'nanomq-syslog'
  | 'emqx-text'
  | 'emqx-json'
  | 'emqx-trace'
  | 'emqx-trace-json';

/** Both products' levels on one scale, worst first. EMQX `notice` is `info`; `alert` and `emergency` are `fatal`. */
export type Severity = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Attributes = { readonly [key: string]: Json };

/** One line as cut from the input: text without its line end, and where its bytes lie in the decompressed stream. */
export interface RawLine {
  readonly lineNo: number; // 1-based
  readonly byteOffset: number; // of the first byte
  readonly byteLength: number; // including the line end
  readonly text: string; // without \n or \r\n; a message that journald or syslog kept whole can have line ends inside
  readonly truncated?: boolean; // the text is cut at `MAX_LINE_CHARS`; byteLength is not
  /** The next line has the same number: a hole of NUL bytes lies between them, not a line end. */
  readonly endsInHole?: boolean;
  /** What was repaired in the text: bytes that were no UTF-8, NUL bytes. Absent if nothing was. */
  readonly flags?: readonly RecordFlag[];
  /** What a collector had written before the line and is no longer in `text`. */
  readonly envelope?: Envelope;
}

/** What is unusual about the bytes of a record; the words are stored and shown. */
export type RecordFlag =
  | 'line-truncated' // a line was longer than MAX_LINE_CHARS; its length is known, the rest of its text is not kept
  | 'invalid-utf8'
  | 'nul-bytes'
  | 'interleaved' // prefix and message come from a console line that two threads wrote into
  | 'cut'; // the product or a collector cut the message (EMQX `...`, docker's 16 KiB parts)

/** What docker, compose, Kubernetes, journald or syslog put before a line. Absent members: that collector does not say. */
export interface Envelope {
  readonly collector: 'docker' | 'docker-json' | 'compose' | 'journald' | 'syslog' | 'kubectl' | 'cri';
  /** The collector's own time of the line, µs; a stamp without an offset is read as if it were UTC. */
  readonly ts?: number;
  readonly host?: string;
  readonly service?: string; // container, compose service, unit or syslog program
  readonly pid?: number;
  readonly stream?: string; // stdout or stderr
  readonly priority?: number; // syslog PRI
}

export interface LogRecord {
  readonly lineNo: number; // 1-based line the record starts on
  readonly byteOffset: number; // of the record's first byte
  readonly byteLength: number; // of the record with its continuation lines and line ends
  readonly continuations: number; // lines after the first that belong to this record
  /** Time as written, µs. A stamp with an offset is that instant; one without (NanoMQ) is read as if it were UTC. */
  readonly ts: number | null;
  readonly tsPrecisionUs: number; // 1_000_000 for NanoMQ's whole seconds, 1 for µs stamps
  readonly severity: Severity;
  readonly thread: string | null; // NanoMQ thread id; EMQX process id
  readonly file: string | null; // base name of the source file (NanoMQ), else null
  readonly line: number | null; // source line
  readonly func: string | null; // function name, if the layout prints it (EMQX: mfa)
  readonly tag: string | null; // EMQX tag: MQTT, SOCKET, PUBLISH …
  readonly clientId: string | null; // as printed by EMQX; the NanoMQ parser never sets it
  readonly bridgeId: string | null; // bridge name (boot dump) or address, if the line itself names one
  readonly peer: string | null; // EMQX peername `ip:port`
  /** Stable snake_case name of the catalogue row that the message matches, null if it matches none. */
  readonly event: string | null;
  /** Everything before the message, exactly as written: `head + body` is the record's text without the last line end. */
  readonly head: string;
  /** The message, continuation lines joined by `\n`; capped at `MAX_BODY_CHARS`. */
  readonly body: string;
  /** Typed fields of the message, named as in the catalogue; null if there are none. */
  readonly attributes: Attributes | null;
  /** Absent if nothing is unusual. */
  readonly flags?: readonly RecordFlag[];
  /** Of the record's first line; absent if no collector wrote anything. */
  readonly envelope?: Envelope;
}

/** A stretch of lines that no layout accounts for. It is kept and counted, never dropped. */
export interface UnparsedLine {
  readonly lineNo: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly text: string; // capped at MAX_BODY_CHARS
  readonly reason: string; // stable short word: `no-record-start`, `bad-json`, `bad-timestamp`, `binary` …
}

export interface ParserSink {
  record(record: LogRecord): void;
  unparsed(line: UnparsedLine): void;
}

/**
 * Feeds on consecutive lines of one source and hands finished records to its sink. A record is finished when the next one
 * starts; NanoMQ's console layout and its settings dump hold back up to 256 records until their counterpart is there. `end()`
 * flushes them. Never throws on any input.
 */
export interface RecordParser {
  line(line: RawLine): void;
  /**
   * Takes the plain ASCII line that starts at `bytes[from]` and ends in a line feed: its length with that, 0 if it has to come as
   * text. The bytes must stay as they are until `keep` has been called.
   */
  take?(bytes: Buffer, from: number, byteOffset: number, lineNo: number): number;
  /** The bytes of lines taken so far are about to change. */
  keep?(): void;
  /** Byte offset and line number at which a fresh parser could take over without loss: the start of the first record held back (which may lie inside a line). */
  resumePoint(): { readonly byteOffset: number; readonly lineNo: number };
  /** To be called when the next line starts a record: hands on what waits for nothing else; true if nothing is held then. */
  settle(): boolean;
  end(): void;
}

export const MAX_BODY_CHARS = 65_536;
