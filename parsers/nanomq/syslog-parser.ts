/**
 * Lines that NanoMQ hands to syslog: the message alone, without its own header. What syslog wrote before it has been taken off
 * and is in `RawLine.envelope`, or was never there (`journalctl -o cat`).
 *
 * NanoMQ passes its level number on as syslog priority unconverted, so that each level comes out two steps too bad (log.c
 * `syslog_callback`). The source file is not known: statements are found by their text among those of all files.
 */
import { positionAfter } from '../input/line-splitter.ts';
import {
  type Envelope,
  type LogRecord,
  MAX_BODY_CHARS,
  type ParserSink,
  type RawLine,
  type RecordFlag,
  type RecordParser,
  type Severity,
} from '../record.ts';
import { trimEndings } from '../trim-end.ts';
import { searchAllFiles } from './catalogue-search.ts';
import { type ConfSection, confSection, isConfItem, readConfLine } from './conf-dump.ts';

/** Severity by the three low bits of the syslog priority; `info` and `debug` of syslog do not occur. */
const SEVERITY_OF_PRIORITY: readonly (Severity | null)[] = [
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
  null,
  null,
];

/** rsyslog writes control characters as octal numbers: the line end that some messages end in, the tab of the settings dump. */
const ESCAPED_LINE_END = '#012';
const ESCAPED_TAB = /^#011/;

/** Items of one section of the settings dump at most; they are held back until the section ends. */
const MAX_HELD_RECORDS = 256;

interface Draft {
  readonly first: RawLine;
  byteLength: number;
  continuations: number;
  body: string;
  flags: readonly RecordFlag[];
}

export function createNanomqSyslogParser(sink: ParserSink): RecordParser {
  let held: Draft[] = [];
  let inSection = false;
  let next = { byteOffset: 0, lineNo: 1 };

  const flush = () => {
    let section: ConfSection | null = null;
    for (const draft of held) {
      const message = unescaped(draft.body);
      section = confSection(message) ?? (isConfItem(message) ? section : null);
      sink.record(finish(draft, message, section));
    }
    held = [];
  };

  return {
    line(line) {
      next = positionAfter(line);
      const body = capped(line.text);
      const message = unescaped(body);
      const last = held[held.length - 1];
      const isBlank = message.trim() === '';
      if (!isBlank && (line.envelope !== undefined || isStatement(message))) {
        const isItem = inSection && isConfItem(message) && held.length < MAX_HELD_RECORDS;
        if (!isItem) flush();
        inSection = isItem || confSection(message) !== null;
        held.push({ first: line, byteLength: line.byteLength, continuations: 0, body, flags: line.flags ?? [] });
      } else if (last === undefined) {
        const { lineNo, byteOffset, byteLength } = line;
        sink.unparsed({ lineNo, byteOffset, byteLength, text: body, reason: 'no-record-start' });
      } else {
        last.byteLength += line.byteLength;
        last.continuations += 1;
        if (last.body.length < MAX_BODY_CHARS) last.body = capped(`${last.body}\n${line.text}`);
        last.flags = [...new Set([...last.flags, ...(line.flags ?? [])])];
      }
    },
    resumePoint() {
      const first = held[0]?.first;
      return first === undefined ? next : { byteOffset: first.byteOffset, lineNo: first.lineNo };
    },
    settle() {
      flush();
      return true;
    },
    end: flush,
  };
}

function finish(draft: Draft, message: string, section: ConfSection | null): LogRecord {
  const { first } = draft;
  const severity = severityOf(first.envelope);
  const conf = readConfLine(message, section);
  const found = conf === null ? searchStatement(message, severity) : null;
  const attributes = (conf ?? found)?.attributes ?? null;
  const address = attributes?.address;
  const ts = first.envelope?.ts ?? null;
  return {
    lineNo: first.lineNo,
    byteOffset: first.byteOffset,
    byteLength: draft.byteLength,
    continuations: draft.continuations,
    ts,
    // The old syslog format has whole seconds, the new one microseconds.
    tsPrecisionUs: ts !== null && ts % 1_000_000 !== 0 ? 1 : 1_000_000,
    severity: severity ?? found?.severity ?? 'info',
    thread: null,
    file: null,
    line: null,
    func: null,
    tag: null,
    clientId: null,
    bridgeId: conf?.bridge ?? (typeof address === 'string' ? address : null),
    peer: null,
    event: (conf ?? found)?.event ?? null,
    head: '',
    body: conf?.body ?? draft.body,
    attributes,
    ...(draft.flags.length === 0 ? {} : { flags: draft.flags }),
    ...(first.envelope === undefined ? {} : { envelope: first.envelope }),
  };
}

function isStatement(message: string): boolean {
  return readConfLine(message, null) !== null || searchAllFiles(message, null) !== null;
}

/** Plain text that a collector joined to a message does not count. */
function searchStatement(message: string, severity: Severity | null) {
  const whole = searchAllFiles(message, severity);
  const lineEnd = message.indexOf('\n');
  return whole === null && lineEnd !== -1 ? searchAllFiles(message.slice(0, lineEnd), severity) : whole;
}

function unescaped(body: string): string {
  return trimEndings(body, ESCAPED_LINE_END).replace(ESCAPED_TAB, '\t');
}

function severityOf(envelope: Envelope | undefined): Severity | null {
  return envelope?.priority === undefined ? null : (SEVERITY_OF_PRIORITY[envelope.priority & 7] ?? null);
}

function capped(text: string): string {
  return text.length > MAX_BODY_CHARS ? text.slice(0, MAX_BODY_CHARS) : text;
}
