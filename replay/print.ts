/** A simulated record as the message part of an EMQX text log line. (Bridge records are rendered by the parsers' catalogue where it has the event.) */
import type { FieldValue, SimRecord } from '../engine/index.ts';

export function printMessage(record: SimRecord): string {
  const fields = Object.entries(record.fields ?? {})
    .filter(([key]) => key !== 'reason_term')
    .map(([key, value]) => `${key}: ${text(key === 'reason' ? (record.fields?.reason_term ?? value) : value)}`);
  const identity = [
    ...(record.clientId === null ? [] : [`clientid: ${record.clientId}`]),
    `msg: ${record.event}`,
    ...(record.peer === null ? [] : [`peername: ${record.peer}`]),
  ];
  return [...identity, ...fields].join(', ');
}

function text(value: FieldValue): string {
  return Array.isArray(value) ? `[${value.join(',')}]` : String(value);
}
