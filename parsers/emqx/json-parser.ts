/** Lines of EMQX JSON logs and JSON trace files to records: one object a line (spec emqx-logs.md sections 1.4, 1.5). */
import { positionAfter } from '../input/line-splitter.ts';
import {
  type Json,
  type LogRecord,
  MAX_BODY_CHARS,
  type ParserSink,
  type RawLine,
  type RecordParser,
} from '../record.ts';
import { trimEndWhile } from '../trim-end.ts';
import { splitPairs } from './body-pairs.ts';
import { consoleRecord } from './console-record.ts';
import { isValueCut } from './cut-marks.ts';
import type { Lookup } from './fields.ts';
import { readJsonTime, SEVERITY_OF_LEVEL } from './frame.ts';
import { type Interpretation, interpretPairs, interpretReport } from './interpret.ts';
import { salvageObject } from './json-salvage.ts';
import { addFlags, NO_FLAGS, withFlags } from './record-flags.ts';
import { hideSecrets } from './secrets.ts';

export function createEmqxJsonParser(sink: ParserSink): RecordParser {
  return new EmqxJsonParser(sink);
}

class EmqxJsonParser implements RecordParser {
  private readonly sink: ParserSink;
  private pending: LogRecord | null = null;
  private next = { byteOffset: 0, lineNo: 1 };

  constructor(sink: ParserSink) {
    this.sink = sink;
  }

  line(line: RawLine): void {
    this.next = positionAfter(line);
    if (line.text.trim() === '' && this.pending !== null) {
      this.pending = {
        ...this.pending,
        byteLength: this.pending.byteLength + line.byteLength,
        continuations: this.pending.continuations + 1,
      };
      return;
    }
    const record = readLine(line);
    this.end();
    if (typeof record === 'string') this.refuse(line, record);
    else this.pending = record;
  }

  resumePoint(): { byteOffset: number; lineNo: number } {
    return this.pending === null ? this.next : { byteOffset: this.pending.byteOffset, lineNo: this.pending.lineNo };
  }

  settle(): boolean {
    this.end();
    return true;
  }

  end(): void {
    const record = this.pending;
    this.pending = null;
    if (record !== null) this.sink.record(record);
  }

  private refuse(line: RawLine, reason: string): void {
    const { lineNo, byteOffset, byteLength } = line;
    this.sink.unparsed({ lineNo, byteOffset, byteLength, text: line.text.slice(0, MAX_BODY_CHARS), reason });
  }
}

type JsonObject = { readonly [key: string]: Json };

/** A collector may have put a prefix before the object. */
function readLine(line: RawLine): LogRecord | string {
  const brace = line.text.indexOf('{');
  const text = brace <= 0 ? line.text : line.text.slice(brace);
  const object = brace === -1 ? null : parseObject(text);
  if (object !== null) return toRecord(line, object, false);
  const console = consoleRecord({ ...line, continuations: 0 }, line.text.slice(0, MAX_BODY_CHARS));
  if (console !== null) return withFlags(console, addFlags(NO_FLAGS, line), false, line.envelope);
  const salvaged = brace === -1 ? null : salvageObject(text);
  if (!isObject(salvaged) || typeof salvaged.level !== 'string') return 'bad-json';
  const record = toRecord(line, salvaged, true);
  // Without a message there is nothing that a record could say.
  return typeof record === 'string' || record.event === null ? 'bad-json' : record;
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toRecord(line: RawLine, object: JsonObject, isCut: boolean): LogRecord | string {
  const time = readJsonTime(object.time);
  if (time === null) return 'bad-timestamp';
  const level = typeof object.level === 'string' ? object.level : '';
  const brace = line.text.indexOf('{');
  const said = interpretObject(object);
  const body = line.text.slice(brace, brace + MAX_BODY_CHARS);
  const record: LogRecord = {
    lineNo: line.lineNo,
    byteOffset: line.byteOffset,
    byteLength: line.byteLength,
    continuations: 0,
    ts: time.ts,
    tsPrecisionUs: time.tsPrecisionUs,
    severity: SEVERITY_OF_LEVEL[level] ?? 'info',
    thread: said.thread,
    file: null,
    line: said.line,
    func: said.func,
    tag: said.tag,
    clientId: said.clientId,
    bridgeId: null,
    peer: said.peer,
    event: said.event,
    head: line.text.slice(0, brace),
    body: hideSecrets(body, said.event),
    attributes: said.attributes,
  };
  return withFlags(
    record,
    addFlags(NO_FLAGS, line),
    isCut || said.isCut || (body.includes('...') && hasCutValue(object)),
    line.envelope,
  );
}

function hasCutValue(object: JsonObject): boolean {
  for (const values of [object, object.meta]) {
    if (!isObject(values)) continue;
    for (const key in values) {
      const value = values[key];
      if (typeof value === 'string' && isValueCut(key, value)) return true;
    }
  }
  return false;
}

function interpretObject(object: JsonObject): Interpretation {
  const get = lookupOf(object);
  const said = interpretPairs(get, false);
  const msg = object.msg;
  if (said.event !== null || typeof msg !== 'string') return said;
  // 4.x puts the whole text of a report, or of a message, into `msg`; all releases do with what the runtime says.
  const text = trimEndWhile(msg, isBlankOrComma);
  const ofText = interpretReport(text, splitPairs(text, { isTrace: false, keysMayTouch: false }), (key) =>
    key === 'msg' ? undefined : get(key),
  );
  // Messages that are no reports have no `msg` in text logs; here they carry what OTP's old interface left behind.
  return ofText.event === null && get('error_logger') === undefined && !OTP_TEXT.test(msg) ? said : ofText;
}

const isBlankOrComma = (character: string) => character === ',' || character.trim() === '';

const OTP_TEXT = /^(?:Supervisor|Application|Generic server|State machine|Process)\b|^\[/;

/** Keys of the object; a trace object has them in `meta`, with the tag as `trace_tag`. */
function lookupOf(object: JsonObject): Lookup {
  const meta = object.meta;
  if (!isObject(meta)) return (key) => own(object, key);
  return (key) => {
    if (key === 'msg') return own(object, 'msg');
    if (key === 'tag') return own(meta, 'trace_tag') ?? own(meta, 'tag');
    return own(meta, key);
  };
}

function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
