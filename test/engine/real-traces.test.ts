/** The statements about traces, held against logs of real brokers. Skipped without the corpus. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { checkKeepaliveArithmetic } from '../../engine/checks/keepalive-arithmetic.ts';
import { checkPacketIds, checkPublishWrites } from '../../engine/checks/sending.ts';
import { checkConnectionAlternation, checkDisconnectCauses } from '../../engine/checks/sessions.ts';
import type { TraceRecord } from '../../engine/checks/trace.ts';
import { brokerProfile, DEFAULT_BROKER_SETTINGS, type Fields } from '../../engine/index.ts';
import { detectLayout, LineSplitter, type LogRecord } from '../../parsers/index.ts';
import { parseAll } from '../parsers/parse.ts';

const ROOT = resolve(process.cwd(), '../shared/corpus/incidents');
const HEAD_BYTES = 131_072;
const MAX_FILE_BYTES = 30_000_000;
const SECOND = 1_000_000;

interface Truth {
  readonly emqx_version: string;
  readonly transport: 'quic' | 'tcp';
  readonly clientid: string;
}

function read(file: string, endpoint: TraceRecord['endpoint']): TraceRecord[] {
  if (!existsSync(file)) return [];
  const bytes = gunzipSync(readFileSync(file), { maxOutputLength: 1_000_000_000 });
  if (bytes.length > MAX_FILE_BYTES) return [];
  const lines: string[] = [];
  new LineSplitter((line) => lines.push(line.text)).push(bytes.subarray(0, HEAD_BYTES));
  const detected = detectLayout(lines);
  if (!detected) return [];
  return parseAll(detected.layout, bytes).records.flatMap((record) => traceRecord(record, endpoint));
}

function traceRecord(record: LogRecord, endpoint: TraceRecord['endpoint']): TraceRecord[] {
  const { event, ts, clientId, peer, attributes } = record;
  if (event === null || ts === null) return [];
  return [{ at: ts, endpoint, event, clientId, peer, fields: attributes as Fields | null }];
}

describe('statements about traces, on real logs', { skip: existsSync(ROOT) ? false : 'no corpus' }, () => {
  const folders = existsSync(ROOT)
    ? readdirSync(ROOT).filter((name) => existsSync(resolve(ROOT, name, 'truth.json')))
    : [];
  for (const folder of folders) {
    const truth = JSON.parse(readFileSync(resolve(ROOT, folder, 'truth.json'), 'utf8')) as Truth;
    it(folder, () => {
      const bridge = read(resolve(ROOT, folder, 'nanomq.log.gz'), 'bridge');
      checkDisconnectCauses(bridge);
      checkPacketIds(bridge);
      checkPublishWrites(bridge);
      checkConnectionAlternation(bridge);
      const broker = read(resolve(ROOT, folder, 'trace.log.gz'), 'broker').filter(
        (record) => record.clientId === truth.clientid,
      );
      checkKeepaliveArithmetic(broker, {
        transport: truth.transport,
        profile: brokerProfile(truth.emqx_version).profile,
        settings: DEFAULT_BROKER_SETTINGS,
        early: SECOND / 20,
        late: SECOND / 2,
      });
      assert.ok(bridge.length + broker.length > 0);
    });
  }
});
