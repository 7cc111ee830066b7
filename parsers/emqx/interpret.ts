/** What an EMQX line says, whatever layout printed it: keys and values -> event, identity and attributes. */
import type { Attributes, Json } from '../record.ts';
import { type EmqxCatalogueRow, emqxCatalogue, emqxTextCatalogue } from './catalogue.ts';
import { type Lookup, plainText, readField } from './fields.ts';

export interface Interpretation {
  readonly event: string | null;
  readonly attributes: Attributes | null;
  readonly clientId: string | null;
  readonly peer: string | null;
  readonly tag: string | null;
  readonly thread: string | null;
  readonly func: string | null;
  readonly line: number | null;
}

const exactRows = new Map<string, EmqxCatalogueRow[]>();
const prefixRows: { readonly prefix: string; readonly row: EmqxCatalogueRow }[] = [];
const keyRows: EmqxCatalogueRow[] = [];
for (const row of emqxCatalogue) {
  if (row.keys !== undefined) keyRows.push(row);
  for (const msg of row.msgs) {
    if (msg.endsWith('*')) prefixRows.push({ prefix: msg.slice(0, -1), row });
    else exactRows.set(msg, [...(exactRows.get(msg) ?? []), row]);
  }
}

/** Reads a line whose keys `get` looks up. */
export function interpretPairs(get: Lookup): Interpretation {
  // 5.0.18–5.2 QUIC lines say `message` where all others say `msg`.
  const msg = plainText(get('msg')) ?? plainText(get('message'));
  const row = msg === null ? rowOfKeys(get) : rowOfMsg(msg, get);
  const attributes: { [name: string]: Json } = {};
  if (row !== null) for (const key in row.fields) readField(row.fields[key]!, key, get, attributes);
  else if (msg !== null) attributes.msg = msg;
  return finish(row?.event ?? null, attributes, get);
}

/** Reads a body that is no list of pairs: 4.x text messages and OTP reports. */
export function interpretText(text: string, get: Lookup): Interpretation {
  for (const row of emqxTextCatalogue) {
    const found = row.pattern.exec(text);
    if (found === null) continue;
    const groups = found.groups ?? {};
    const attributes: { [name: string]: Json } = {};
    const lookup: Lookup = (key) => groups[key];
    for (const key in groups) readField(row.fields?.[key] ?? 'text', key, lookup, attributes);
    return finish(row.event, attributes, get);
  }
  return finish(null, {}, get);
}

function rowOfMsg(msg: string, get: Lookup): EmqxCatalogueRow | null {
  const rows = exactRows.get(msg);
  if (rows !== undefined) return rows.find((row) => row.needs === undefined || get(row.needs) !== undefined) ?? null;
  return prefixRows.find(({ prefix }) => msg.startsWith(prefix))?.row ?? null;
}

function rowOfKeys(get: Lookup): EmqxCatalogueRow | null {
  return keyRows.find((row) => row.keys!.every((key) => get(key) !== undefined)) ?? null;
}

const MFA_LINE = /^(.*)\((\d+)\)$/;

function finish(event: string | null, attributes: { [name: string]: Json }, get: Lookup): Interpretation {
  const mfa = plainText(get('mfa'));
  const withLine = mfa === null ? null : MFA_LINE.exec(mfa);
  const line = get('line');
  const lineNumber =
    withLine !== null ? Number(withLine[2]) : line === undefined || line === null ? Number.NaN : Number(line);
  const ofPacket = attributes.client_id;
  return {
    event,
    attributes: hasKeys(attributes) ? attributes : null,
    clientId:
      plainText(get('clientid')) || plainText(get('client_id')) || (typeof ofPacket === 'string' ? ofPacket : null),
    peer: plainText(get('peername')) || null,
    tag: plainText(get('tag')) || null,
    thread: plainText(get('pid')) || null,
    func: withLine !== null ? withLine[1]! : tupleMfa(mfa),
    line: Number.isInteger(lineNumber) ? lineNumber : null,
  };
}

/** 4.x prints `{module,function,arity}`, all others `module:function/arity`. */
function tupleMfa(mfa: string | null): string | null {
  const found = mfa === null ? null : /^\{([^,]+),([^,]+),(\d+)\}$/.exec(mfa);
  return found === null ? mfa : `${found[1]}:${found[2]}/${found[3]}`;
}

function hasKeys(attributes: object): boolean {
  for (const _key in attributes) return true;
  return false;
}
