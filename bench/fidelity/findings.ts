/** What bridgetrace says of an incident's real logs, and of the logs that a simulated run prints. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { Choices, SimRecord } from '../../engine/index.ts';
import { type AnalyzedFinding, analyze, Database, ingest, OBSERVED } from '../../queries/index.ts';
import { choices, rebuild } from '../../replay/index.ts';
import { findingsOfRecords } from '../printed-logs.ts';
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
    const { findings } = await analyze(database, { runId: OBSERVED });
    return { findings: ofBridges(scenario, findings), choices: choices(cassette) };
  } finally {
    database.close();
  }
}

/** The run goes through the printers and the parsers, as a real one does. */
export async function simulatedFindings(scenario: Scenario, records: readonly SimRecord[]): Promise<readonly string[]> {
  const { truth, bridges } = scenario;
  const findings = await findingsOfRecords(records, {
    nanomq: truth.nanomq_version,
    emqx: truth.emqx_version,
    clientId: bridges[0].options.bridge.settings.clientId,
    start: originOf(truth),
  });
  return ofBridges(scenario, findings);
}

/** Without the settings that NanoMQ prints at boot a bridge may have no client id. */
function ofBridges(scenario: Scenario, findings: readonly AnalyzedFinding[]): readonly string[] {
  const clients = new Set(scenario.bridges.map(({ options }) => options.bridge.settings.clientId));
  return findings.filter(({ client_id }) => client_id === null || clients.has(client_id)).map(({ id }) => id);
}
