/** What bridgetrace says of an incident's real logs, and of the logs that a simulated run prints. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Choices, SimRecord } from '../../engine/index.ts';
import { analyze, Database, ingest, OBSERVED } from '../../queries/index.ts';
import { choices, rebuild } from '../../replay/index.ts';
import { printEmqxLine, printTraceLine } from '../../replay/print-emqx.ts';
import { printNanomqLine } from '../../replay/print-nanomq.ts';
import { originOf, type Scenario } from './scenario.ts';

export interface RealLogs {
  /** Of the bridge, most certain first. */
  readonly findings: readonly string[];
  /** Outcomes of races that the log shows, as a replay's baseline is held to them. */
  readonly choices: Choices;
}

export async function readRealLogs(scenario: Scenario): Promise<RealLogs> {
  const logs = readdirSync(scenario.folder)
    .filter((name) => /\.log(\.\d+)?\.gz$/.test(name))
    .sort()
    .map((name) => path.join(scenario.folder, name));
  const database = await Database.open(':memory:', 'write');
  try {
    await ingest(database, { paths: logs });
    const cassette = await rebuild(database, { runId: OBSERVED, clientId: scenario.truth.clientid });
    return { findings: await findingsIn(database, scenario), choices: choices(cassette) };
  } finally {
    database.close();
  }
}

/** The run goes through the printers and the parsers, as a real one does. */
export async function simulatedFindings(scenario: Scenario, records: readonly SimRecord[]): Promise<readonly string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bridgetrace-fidelity-'));
  try {
    const start = originOf(scenario.truth);
    const { clientId } = scenario.bridges[0].options.bridge.settings;
    const nanomq = { release: scenario.truth.nanomq_version, start };
    const emqx = { release: scenario.truth.emqx_version, start };
    const logs = {
      'nanomq.log': records.map((record) => printNanomqLine(record, nanomq)),
      'emqx.log': records.map((record) => printEmqxLine(record, emqx)),
      'trace.log': records.map((record) => printTraceLine(record, emqx, clientId)),
    };
    const files = Object.entries(logs).map(([name, lines]) => {
      const file = path.join(folder, name);
      writeFileSync(file, `${lines.filter((line) => line !== null).join('\n')}\n`);
      return file;
    });
    const database = await Database.open(':memory:', 'write');
    try {
      await ingest(database, { paths: files });
      return await findingsIn(database, scenario);
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function findingsIn(database: Database, scenario: Scenario): Promise<readonly string[]> {
  const { findings } = await analyze(database, { runId: OBSERVED });
  const clients = new Set(scenario.bridges.map(({ options }) => options.bridge.settings.clientId));
  // Without the settings that NanoMQ prints at boot a bridge may have no client id.
  return findings.filter(({ client_id }) => client_id === null || clients.has(client_id)).map(({ id }) => id);
}
