/** What an ingest tells of itself beyond its counts: releases, and what the lines look like that could not be read. */
import { type Database, readSql } from '../database.ts';

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

/** The most frequent shapes of all sources of a run that have lines which could not be read, by source id, most frequent first. */
export async function unparsedShapes(database: Database, runId: string): Promise<Map<string, UnparsedShape[]>> {
  const rows = await database.all<{ source_id: bigint | number; shapes: UnparsedShape[] }>(
    readSql('derive', 'unparsed-shapes.sql'),
    [runId, SHAPES_PER_SOURCE, SHAPE_CHARS],
  );
  return new Map(rows.map(({ source_id, shapes }) => [String(source_id), shapes]));
}
