/** What an EMQX line says, whatever layout printed it: keys and values -> event, identity and attributes. */
import type { Attributes, Json, Severity } from '../record.ts';
import type { Pairs } from './body-pairs.ts';
import { CONSOLE_START } from './catalogue/console.ts';
import { emqxConsoleCatalogue, emqxTextCatalogue } from './catalogue.ts';
import type { EmqxTextRow } from './catalogue-row.ts';
import { endsCut, isTextCut, isValueCut } from './cut-marks.ts';
import { type Lookup, plainText, readField } from './fields.ts';
import { rowOfCutMsg, rowOfKeys, rowOfMsg } from './row-search.ts';

export interface Interpretation {
  readonly event: string | null;
  readonly attributes: Attributes | null;
  readonly clientId: string | null;
  readonly peer: string | null;
  readonly tag: string | null;
  readonly thread: string | null;
  readonly func: string | null;
  readonly line: number | null;
  readonly isCut: boolean;
}

/** Reads the body of a text line, or a whole report that JSON has in `msg`; `pairs` are its keys and values if it has some. */
export function interpretReport(text: string, pairs: Pairs | null, outer: Lookup = NOTHING): Interpretation {
  const isCut = pairs === null ? isTextCut(text) : text.includes('...') && hasCutValue(pairs);
  if (pairs === null) return interpretText(text, outer, isCut);
  const get: Lookup = (key) => pairs.get(key) ?? outer(key);
  if (pairs.has('msg')) return interpretPairs(get, isCut);
  // An OTP report can hold the keys by which a line of the QUIC listener is known.
  const said = interpretText(text, get, isCut);
  return said.event === null ? interpretPairs(get, isCut) : said;
}

const NOTHING: Lookup = () => undefined;
/** JSON trace files say so of a report without `msg`. */
const NO_MESSAGE = 'no_message';

/** Reads a line whose keys `get` looks up. */
export function interpretPairs(get: Lookup, isCut: boolean): Interpretation {
  // 5.0.18–5.2 QUIC lines say `message` where all others say `msg`.
  const printed = plainText(get('msg')) ?? plainText(get('message'));
  const msg = printed === NO_MESSAGE ? null : printed;
  const row =
    msg === null ? rowOfKeys(get) : (rowOfMsg(msg, get) ?? (endsCut(msg) ? rowOfCutMsg(msg.slice(0, -3), get) : null));
  const attributes: { [name: string]: Json } = {};
  if (row !== null) for (const key in row.fields) readField(row.fields[key]!, key, get, attributes);
  else if (msg !== null) attributes.msg = msg;
  return finish(row?.event ?? null, attributes, get, isCut);
}

/** 5.0–5.2, and later releases if asked to, name the function after a message that is no report. */
const MFA_AFTER = / mfa: ([\w'@.-]+:[^\s/]+\/\d+(?:\(\d+\))?|undefined)(?: line: (\d+))?$/;

/** Reads a body that is no list of pairs: 4.x text messages and OTP reports. */
export function interpretText(text: string, get: Lookup, isCut: boolean): Interpretation {
  const after = text.includes(' mfa: ') ? MFA_AFTER.exec(text) : null;
  const message = after === null ? text : text.slice(0, after.index);
  const source: { [key: string]: string | undefined } =
    after === null ? {} : { mfa: after[1] === 'undefined' ? undefined : after[1], line: after[2] };
  for (const row of emqxTextCatalogue) {
    const found = row.pattern.exec(message);
    if (found === null) continue;
    const groups = found.groups ?? {};
    const metadata = row.event === 'otp_crash_report' ? clientOfCrash(text) : {};
    return finish(
      row.event,
      attributesOf(row, groups),
      (key) => get(key) ?? metadata[key] ?? source[key] ?? (key === 'clientid' ? groups[key] : undefined),
      isCut,
    );
  }
  return finish(null, {}, (key) => get(key) ?? source[key], isCut);
}

/** What a line without time and level says on the console, or null if it is none that a node prints. */
export function interpretConsole(
  text: string,
  isBeforeLog: boolean,
): { event: string; severity: Severity; attributes: Attributes } | null {
  if (!CONSOLE_START.test(text)) return null;
  for (const row of emqxConsoleCatalogue) {
    if (row.onlyBeforeLog === true && !isBeforeLog) continue;
    const found = row.pattern.exec(text);
    if (found === null) continue;
    return { event: row.event, severity: row.severity ?? 'info', attributes: attributesOf(row, found.groups ?? {}) };
  }
  return null;
}

function attributesOf(row: EmqxTextRow, groups: { [name: string]: string | undefined }): { [name: string]: Json } {
  const attributes: { [name: string]: Json } = {};
  const lookup: Lookup = (key) => groups[key];
  for (const key in groups) if (key !== 'clientid') readField(row.fields?.[key] ?? 'text', key, lookup, attributes);
  return attributes;
}

const CRASH_METADATA = /'\$logger_metadata\$',\s{0,99}#\{([^}]{0,4096})\}/;

/** The client of a connection that crashed: the process kept it for its log lines. */
function clientOfCrash(text: string): { [key: string]: string | undefined } {
  const metadata = CRASH_METADATA.exec(text)?.[1];
  if (metadata === undefined) return {};
  return {
    clientid: /clientid =>\s*(?:<<)?"([^"]*)"/.exec(metadata)?.[1],
    peername: /peername =>\s*(?:<<)?"([^"]*)"/.exec(metadata)?.[1],
  };
}

const MFA_LINE = /^(.*)\((\d+)\)$/;

function finish(
  event: string | null,
  attributes: { [name: string]: Json },
  get: Lookup,
  isCut: boolean,
): Interpretation {
  const mfa = plainText(get('mfa'));
  const withLine = mfa === null ? null : MFA_LINE.exec(mfa);
  const line = get('line');
  const lineNumber =
    withLine !== null ? Number(withLine[2]) : line === undefined || line === null ? Number.NaN : Number(line);
  const ofPacket = attributes.client_id;
  return {
    event,
    attributes: hasKeys(attributes) ? attributes : null,
    clientId: name(get('clientid')) ?? name(get('client_id')) ?? (typeof ofPacket === 'string' ? ofPacket : null),
    peer: name(get('peername')),
    tag: name(get('tag')),
    thread: name(get('pid')),
    func: withLine !== null ? withLine[1]! : tupleMfa(mfa),
    line: isSourceLine(lineNumber) ? lineNumber : null,
    isCut,
  };
}

const INT32_MAX = 2_147_483_647;

/** A source file has no more lines than the column for them can count. */
function isSourceLine(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= INT32_MAX;
}

/** A name of which only the beginning was printed is none. */
function name(value: Json | undefined): string | null {
  const text = plainText(value);
  return text === null || text === '' || endsCut(text) ? null : text;
}

/** 4.x prints `{module,function,arity}`, all others `module:function/arity`. */
function tupleMfa(mfa: string | null): string | null {
  const found = mfa === null ? null : /^\{([^,]+),([^,]+),(\d+)\}$/.exec(mfa);
  return found === null ? mfa : `${found[1]}:${found[2]}/${found[3]}`;
}

function hasCutValue(pairs: Pairs): boolean {
  for (const [key, value] of pairs) if (isValueCut(key, value)) return true;
  return false;
}

function hasKeys(attributes: object): boolean {
  for (const _key in attributes) return true;
  return false;
}
