/** Measures of a real incident: sessions and messages from its ground truth, events from its logs through the parsers. */
import { createReadStream, readdirSync } from 'node:fs';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { createParser, type Layout, LineSplitter, type LogRecord } from '../../parsers/index.ts';
import { add, type Cycle, eventKey, type Measures } from './measures.ts';
import { micros, originOf, readDelivered, type Scenario, type Truth } from './scenario.ts';

const LAYOUTS: readonly (readonly [RegExp, Layout])[] = [
  [/^nanomq\.log(\.\d+)?\.gz$/, 'nanomq-file'],
  [/^nanomq-console\.log\.gz$/, 'nanomq-console'],
  [/^emqx\.log\.gz$/, 'emqx-text'],
];

const NNG_ECANCELED = 20;
const OF_ANY_CLIENT: ReadonlySet<string> = new Set(['client_online', 'client_offline']);

export interface RealMeasures extends Measures {
  /** What the first send after each lost receive ended with: see {@link Choices}. */
  readonly deadResult: readonly number[];
}

export async function measureReal(scenario: Scenario): Promise<RealMeasures> {
  const { folder, truth } = scenario;
  const origin = originOf(truth);
  const cycles = truth.bridge_disconnects.map(
    (end): Cycle => ({
      reason: end.reason.startsWith('broker_stopped') ? 'broker_stopped' : end.reason,
      connectedS: end.connected_s,
      endS: (micros(end.time) - origin) / 1e6,
    }),
  );
  return { cycles, messages: messagesOf(folder, scenario), ...(await readEvents(folder, truth)) };
}

function messagesOf(folder: string, scenario: Scenario): Map<string, number> {
  const delivered = readDelivered(folder);
  const messages = new Map<string, number>();
  for (const direction of ['up', 'down'] as const) {
    const offered = scenario.offered[direction];
    if (offered === 0) continue;
    messages.set(`${direction} delivered`, delivered[direction]);
    messages.set(`${direction} lost`, offered - delivered[direction]);
  }
  return messages;
}

async function readEvents(folder: string, truth: Truth): Promise<Pick<RealMeasures, 'events' | 'deadResult'>> {
  const events = new Map<string, number>();
  const deadResult: number[] = [];
  let receiveLost = false;
  const noteSend = ({ event, attributes }: LogRecord): void => {
    if (event === 'bridge_recv_error') receiveLost = attributes?.nng_rv === NNG_ECANCELED;
    if (event !== 'bridge_send_failed' || !receiveLost) return;
    deadResult.push(Number(attributes?.rv));
    receiveLost = false;
  };
  for (const name of readdirSync(folder).sort()) {
    const layout = LAYOUTS.find(([pattern]) => pattern.test(name))?.[1];
    // The two pieces of one large log are cut (corpus README): their flood is compared as present or absent anyway.
    if (layout === undefined) continue;
    await readRecords(path.join(folder, name), layout, (record) => {
      countRecord(events, layout, record, truth);
      noteSend(record);
    });
  }
  return { events, deadResult };
}

function countRecord(events: Map<string, number>, layout: Layout, record: LogRecord, truth: Truth): void {
  if (record.event === null) return;
  const product = layout === 'emqx-text' ? 'emqx' : 'nanomq';
  if (product === 'emqx' && record.clientId !== truth.clientid) return;
  // Local clients come and go with the same lines.
  if (OF_ANY_CLIENT.has(record.event) && record.attributes?.client_id !== truth.clientid) return;
  if (record.ts !== null && product === 'emqx' && record.ts > micros(truth.end)) return;
  add(events, `${record.severity} ${eventKey(product, record.event, record.attributes)}`, 1);
}

async function readRecords(file: string, layout: Layout, onRecord: (record: LogRecord) => void): Promise<void> {
  const parser = createParser(layout, { record: onRecord, unparsed: () => {} });
  const splitter = new LineSplitter((line) => parser.line(line));
  for await (const chunk of createReadStream(file).pipe(createGunzip())) splitter.push(chunk as Buffer);
  splitter.end();
  parser.end();
}
