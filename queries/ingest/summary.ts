/** What an ingest tells of itself beyond its counts: releases, and what the lines look like that could not be read. */
import type { Database } from '../database.ts';

export interface IngestedEndpoint {
  readonly product: string;
  readonly node: string;
  readonly nodeKnownBy: string;
  /** A release or a range, null if nothing tells. */
  readonly release: string | null;
  readonly releaseKnownBy: string | null;
}

/** A kind of line that could not be read: numbers are `#`. */
export interface UnparsedShape {
  readonly shape: string;
  readonly reason: string;
  readonly count: number;
  readonly line: number; // the first one
}

const SHAPES_PER_SOURCE = 3;
const SHAPE_CHARS = 120;

export async function endpointsOf(database: Database, runId: string): Promise<IngestedEndpoint[]> {
  return database.all<IngestedEndpoint>(
    `SELECT product, node, node_known_by AS "nodeKnownBy", product_version AS release, version_known_by AS "releaseKnownBy"
     FROM endpoints WHERE run_id = $1 ORDER BY product DESC, node`,
    [runId],
  );
}

export async function unparsedShapes(database: Database, sourceId: string): Promise<UnparsedShape[]> {
  return database.all<UnparsedShape>(
    `SELECT left(regexp_replace(text, '0x[0-9a-fA-F]+|[0-9]+', '#', 'g'), ${SHAPE_CHARS}) AS shape, reason,
       count(*)::INTEGER AS count, min(line_no) AS line
     FROM unparsed WHERE source_id = $1 GROUP BY ALL ORDER BY count DESC, line LIMIT ${SHAPES_PER_SOURCE}`,
    [BigInt(sourceId)],
  );
}
