/** Records of what a node prints to its terminal: lines without time and level. */
import type { LogRecord } from '../record.ts';
import { interpretConsole } from './interpret.ts';
import { hideSecrets } from './secrets.ts';

type Place = Pick<LogRecord, 'lineNo' | 'byteOffset' | 'byteLength' | 'continuations'>;

/** The record of a text whose first line a node prints, null for any other. */
export function consoleRecord(
  { lineNo, byteOffset, byteLength, continuations }: Place,
  text: string,
): LogRecord | null {
  const said = interpretConsole(text.split('\n', 1)[0]!, true);
  if (said === null) return null;
  return {
    lineNo,
    byteOffset,
    byteLength,
    continuations,
    ts: null,
    tsPrecisionUs: 1,
    severity: said.severity,
    thread: null,
    file: null,
    line: null,
    func: null,
    tag: null,
    clientId: null,
    bridgeId: null,
    peer: null,
    event: said.event,
    head: '',
    body: hideSecrets(text, said.event),
    attributes: Object.keys(said.attributes).length === 0 ? null : said.attributes,
  };
}
