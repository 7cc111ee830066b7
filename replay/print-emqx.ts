/** A simulated run as EMQX's text log and as a trace of one client. */
import type { Severity, SimRecord } from '../engine/index.ts';
import { emqxCatalogue } from '../parsers/index.ts';
import { printPacket, printPacketTerm } from './print-packet.ts';

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

/** One line of the main log without its line end; null for records of the bridge and for events that EMQX's catalogue does not have. */
export function printEmqxLine(record: SimRecord, start: number): string | null {
  const statement = record.endpoint === 'broker' ? statementOf(record.event) : null;
  if (statement === null) return null;
  const pairs = [
    ...(statement.tag === null ? [] : [`tag: ${statement.tag}`]),
    ...(record.clientId === null ? [] : [`clientid: ${record.clientId}`]),
    `msg: ${statement.msg}`,
    ...(record.peer === null ? [] : [`peername: ${record.peer}`]),
    ...printFields(record),
  ];
  return `${stamp(start + record.at)} [${LEVELS[record.severity]}] ${pairs.join(', ')}`;
}

/** One line of the trace of `clientId`; null for what is not in it: other clients, records without an identity, untagged ones. */
export function printTraceLine(record: SimRecord, start: number, clientId: string): string | null {
  const statement = record.endpoint === 'broker' && record.clientId === clientId ? statementOf(record.event) : null;
  if (statement === null || statement.tag === null || record.peer === null) return null;
  const pairs = [`msg: ${statement.msg}`, ...printFields(record)].join(', ');
  return `${stamp(start + record.at)} [${statement.tag}] ${clientId}@${record.peer} ${pairs}`;
}

function printFields(record: SimRecord): string[] {
  const { event, fields } = record;
  if (fields === null) return [];
  if (event === 'quic_data_stream_packets_sent') return [`packets: [${printPacketTerm(fields)}]`];
  if (fields.packet !== undefined) return [`packet: ${printPacket(fields)}`];
  return Object.entries(fields).flatMap(([key, value]) => {
    if (key === 'reason_term') return [];
    if (key === 'reason') return [`reason: ${fields.reason_term ?? value}`];
    if (key === PAYLOAD) return [`payload: ${'x'.repeat(Number(value))}, payload_encode: text`];
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
