/** `journalctl -o json`: one object a message. */
import type { Envelope } from '../../record.ts';
import { isEpochUs } from '../date-time.ts';
import type { Wrapper } from './wrapper.ts';

type Entry = { readonly [key: string]: unknown };

export const journalJson: Wrapper = {
  title: "journalctl's JSON",
  objects: true,
  indents: false,
  mayHoldStamps: false,
  unwrap(text) {
    if (text.charCodeAt(0) !== 0x7b || !text.includes('"MESSAGE"')) return null;
    const entry = parseEntry(text);
    const message = entry === null ? null : messageOf(entry.MESSAGE);
    if (entry === null || message === null) return null;
    return {
      text: message.replace(/\r?\n$/, ''),
      envelope: envelopeOf(entry),
      partial: entry.CONTAINER_PARTIAL_MESSAGE === 'true',
      prefixLength: 0,
    };
  },
};

function parseEntry(text: string): Entry | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A message with bytes that are no UTF-8, or with colours, is an array of bytes; one that is too large is null. */
function messageOf(message: unknown): string | null {
  if (typeof message === 'string') return message;
  if (!Array.isArray(message)) return null;
  if (typeof message[0] === 'string') return message.join('\n');
  return Buffer.from(message as number[]).toString('utf8');
}

function envelopeOf(entry: Entry): Envelope {
  const us = Number(text(entry, '_SOURCE_REALTIME_TIMESTAMP') ?? text(entry, '__REALTIME_TIMESTAMP'));
  const host = text(entry, '_HOSTNAME');
  const service =
    text(entry, 'CONTAINER_NAME') ??
    text(entry, 'SYSLOG_IDENTIFIER') ??
    text(entry, '_COMM') ??
    text(entry, '_SYSTEMD_UNIT');
  const pid = Number(text(entry, '_PID') ?? text(entry, 'SYSLOG_PID'));
  const severity = Number(text(entry, 'PRIORITY'));
  const facility = Number(text(entry, 'SYSLOG_FACILITY') ?? '0');
  const priority = facility * 8 + severity;
  return {
    collector: 'journald',
    ...(isEpochUs(us) ? { ts: us } : {}),
    ...(host === undefined ? {} : { host }),
    ...(service === undefined ? {} : { service }),
    ...(Number.isSafeInteger(pid) ? { pid } : {}),
    ...(Number.isSafeInteger(priority) ? { priority } : {}),
  };
}

function text(entry: Entry, key: string): string | undefined {
  const value = entry[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
