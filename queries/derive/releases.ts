/** Which releases wrote the logs of a run, told by source lines (NanoMQ) and shapes of lines (EMQX); a range where they leave several. */
import { emqxReleaseRange, hintOfRecord, type LogRecord, RELEASES, releaseRange } from '../../parsers/index.ts';
import { type Database, readSql } from '../database.ts';

/** Ranges as wide as this say nothing worth printing. */
const ANY = RELEASES.length;

/** Needs the temporary table of record-kinds.sql. */
export async function findReleases(database: Database, runId: string): Promise<void> {
  const endpoints = await database.all<{ endpoint_id: bigint | number; product: string }>(
    'SELECT endpoint_id, product FROM endpoints WHERE run_id = $1',
    [runId],
  );
  for (const endpoint of endpoints) {
    const id = BigInt(endpoint.endpoint_id);
    const known = endpoint.product === 'nanomq' ? await nanomqRelease(database, id) : await emqxRelease(database, id);
    await database.run('UPDATE endpoints SET product_version = $2, version_known_by = $3 WHERE endpoint_id = $1', [
      id,
      known?.version ?? null,
      known?.by ?? null,
    ]);
  }
}

interface Known {
  readonly version: string; // a release, or `from–to`
  readonly by: string;
}

async function nanomqRelease(database: Database, endpointId: bigint): Promise<Known | null> {
  const seen = await database.all<{ event: string; file: string; line: number; lineNo: number }>(
    readSql('derive', 'nanomq-lines.sql'),
    [endpointId],
  );
  const range = releaseRange(seen);
  if (range === null || range.releases.length === ANY) return null;
  return {
    version: rangeText(range),
    by: range.restsOn.map((one) => `${one.file}:${one.line} (${one.event}, line ${one.lineNo ?? '?'})`).join('; '),
  };
}

async function emqxRelease(database: Database, endpointId: bigint): Promise<Known | null> {
  const rows = await database.all<{ body: string; line_no: number }>(readSql('derive', 'emqx-samples.sql'), [
    endpointId,
  ]);
  // Only these two members are looked at by the hints.
  const hints = rows.flatMap((row) => hintOfRecord({ body: row.body, lineNo: row.line_no } as LogRecord));
  const range = emqxReleaseRange(hints);
  if (range === null) return null;
  return { version: rangeText(range), by: range.restsOn.map((one) => `${one.means} (line ${one.lineNo})`).join('; ') };
}

function rangeText(range: { readonly from: string; readonly to: string }): string {
  return range.from === range.to ? range.from : `${range.from}–${range.to}`;
}
