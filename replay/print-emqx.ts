/** A simulated run as EMQX's text log and as a trace of one client. */
import type { Severity, SimRecord } from '../engine/index.ts';
import { emqxCatalogue } from '../parsers/index.ts';
import { compareReleases } from '../queries/index.ts';
import { HIDDEN, printPacket, printPacketTerm } from './print-packet.ts';

const LEVELS: Readonly<Record<Severity, string>> = {
  fatal: 'critical',
  error: 'error',
  warn: 'warning',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
};
const PAYLOAD = 'payload_bytes';

interface Statement {
  readonly msg: string;
  readonly tag: string | null;
}

export interface EmqxPrintOptions {
  /** EMQX release, 5.0.16 or later; it decides the order of the keys and how a payload is printed. */
  readonly release: string;
  /** µs since the epoch at the start of the run. */
  readonly start: number;
}

/**
 * The message of a record as in the main log, without time and level; null for what EMQX's catalogue does not have.
 * @param payloads `hidden`: as with EMQX's setting of that name, six stars stand for a payload whatever its size
 */
export function printEmqxBody(record: SimRecord, release: string, payloads: 'text' | 'hidden' = 'text'): string | null {
  const statement = record.endpoint === 'broker' ? statementOf(record.event) : null;
  if (statement === null) return null;
  const style = { ...styleOf(release), hidden: payloads === 'hidden' };
  const tag = statement.tag === null ? [] : [`tag: ${statement.tag}`];
  const clientId = record.clientId === null ? [] : [`clientid: ${record.clientId}`];
  const peer = record.peer === null ? [] : [`peername: ${record.peer}`];
  const fields = printFields(record, style);
  const pairs = style.tagFirst
    ? [...tag, ...clientId, `msg: ${statement.msg}`, ...peer, ...fields]
    : [`msg: ${statement.msg}`, style.source, ...peer, ...clientId, ...fields, ...tag];
  return pairs.join(', ');
}

/** One line of the main log without its line end; null for records of the bridge and for events that EMQX's catalogue does not have. */
export function printEmqxLine(record: SimRecord, options: EmqxPrintOptions): string | null {
  const body = printEmqxBody(record, options.release);
  return body === null ? null : `${stamp(options.start + record.at)} [${LEVELS[record.severity]}] ${body}`;
}

/** One line of the trace of `clientId`; null for what is not in it: other clients, records without an identity, untagged ones. */
export function printTraceLine(record: SimRecord, options: EmqxPrintOptions, clientId: string): string | null {
  const statement = record.endpoint === 'broker' && record.clientId === clientId ? statementOf(record.event) : null;
  if (statement === null || statement.tag === null || record.peer === null) return null;
  const fields = printFields(record, styleOf(options.release));
  // The payload stands last: it may hold anything.
  const isPayload = (pair: string): boolean => pair.startsWith('payload: ');
  const sorted = [...fields.filter((pair) => !isPayload(pair)), ...fields.filter(isPayload)];
  const pairs = [`msg: ${statement.msg}`, ...sorted].join(', ');
  return `${stamp(options.start + record.at)} [${statement.tag}] ${clientId}@${record.peer} ${pairs}`;
}

interface Style {
  /** `tag: …, clientid: …, msg: …`; else `msg: …, mfa: …, …, tag: …`. */
  readonly tagFirst: boolean;
  readonly source: string;
  /** A payload's encoding is named. */
  readonly payloadKind: boolean;
  readonly hidden: boolean;
}

function styleOf(release: string): Style {
  return {
    tagFirst: compareReleases(release, '5.6.0') >= 0,
    source: compareReleases(release, '5.3.0') >= 0 ? 'mfa: emqx:log/1(1)' : 'mfa: emqx:log/1, line: 1',
    payloadKind: compareReleases(release, '5.8.2') >= 0,
    hidden: false,
  };
}

function printFields(record: SimRecord, { payloadKind, hidden }: Style): string[] {
  const { event, fields } = record;
  if (fields === null) return [];
  if (Array.isArray(fields.packets))
    return [`packets: [${fields.packets.map((packet) => printPacketTerm(packet, hidden)).join(',')}]`];
  if (fields.packet !== undefined)
    return [`packet: ${printPacket(fields, payloadKind ? 'Payload(text)' : 'Payload', hidden)}`];
  return Object.entries(fields).flatMap(([key, value]) => {
    if (key === 'reason_term') return [];
    if (key === 'reason') return [`reason: ${fields.reason_term ?? value}`];
    if (key === 'sub_id' || key === 'client_id') return [`${key}: <<"${value}">>`];
    if (event === 'broker_subscribe' && key === 'qos')
      return [`sub_opts: #{nl => 1,qos => ${value},rap => 0,rh => 0,sub_props => #{}}`];
    if (key === PAYLOAD) {
      const text = hidden ? HIDDEN : 'x'.repeat(Number(value));
      return payloadKind ? [`payload: ${text}`, 'payload_encode: text'] : [`payload: <<"${text}">>`];
    }
    return [`${key}: ${value}`];
  });
}

const statements = new Map<string, Statement | null>();

function statementOf(event: string): Statement | null {
  let statement = statements.get(event);
  if (statement === undefined) {
    const row = emqxCatalogue.find((candidate) => candidate.event === event && candidate.msgs.length > 0);
    statement = row ? { msg: row.msgs[0]!, tag: row.tag ?? null } : null;
    statements.set(event, statement);
  }
  return statement;
}

/** RFC 3339 with six digits. */
function stamp(us: number): string {
  const iso = new Date(Math.floor(us / 1000)).toISOString();
  return `${iso.slice(0, 23)}${String(us % 1000).padStart(3, '0')}+00:00`;
}
