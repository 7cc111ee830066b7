/** A run's records as the logs of both products, read back as a user's logs are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SimRecord } from '../engine/index.ts';
import { type AnalyzedFinding, analyze, Database, ingest, OBSERVED } from '../queries/index.ts';
import { printEmqxLine, printTraceLine } from '../replay/print-emqx.ts';
import { printNanomqLine } from '../replay/print-nanomq.ts';

export interface Printed {
  /** Releases. */
  readonly nanomq: string;
  readonly emqx: string;
  /** Whom the broker's trace is about. */
  readonly clientId: string;
  /** µs since the epoch at the time 0 of the records. */
  readonly start: number;
}

export async function findingsOfRecords(
  records: readonly SimRecord[],
  printed: Printed,
): Promise<readonly AnalyzedFinding[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-bench-'));
  const database = await Database.open(':memory:', 'write');
  try {
    await ingest(database, { paths: writeLogs(folder, records, printed) });
    return (await analyze(database, { runId: OBSERVED })).findings;
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeLogs(
  folder: string,
  records: readonly SimRecord[],
  { nanomq, emqx, clientId, start }: Printed,
): string[] {
  const broker = { release: emqx, start };
  const logs = {
    'nanomq.log': records.map((record) => printNanomqLine(record, { release: nanomq, start })),
    'emqx.log': records.map((record) => printEmqxLine(record, broker)),
    'trace.log': records.map((record) => printTraceLine(record, broker, clientId)),
  };
  return Object.entries(logs).map(([name, lines]) => {
    const file = path.join(folder, name);
    writeFileSync(file, `${lines.filter((line) => line !== null).join('\n')}\n`);
    return file;
  });
}
